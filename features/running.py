"""When machines of a class run, as a recipe keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from features.align import max_age
from features.column import span_text
from ingest.duration import parse_duration
from ingest.expression import Expression, read_expression
from ingest.plant import MachineClass


@dataclass(frozen=True, slots=True)
class Running:
    """When machines of a class run, as a recipe keeps it.

    Attributes
    ----------
    expression : over signals and states; true while a machine runs
    settle : time after each start that is left out, too; a start is the first moment known to be
        running after one that was not
    hold : how long a value of a signal holds when no other comes; the longest of them
    holds : the same of each signal, in their order, where they differ
    """

    expression: str
    signals: tuple[str, ...]
    settle: timedelta
    hold: timedelta
    holds: tuple[timedelta, ...] = ()

    @property
    def max_ages(self) -> tuple[timedelta, ...]:
        """How long a value of each signal holds, in their order."""
        return self.holds or (self.hold,) * len(self.signals)

    @classmethod
    def of(cls, machine_class: MachineClass, sampling: Mapping[str, timedelta]) -> "Running | None":
        """Return what a class declares; ``None`` if its machines always run."""
        if machine_class.running is None:
            return None
        expression = read_expression(machine_class.running, [signal.name for signal in machine_class.signals])
        declared = {signal.name: signal for signal in machine_class.signals}
        ages = tuple(max_age(declared[name], sampling[name]) for name in expression.signals)
        holds = ages if len(set(ages)) > 1 else ()
        hold = max(ages, default=timedelta(0))
        return cls(machine_class.running, expression.signals, machine_class.settle, hold, holds)

    def read(self) -> Expression:
        """Return the expression, ready to be asked."""
        return read_expression(self.expression, self.signals)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; ``from_dict`` reads it back."""
        return {
            "expression": self.expression,
            "signals": list(self.signals),
            "settle": span_text(self.settle),
            "hold": span_text(self.hold),
            # Left out where there is none, so that the hashes of recipes from before it stay as they were.
            **({"holds": [span_text(each) for each in self.holds]} if self.holds else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        return cls(
            expression=data["expression"],
            signals=tuple(data["signals"]),
            settle=parse_duration(data["settle"]),
            hold=parse_duration(data["hold"]),
            holds=tuple(parse_duration(each) for each in data.get("holds", ())),
        )
