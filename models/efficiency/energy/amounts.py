"""Readings of meters and drivers as means over periods, whatever the times at which they came.

A reading speaks for the time since the one before it, and no further back than ``hold``: what lies in a longer
silence is not known. Nothing is guessed: neither the energy of a silence nor that across a counter's reset.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR, Times

FILLED = 0.9
"""Least share of a period that readings must speak for, or it has no mean."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured between one moment and the next, as a rate.

    Attributes
    ----------
    begin, stop : of the time that each reading speaks for, ascending and apart, in microseconds, shape (n,)
    rate : a mean over that time: the value itself, or an amount for each hour
    resets : moments of the readings at which a counter was lower than before
    """

    begin: Times
    stop: Times
    rate: Floats
    resets: Times

    def means(self, bounds: Times) -> Floats:
        """Return the mean rate between each bound and the next, NaN where too little of that is known.

        A period is known once a reading at its end or later has come; from then on its mean stays as it is.

        Parameters
        ----------
        bounds : ascending, in microseconds, shape (n_periods + 1,)

        Examples
        --------
        >>> hour = 3_600_000_000
        >>> meter = rates_of(np.array([0, 1, 2]) * hour, np.array([7.0, 8.0, 10.0]), 2 * hour, "mean")
        >>> meter.means(np.array([0, 1, 2, 3]) * hour).tolist()
        [8.0, 10.0, nan]
        """
        if not len(self.begin):
            return np.full(len(bounds) - 1, np.nan)
        span = (self.stop - self.begin).astype(float)
        first = self.begin[0]
        knots = np.column_stack([self.begin, self.stop]).ravel() - first
        at = (bounds - first).astype(float)
        covered = np.diff(np.interp(at, knots, _twice(np.cumsum(span), span)))
        amount = np.diff(np.interp(at, knots, _twice(np.cumsum(self.rate * span), self.rate * span)))
        known = (covered >= FILLED * np.diff(bounds)) & (bounds[1:] <= self.stop[-1])
        return np.where(known, amount / np.where(known, covered, 1.0), np.nan)


def _twice(total: Floats, part: Floats) -> Floats:
    return np.column_stack([total - part, total]).ravel()


def rates_of(times: Times, values: Floats, hold: int, reads: str) -> Rates:
    """Return what readings say of the time since the one before each.

    Parameters
    ----------
    times : ascending, in microseconds, shape (n,)
    values : shape (n,), never NaN
    hold : longest time that a reading speaks for, in microseconds; a counter's two readings may lie no further apart
    reads : ``power`` or ``mean``: the value itself. ``energy`` or ``sum``: amounts since the reading before.
        ``counter`` or ``increase``: amounts in all. ``travel``: positions, of which the way counts.
        ``energy`` and ``counter`` in kWh give kW, others amounts give amounts an hour.
    """
    if len(times) < 2:
        return Rates(times[:0], times[:0], np.empty(0), times[:0])
    begin, stop, later = times[:-1], times[1:], values[1:]
    gap = stop - begin
    if reads in ("power", "mean"):
        return Rates(np.maximum(begin, stop - hold), stop, later, times[:0])
    if reads in ("energy", "sum"):
        known = gap <= hold
        return Rates(begin[known], stop[known], later[known] * HOUR / gap[known], times[:0])
    change = np.diff(values)
    fell = change < 0
    if reads == "travel":
        change, known = np.abs(change), gap <= hold
        fell = np.zeros(len(gap), np.bool_)
    else:
        known = (gap <= hold) & ~fell
    return Rates(begin[known], stop[known], change[known] * HOUR / gap[known], stop[fell])
