"""When machines of a class run, as a recipe keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from features.column import span_text
from ingest.duration import parse_duration
from ingest.expression import Expression, read_expression
from ingest.plant import MachineClass

HOLDS = 5
"""Sampling intervals of the slowest signal of the expression after which its value is unknown again."""


@dataclass(frozen=True, slots=True)
class Running:
    """When machines of a class run, as a recipe keeps it.

    Attributes
    ----------
    expression : over signals and states; true while a machine runs
    settle : time after each start that is left out, too; a start is the first moment known to be
        running after one that was not
    hold : how long a value of a signal holds when no other comes
    """

    expression: str
    signals: tuple[str, ...]
    settle: timedelta
    hold: timedelta

    @classmethod
    def of(cls, machine_class: MachineClass, sampling: Mapping[str, timedelta]) -> "Running | None":
        """Return what a class declares; ``None`` if its machines always run."""
        if machine_class.running is None:
            return None
        expression = read_expression(machine_class.running, [signal.name for signal in machine_class.signals])
        hold = HOLDS * max((sampling[name] for name in expression.signals), default=timedelta(0))
        return cls(machine_class.running, expression.signals, machine_class.settle, hold)

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
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        spans = (parse_duration(data[name]) for name in ("settle", "hold"))
        return cls(data["expression"], tuple(data["signals"]), *spans)
