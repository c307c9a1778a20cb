"""Faults of an energy meter, told apart from waste where that can be: stuck, silent, reset, scaled.

A meter that repeats itself or says nothing while the drivers move has a fault whatever is used; a counter that falls
was reset. A reading that is off by one factor at all hours is a scaled meter only where the factor is larger than
any loss could make: below that nobody can tell it from a loss in proportion to load, and the finding says so.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.energy.baseline import EnergyBaseline
from models.efficiency.energy.periods import EnergyPeriods

Floats = NDArray[np.float64]
FaultKind = Literal["stuck", "silent", "reset", "scaled"]
LARGEST_LOSS = 1.3
"""Factor over the expected power at all hours beyond which (or below 1 / it) the meter is doubted, not the machine."""
_LEAST = 4
_TIMES_THE_LONGEST = 3
_MOVES = 0.02


@dataclass(frozen=True, slots=True)
class MeterFault:
    """A time in which a meter cannot be believed.

    Attributes
    ----------
    kind : stuck: one value again and again; silent: no energy at all; reset: a counter fell; scaled: off by a factor
    begin, end : in microseconds; ``end`` is that of the newest period while it lasts
    seen : when there was enough of it to be told
    lasts : whether it lasted until the newest period
    factor : of a scaled meter, what it reads over what it should
    """

    kind: FaultKind
    begin: int
    end: int
    seen: int
    lasts: bool
    factor: float | None = None


def _runs(same: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of equal neighbours begin and stop, as places of the first one and behind the last one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(int)))
    return [(int(begin), int(stop) + 1) for begin, stop in edges.reshape(-1, 2)]


def _equal(power: Floats) -> NDArray[np.bool_]:
    scale = np.maximum(np.abs(power[1:]), np.abs(power[:-1]))
    return np.abs(np.diff(power)) <= 1e-9 * scale


def longest_run(power: Floats) -> int:
    """Return how many periods in a row had exactly the same power.

    Examples
    --------
    >>> longest_run(np.array([3.0, 3.0, 3.0, 4.0]))
    3
    """
    return max((stop - begin for begin, stop in _runs(_equal(power))), default=1)


def stuck_faults(baseline: EnergyBaseline, periods: EnergyPeriods, expected: Floats) -> list[MeterFault]:
    """Return the times in which a meter repeated one value, or none, far longer than in the baseline period.

    Parameters
    ----------
    expected : in kW, shape (n,); where it hardly moves a meter may say the same for long
    """
    least = max(_LEAST, _TIMES_THE_LONGEST * longest_run(baseline.learnt.power) + 1)
    found: list[MeterFault] = []
    for begin, stop in _runs(_equal(periods.power)):
        if stop - begin < least:
            continue
        value, own = periods.power[begin], expected[begin:stop]
        usual = float(np.nanmean(baseline.learnt.power))
        moves = np.nanstd(own) > _MOVES * usual if np.isfinite(own).sum() > 1 else False
        silent = value == 0 and np.isfinite(own).any() and float(np.nanmean(own)) > _MOVES * usual
        if moves or silent:
            seen = min(begin + least, stop) - 1
            found.append(
                MeterFault(
                    "silent" if silent else "stuck",
                    int(periods.begin[begin]),
                    int(periods.end[stop - 1]),
                    int(periods.end[seen]),
                    stop == len(periods),
                )
            )
    return found


def reset_faults(periods: EnergyPeriods) -> list[MeterFault]:
    """Return the resets of a counter within the periods."""
    if not len(periods):
        return []
    inside = periods.resets[(periods.resets > periods.begin[0]) & (periods.resets <= periods.end[-1])]
    return [MeterFault("reset", int(each) - HOUR, int(each), int(each), lasts=False) for each in inside]


def is_scaled(share: float) -> bool:
    """Say whether an excess of this share of the expected power at all hours is the meter's.

    Examples
    --------
    >>> is_scaled(0.1), is_scaled(9.0), is_scaled(-0.9)
    (False, True, True)
    """
    factor = 1 + share
    return factor >= LARGEST_LOSS or factor <= 1 / LARGEST_LOSS


def without(periods: EnergyPeriods, faults: list[MeterFault]) -> NDArray[np.bool_]:
    """Return which periods lie in no fault."""
    clean = np.ones(len(periods), np.bool_)
    for fault in faults:
        clean &= (periods.end <= fault.begin) | (periods.begin >= fault.end)
    return clean
