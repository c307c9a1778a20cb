"""Run rules: patterns of several points that chance seldom makes.

Comparisons are strict; a point on the centre line belongs to no side; equal neighbours break a trend. A rule
fires at the point that completes it, so in "two of three" the newest point is one of the two.

Sources: Nelson, The Shewhart control chart: tests for special causes, Journal of Quality Technology 16 (1984);
Western Electric, Statistical Quality Control Handbook (1956).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.efficiency.look import Flags, Floats, Look, checked


@dataclass(frozen=True, slots=True)
class Nelson:
    """Nelson's eight rules. Together they signal once in 74 independent points: use few, or hold the run length.

    Examples
    --------
    >>> look = Nelson().look(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    >>> look.fired[2].tolist()
    [False, False, False, False, False, True]
    """

    rules: ClassVar[tuple[str, ...]] = (
        "one point beyond 3 sigma",
        "nine in a row on one side",
        "six in a row steadily up or down",
        "fourteen in a row alternating",
        "two of three beyond 2 sigma on one side",
        "four of five beyond 1 sigma on one side",
        "fifteen in a row within 1 sigma",
        "eight in a row on both sides with none within 1 sigma",
    )

    def look(self, standardised: Floats) -> Look:
        """Return which of the eight rules each point completes."""
        z = checked(standardised)
        rising, falling = _steps(z)
        zigzag = np.zeros(z.shape, dtype=np.bool_)
        zigzag[..., 2:] = (rising[..., 2:] & falling[..., 1:-1]) | (falling[..., 2:] & rising[..., 1:-1])
        outside = np.abs(z) > 1
        both = (counted(z > 1, 8) > 0) & (counted(z < -1, 8) > 0)
        none = np.zeros(z.shape, dtype=np.bool_)
        without_side = {3: in_a_row(zigzag, 12), 6: in_a_row(np.abs(z) < 1, 15), 7: in_a_row(outside, 8) & both}
        with_side = {
            0: (z > 3, z < -3),
            1: (in_a_row(z > 0, 9), in_a_row(z < 0, 9)),
            2: (in_a_row(rising, 5), in_a_row(falling, 5)),
            4: (several(z > 2, 2, 3), several(z < -2, 2, 3)),
            5: (several(z > 1, 4, 5), several(z < -1, 4, 5)),
        }
        sided = [with_side.get(rule, (none, none)) for rule in range(len(self.rules))]
        look = Look.of_sides([above for above, _ in sided], [below for _, below in sided])
        for rule, fired in without_side.items():
            look.fired[rule] = fired
        return look


@dataclass(frozen=True, slots=True)
class WesternElectric:
    """The four zone rules of Western Electric. Together they signal once in 92 independent points.

    Examples
    --------
    >>> WesternElectric().look(np.array([2.5, 0.0, 2.5])).fired.any(axis=1).tolist()
    [False, True, False, False]
    """

    rules: ClassVar[tuple[str, ...]] = (
        "one point beyond 3 sigma",
        "two of three beyond 2 sigma on one side",
        "four of five beyond 1 sigma on one side",
        "eight in a row on one side",
    )

    def look(self, standardised: Floats) -> Look:
        """Return which of the four rules each point completes."""
        z = checked(standardised)
        sides = [[far > 3, several(far > 2, 2, 3), several(far > 1, 4, 5), in_a_row(far > 0, 8)] for far in (z, -z)]
        return Look.of_sides(*sides)


def counted(flags: Flags, window: int) -> np.ndarray:
    """Return how many of the newest ``window`` flags are set, at each point; before the first one none is."""
    sums = np.cumsum(flags, axis=-1, dtype=np.int64)
    before = np.zeros_like(sums)
    before[..., window:] = sums[..., :-window]
    return sums - before


def in_a_row(flags: Flags, length: int) -> Flags:
    """Return where the newest ``length`` flags are all set."""
    return counted(flags, length) == length


def several(flags: Flags, least: int, window: int) -> Flags:
    """Return where a flag is set and with it at least ``least`` of the newest ``window``."""
    return flags & (counted(flags, window) >= least)


def _steps(z: Floats) -> tuple[Flags, Flags]:
    """Return where a point lies above, and where below, the one before it; the first does neither."""
    rising, falling = np.zeros((2, *z.shape), dtype=np.bool_)
    rising[..., 1:] = z[..., 1:] > z[..., :-1]
    falling[..., 1:] = z[..., 1:] < z[..., :-1]
    return rising, falling
