"""The course of a signal through a window: level and spread of each tenth of its samples.

What a cycle looks like – how long a valve takes, when a pressure is reached – is lost in the mean of the whole
cycle, and stands in the means and deviations of its parts.
"""

from collections.abc import Callable

import numpy as np

from features.moments import Floats
from features.padded import counts_of, known_of

TENTHS = 10


def tenth(number: int) -> Callable[[Floats], Floats]:
    """Return the function that gives the mean of one tenth of each row's samples, in the signal's unit.

    Sample i of n, counted from 0, is in tenth ⌊10 i / n⌋ + 1. NaN where that tenth holds none, as some do of
    fewer than ten samples.

    Parameters
    ----------
    number : which, 1 for the oldest samples to 10 for the newest

    Examples
    --------
    >>> rows = np.array([[*range(20)], [*range(10), *[np.nan] * 10]], float)
    >>> tenth(1)(rows).tolist(), tenth(10)(rows).tolist()
    ([0.5, 0.0], [18.5, 9.0])
    """

    def mean_of(rows: Floats) -> Floats:
        return _of_tenth(rows, number, centred=False)

    return mean_of


def tenth_deviation(number: int) -> Callable[[Floats], Floats]:
    """Return the function that gives the standard deviation of one tenth of each row's samples.

    In the signal's unit; 0 for a single sample. NaN where that tenth holds none.

    Examples
    --------
    >>> tenth_deviation(10)(np.array([[*range(20)]], float)).tolist()
    [0.5]
    """

    def deviation_of(rows: Floats) -> Floats:
        return _of_tenth(rows, number, centred=True)

    return deviation_of


def _of_tenth(rows: Floats, number: int, *, centred: bool) -> Floats:
    """Return the mean of one tenth of each row, or the deviation from it, shape (n_rows,)."""
    count = counts_of(known_of(rows)).astype(np.int64)
    # The first sample of tenth k is the first i with 10 i >= n (k - 1).
    first, after = -(-count * (number - 1) // TENTHS), -(-count * number // TENTHS)
    found = np.full(len(rows), np.nan)
    some = np.flatnonzero(after > first)
    if not len(some):
        return found
    place = first[some, np.newaxis] + np.arange(int((after - first).max()))
    inside = place < after[some, np.newaxis]
    taken = rows[some[:, np.newaxis], np.minimum(place, rows.shape[1] - 1)]
    size = (after - first)[some]
    # From the smallest of them, so that a small deviation from a large level keeps its digits.
    base = np.fmin.reduce(np.where(inside, taken, np.nan), axis=1)
    above = np.where(inside, taken - base[:, np.newaxis], 0.0)
    middle = np.add.accumulate(above, axis=1)[:, -1] / size
    if not centred:
        found[some] = base + middle
        return found
    away = np.where(inside, above - middle[:, np.newaxis], 0.0)
    found[some] = np.sqrt(np.add.accumulate(away * away, axis=1)[:, -1] / size)
    return found
