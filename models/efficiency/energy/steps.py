"""Excess over the expected power, step by step: idle time and busy time each a series of its own.

Where nothing is made a meter hardly strays, so that a small loss shows there days before it shows in the whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.microsecond import Times
from models.efficiency.energy.periods import EnergyPeriods

Floats = NDArray[np.float64]
STEP_HOURS = 4
_LEAST_HOURS = 2.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Mean excess of a kind of time in each step of four hours (from local midnight on) or, of longer periods, in each.

    Attributes
    ----------
    begin, end : of the first and of the last period that counts in each step, in microseconds, shape (n,)
    excess : mean of actual − expected, in kW, shape (n,)
    """

    begin: Times
    end: Times
    excess: Floats


def kinds_of_time(periods: EnergyPeriods) -> dict[str, NDArray[np.bool_]]:
    """Return which periods are idle and which busy; all of them as ``all`` where nothing says when things are made."""
    idle, busy = periods.idle, periods.busy
    found = {name: own for name, own in (("idle", idle), ("busy", busy)) if own.any()}
    return found or {"all": np.ones(len(periods), np.bool_)}


def steps_of(periods: EnergyPeriods, excess: Floats, counts: NDArray[np.bool_], *, daily: bool = False) -> Steps:
    """Return the steps in which enough is known of a kind of time.

    Parameters
    ----------
    excess : actual − expected of each period in kW, NaN where unknown, shape (n,)
    counts : periods of that kind of time, shape (n,)
    daily : whether a step is a local day of which nine tenths must be known
    """
    keep = counts & ~np.isnan(excess)
    if not keep.any():
        nothing = np.empty(0, np.int64)
        return Steps(nothing, nothing, np.empty(0))
    hours, begin, end = periods.hours[keep], periods.begin[keep], periods.end[keep]
    if daily:
        key, least = periods.day[keep], 20.7
    elif float(periods.hours.max()) > STEP_HOURS / 2:
        key, least = begin, 0.0
    else:
        key, least = periods.day[keep] * 6 + periods.local.hour.to_numpy()[keep] // STEP_HOURS, _LEAST_HOURS
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    known = np.bincount(place, hours)
    mean = np.bincount(place, hours * excess[keep]) / known
    last = np.append(first[1:], len(key)) - 1
    enough = known >= least - 1e-9
    return Steps(begin[first][enough], end[last][enough], mean[enough])
