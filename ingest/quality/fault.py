"""◆ A fault of data: what it is called, how bad it is, when it was, and what to do.

Every kind is one row of ``FAULTS``; ``finders.py`` names the function that finds each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ingest.quality.series import Series


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes
    ----------
    title : in words
    remedy : what a person can do
    weight : how much of the grade it costs where all readings are touched, 0 to 1
    at_once : share of readings at which it costs half of that
    """

    title: str
    remedy: str
    weight: float
    at_once: float


FAULTS: Mapping[str, Kind] = {
    "missing": Kind("readings are missing", "look at the connection and at the sampling of the source", 0.8, 0.15),
    "gap": Kind("there is a large gap", "look what was off; load what a local store still has", 0.7, 0.1),
    "duplicate_stamp": Kind(
        "times come twice with other values", "let one source alone write this signal, with finer times", 0.7, 0.02
    ),
    "invalid": Kind("values are no numbers", "look at the dead letters and at the source", 0.8, 0.05),
    "out_of_domain": Kind(
        "values are outside the declared range", "look at the sensor, and at 'range' in the plant file", 0.8, 0.05
    ),
    "flat": Kind("it stands still", "look whether the sensor hangs or the source repeats its last value", 0.8, 0.05),
    "spike": Kind("single readings jump", "look at the cable, its shield and earth", 0.7, 0.003),
    "stuck_at_limit": Kind("it stays at the end of its range", "look at the sensor and its range", 0.8, 0.05),
    "erratic": Kind("it is noisier than usual", "look at the contacts and the supply of the sensor", 0.7, 0.03),
    "drift": Kind(
        "it drifts away while the others stay", "compare with a second instrument; if it is right, the machine changes",
        0.6, 0.3,
    ),
    "unit_jump": Kind("it looks like another unit from one moment on", "ask who changed the source's unit", 0.9, 0.1),
    "clock_skew": Kind("its clock is wrong", "set the clock of the source, or its time zone", 0.6, 0.3),
    "short_history": Kind("its history is short", "wait, or load older readings", 0.5, 0.5),
    "counter_reset": Kind("it counts up and begins anew", "use its increase, not its value", 0.4, 0.001),
    "categorical": Kind("its few values look like states", "give them as events of kind 'state'", 0.3, 0.5),
}  # fmt: skip
"""Kinds of faults, by reason code."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was found.

    Attributes
    ----------
    code : a row of ``FAULTS``
    share : share of the span's readings, or of its time, that it touches; 0 to 1
    begin, end : when it began and ended, in microseconds since 1970
    detail : with numbers, in a few words
    """

    code: str
    share: float
    begin: int
    end: int
    detail: str

    @property
    def cost(self) -> float:
        """How much of the grade it costs, 0 to 1; grows with its share, the first of it costs most."""
        kind = FAULTS[self.code]
        return kind.weight * self.share / (self.share + kind.at_once) * (1 + kind.at_once)


class Find(Protocol):
    """Finds one kind of fault; pure, looks at nothing but the series."""

    def __call__(self, series: Series) -> Fault | None:
        """Return the fault, or ``None`` if there is none."""
