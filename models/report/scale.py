"""Scales: where on an axis a value lies, and where its ticks are."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.report.axis import number, number_ticks

Tick = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis without a length.

    Attributes
    ----------
    place : from a value to its place, 0 at the begin of the axis and 1 at its end
    ticks : values and how they are written
    """

    place: Callable[[float], float]
    ticks: Sequence[Tick]

    def inside(self, value: float) -> float:
        """Return the place of a value, drawn to the nearer end where it lies outside."""
        return min(max(self.place(value), 0.0), 1.0)


def linear(low: float, high: float, most: int = 5) -> Scale:
    """Return an axis with even steps."""
    length = (high - low) or 1.0
    return Scale(lambda value: (value - low) / length, number_ticks(low, high, most))


def falling(high: float, low: float = 0.0, most: int = 5) -> Scale:
    """Return an axis on which values fall from left to right, as the time that is left does."""
    length = (high - low) or 1.0
    return Scale(lambda value: (high - value) / length, number_ticks(low, high, most))


def shares(high: float = 1.0) -> Scale:
    """Return an axis of shares from 0 on the square root, on which small ones can be told apart."""
    high = max(high, 1e-4)
    wanted = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
    top = math.sqrt(high)
    ticks = [(each, f"{100 * each:g} %") for each in wanted if each <= high * 1.0001]
    return Scale(lambda value: math.sqrt(max(value, 0.0)) / top, _apart(ticks, lambda each: math.sqrt(each) / top))


def log_odds(low: float, high: float) -> Scale:
    """Return an axis of levels between 0 and 1 on which both ends are wide."""
    first, last = _logit(low), _logit(high)
    length = (last - first) or 1.0
    small = [10.0**-power for power in range(9, 1, -1)]
    wanted = [*small, *(0.1, 0.25, 0.5, 0.75, 0.9), *(1 - each for each in reversed(small))]

    def place(value: float) -> float:
        return (_logit(value) - first) / length

    inside = [(each, _level(each)) for each in wanted if low <= each <= high]
    return Scale(place, _apart(inside or [(low, _level(low)), (high, _level(high))], place))


def rarity(highest: float) -> Scale:
    """Return an axis of levels near 1, by how rare they are: 0.999 is one in a thousand."""
    top = 1.06 * max(1.0, _nines(highest))

    def place(value: float) -> float:
        return _nines(value) / top

    ticks = [(1 - 10.0**-power, "all" if power == 0 else f"1 in {10**power:,}") for power in range(10)]
    return Scale(place, [(value, text.replace(",", "\u202f")) for value, text in ticks if place(value) <= 1.001])


def _apart(ticks: Sequence[Tick], place: Callable[[float], float], least: float = 0.11) -> list[Tick]:
    """Leave out ticks that would be written over others."""
    kept: list[Tick] = []
    for tick in ticks:
        if not kept or place(tick[0]) - place(kept[-1][0]) >= least:
            kept.append(tick)
    return kept


def _nines(level: float) -> float:
    return -math.log10(max(1 - level, 1e-10))


def _logit(share: float) -> float:
    bounded = min(max(share, 1e-10), 1 - 1e-10)
    return math.log(bounded / (1 - bounded))


def _level(level: float) -> str:
    return f"{level:.9f}".rstrip("0") if level > 0.99 else number(level, 2)
