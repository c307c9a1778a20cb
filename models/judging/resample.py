"""How sure a sum or a quantile is: intervals of 95 % by drawing anew from what was seen (bootstrap)."""

from math import inf

import numpy as np
from numpy.typing import NDArray

from models.judging.interval import CONFIDENCE, Interval

DRAWS = 2_000
_SEED = 20_011
_AT_ONCE = 4_000_000
"""Most counts held in memory at once."""


def sum_interval(amounts: NDArray[np.float64]) -> Interval:
    """Return the sum of amounts, each of a unit of its own, with its interval.

    Units (machines, or lives of machines) are drawn with replacement. With few of them that differ
    the interval is too narrow, never too cautious; a sum to which fewer than four units contribute
    always has zero among its bounds, since a draw often leaves them all out.

    Parameters
    ----------
    amounts : shape (n_units,), finite

    Examples
    --------
    >>> sum_interval(np.array([0.0] * 20 + [5.0])).low
    0.0
    >>> sum_interval(np.zeros(0)).value is None
    True
    """
    count = len(amounts)
    if not count:
        return Interval(None, -inf, inf)
    random, sums = np.random.default_rng(_SEED), []
    left, piece = DRAWS, max(1, _AT_ONCE // count)
    while left > 0:
        drawn = random.multinomial(count, np.full(count, 1 / count), size=min(piece, left))
        sums.append(drawn @ amounts)
        left -= piece
    low, high = _bounds(np.concatenate(sums))
    return Interval(float(amounts.sum()), low, high)


def quantile_interval(values: NDArray[np.float64], share: float) -> Interval:
    """Return a quantile of values with its interval.

    Parameters
    ----------
    values : shape (n,), finite
    share : 0.5 for the median

    Examples
    --------
    >>> quantile_interval(np.full(7, 3.0), 0.5)
    Interval(value=3.0, low=3.0, high=3.0)
    """
    count = len(values)
    if not count:
        return Interval(None, -inf, inf)
    random, found = np.random.default_rng(_SEED), []
    left, piece = DRAWS, max(1, _AT_ONCE // count)
    while left > 0:
        drawn = values[random.integers(0, count, (min(piece, left), count))]
        found.append(np.quantile(drawn, share, axis=1))
        left -= piece
    low, high = _bounds(np.concatenate(found))
    return Interval(float(np.quantile(values, share)), low, high)


def _bounds(drawn: NDArray[np.float64]) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
