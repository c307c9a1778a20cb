"""The declared regimes of a class, as a recipe keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from features.align import max_age
from features.column import span_text
from ingest.duration import parse_duration
from ingest.expression import Expression, read_expression
from ingest.plant import MachineClass
from ingest.plant_regime_check import OTHER


@dataclass(frozen=True, slots=True)
class Regimes:
    """Ways of running that the plant file declares, as a recipe keeps them.

    Attributes
    ----------
    names : of the regimes, in the order of the plant file; of several at once the first counts
    expressions : when each holds, over signals and states
    signals : those that the expressions name
    holds : how long a value of each signal holds when no other comes, in their order
    """

    names: tuple[str, ...]
    expressions: tuple[str, ...]
    signals: tuple[str, ...]
    holds: tuple[timedelta, ...]

    @classmethod
    def of(cls, machine_class: MachineClass, sampling: Mapping[str, timedelta]) -> "Regimes | None":
        """Return what a class declares; ``None`` if that is nothing."""
        if not machine_class.regimes:
            return None
        known = [signal.name for signal in machine_class.signals]
        read = [read_expression(each.when, known) for each in machine_class.regimes]
        signals = tuple(dict.fromkeys(name for each in read for name in each.signals))
        declared = {signal.name: signal for signal in machine_class.signals}
        holds = tuple(max_age(declared[name], sampling[name]) for name in signals)
        names = tuple(each.name for each in machine_class.regimes)
        return cls(names, tuple(each.text for each in read), signals, holds)

    @property
    def hold(self) -> timedelta:
        """The longest of them."""
        return max(self.holds, default=timedelta(0))

    @property
    def parts(self) -> tuple[str, ...]:
        """The names, and that of all other time."""
        return (*self.names, OTHER)

    def read(self) -> Sequence[Expression]:
        """Return the expressions, ready to be asked."""
        return [read_expression(each, self.signals) for each in self.expressions]

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON types; ``from_dict`` reads them back."""
        return {
            "names": list(self.names),
            "expressions": list(self.expressions),
            "signals": list(self.signals),
            "holds": [span_text(each) for each in self.holds],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        names, expressions, signals = (tuple(data[key]) for key in ("names", "expressions", "signals"))
        return cls(names, expressions, signals, tuple(parse_duration(each) for each in data["holds"]))
