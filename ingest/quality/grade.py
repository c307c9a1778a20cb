"""◆ The grade of a signal: how far it can be trusted, and why not further."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from ingest.quality.carriage import clock_skew, duplicate_stamp, invalid, out_of_domain
from ingest.quality.fault import FAULTS, Fault, Find
from ingest.quality.level import drift, unit_jump
from ingest.quality.meaning import categorical, counter_reset
from ingest.quality.noise import erratic, spike
from ingest.quality.presence import gap, missing, short_history
from ingest.quality.series import Series
from ingest.quality.stillness import flat, stuck_at_limit

HIGH, MEDIUM = 80, 50
"""Lowest grades that are called high and medium."""

FINDERS: Mapping[str, Find] = {
    "missing": missing,
    "gap": gap,
    "duplicate_stamp": duplicate_stamp,
    "invalid": invalid,
    "out_of_domain": out_of_domain,
    "flat": flat,
    "spike": spike,
    "stuck_at_limit": stuck_at_limit,
    "erratic": erratic,
    "drift": drift,
    "unit_jump": unit_jump,
    "clock_skew": clock_skew,
    "short_history": short_history,
    "counter_reset": counter_reset,
    "categorical": categorical,
}
"""The function that finds each kind of fault."""

EXPLAINS: Mapping[str, frozenset[str]] = {
    "unit_jump": frozenset({"drift", "erratic", "spike", "stuck_at_limit"}),
    "erratic": frozenset({"spike"}),
    "flat": frozenset({"drift"}),
    "stuck_at_limit": frozenset({"drift"}),
    "counter_reset": frozenset({"spike", "drift", "unit_jump"}),
    "categorical": frozenset({"spike", "flat", "stuck_at_limit", "erratic", "drift"}),
}
"""What else a fault looks like: those are not told beside it."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How far a signal can be trusted.

    Attributes
    ----------
    number : 0 to 100; 100 is without fault
    faults : what was found, the costliest first
    """

    number: int
    faults: tuple[Fault, ...]

    @property
    def level(self) -> Literal["high", "medium", "low"]:
        """The grade in a word."""
        return level_of(self.number)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of the faults, the costliest first."""
        return tuple(each.code for each in self.faults)

    @classmethod
    def of(cls, faults: list[Fault]) -> "Grade":
        """Return the grade that faults leave: each costs its part of what the others leave."""
        explained = frozenset().union(*(EXPLAINS.get(each.code, frozenset()) for each in faults))
        kept = sorted((each for each in faults if each.code not in explained), key=lambda each: -each.cost)
        return cls(round(100 * prod(1 - each.cost for each in kept)), tuple(kept))

    def sentence(self) -> str:
        """Say the grade and its first reason in one line."""
        if not self.faults:
            return f"{self.number} ({self.level})"
        first = self.faults[0]
        return f"{self.number} ({self.level}): {FAULTS[first.code].title}, {first.detail}"


def level_of(number: int) -> Literal["high", "medium", "low"]:
    """Return a grade in a word."""
    return "high" if number >= HIGH else "medium" if number >= MEDIUM else "low"


def grade(series: Series) -> Grade:
    """Grade one signal of one machine by itself; see ``assess`` for all signals of a machine together."""
    return Grade.of(find_faults(series))


def find_faults(series: Series) -> list[Fault]:
    """Return all faults of a series, in the order of ``FINDERS``; none where there is no reading at all."""
    if len(series) == 0:
        return []
    return [fault for find in FINDERS.values() if (fault := find(series)) is not None]
