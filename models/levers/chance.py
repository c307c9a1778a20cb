"""Whether more rejects in a region may be chance: the region is held against rejects of other times.

Readings and rejects both resemble what was just before, so that two slow ones go together by chance far more often
than single pieces would. Shifting the rejects against the readings, round and round, breaks what is between the two and
keeps how each resembles itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.levers.lots import Lots
from models.rows import machine_rows

Floats = NDArray[np.float64]

MOST_SHIFTS = 2_000


def chances(lots: Lots, insides: Sequence[NDArray[np.bool_]], strata: NDArray[np.intp]) -> list[float]:
    """Return how likely chance alone had put so many rejects into each region.

    The excess of rejects is held against its spread over all shifts, with as many degrees of freedom as shifts that
    differ (Bartlett): of a region that changes once a week a month knows little.

    Parameters
    ----------
    insides : of each region which lots lie in it, shape (n_lots,)
    strata : what lots are compared within
    """
    from scipy.special import stdtr  # takes long to import, and a server's start need not wait for it

    excess = lots.rejects - lots.pieces * expected_share(lots, strata)
    found = []
    for inside in insides:
        told = _shifted(lots, _centred(lots, inside, strata), excess)
        away = told - told.mean()
        covariance = np.fft.irfft(np.abs(np.fft.rfft(away)) ** 2, len(away)) / len(away)
        if len(away) < 2 or covariance[0] <= 0:
            found.append(1.0)
            continue
        freedom = len(away) * covariance[0] ** 2 / float((covariance**2).sum())
        found.append(float(stdtr(max(freedom, 1.0), -told[0] / np.sqrt(covariance[0]))))
    return found


def expected_share(lots: Lots, strata: NDArray[np.intp]) -> Floats:
    """Return the share of rejects in the stratum of each lot, shape (n_lots,)."""
    bad, made = (np.bincount(strata, weights=each) for each in (lots.rejects, lots.pieces))
    return (bad / np.where(made > 0, made, 1.0))[strata]


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
