"""Whether more rejects in a region may be chance: the region is held against rejects of other times.

Readings and rejects both resemble what was just before, so that two slow ones go together by chance far more often
than single pieces would. Shifting the rejects against the readings, round and round, breaks what is between the two and
keeps how each resembles itself. What the region itself seems to do is taken out of the rejects before they are shifted:
one that comes back each morning would otherwise be held against its own work of other mornings.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.levers.contrast import contrast
from models.levers.lots import Lots
from models.rows import machine_rows

Floats = NDArray[np.float64]

MOST_SHIFTS = 2_000


def chances(lots: Lots, insides: Sequence[NDArray[np.bool_]], strata: NDArray[np.intp]) -> list[float]:
    """Return how likely chance alone had put so many rejects into each region.

    The excess of rejects is held against its spread over all shifts (Student's t), with as many degrees of freedom as
    shifts that differ (Bartlett), less the one that the ratio took: of a region that changes once a week a month knows
    little.

    Parameters
    ----------
    insides : of each region which lots lie in it, shape (n_lots,)
    strata : what lots are compared within
    """
    return [_chance(lots, inside, strata) for inside in insides]


def _chance(lots: Lots, inside: NDArray[np.bool_], strata: NDArray[np.intp]) -> float:
    from scipy.special import stdtr  # takes long to import, and a server's start need not wait for it

    weight = _centred(lots, inside, strata)
    ratio = contrast(lots, inside, strata).ratio.value or 1.0
    unexplained = lots.rejects - _expected(lots, np.where(inside, ratio, 1.0), strata)
    told = _shifted(lots, weight, unexplained)
    away = told - told.mean() if len(told) else told
    covariance = np.fft.irfft(np.abs(np.fft.rfft(away)) ** 2, len(away)) / len(away) if len(away) > 1 else np.zeros(1)
    if covariance[0] <= 0:
        return 1.0
    freedom = len(away) * covariance[0] ** 2 / float((covariance**2).sum()) - 1
    if freedom < 1:
        return 1.0
    excess = float(weight @ (lots.rejects - _expected(lots, np.ones(len(lots)), strata)))
    spread = np.sqrt(covariance[0] * (freedom + 1) / freedom)
    return float(stdtr(freedom, -excess / spread))


def _expected(lots: Lots, weight: Floats, strata: NDArray[np.intp]) -> Floats:
    """Return the rejects of each lot if those of its stratum were shared out by pieces times a weight."""
    bad, made = (np.bincount(strata, weights=each) for each in (lots.rejects, lots.pieces * weight))
    return lots.pieces * weight * (bad / np.where(made > 0, made, 1.0))[strata]


def _centred(lots: Lots, inside: NDArray[np.bool_], strata: NDArray[np.intp]) -> Floats:
    """Return whether a lot lies inside, less how much of its stratum does."""
    within, made = (np.bincount(strata, weights=each) for each in (lots.pieces * inside, lots.pieces))
    return inside - (within / np.where(made > 0, made, 1.0))[strata]


def _shifted(lots: Lots, weight: Floats, excess: Floats) -> Floats:
    """Return the weighted sum of the excess at each shift, the first one of nothing; all machines shift alike."""
    rows = machine_rows(lots.machine).values()
    longest = max((each.stop - each.start for each in rows), default=0)
    count = min(longest, MOST_SHIFTS)
    told = np.zeros(count)
    for own in rows:
        length = own.stop - own.start
        turned = np.fft.irfft(np.conj(np.fft.rfft(weight[own])) * np.fft.rfft(excess[own]), length)
        told += turned[np.arange(count) * length // max(count, 1)]
    return told
