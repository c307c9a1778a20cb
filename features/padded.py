"""Windows laid out as rows of samples that end in NaN, and sums in which what pads a row has no say.

Every function of rows takes at least one column. Sums are added up one after the other, never in
pairs, so that the longest window of a block does not decide how the others are rounded.
"""

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats

Known = NDArray[np.bool_]


def known_of(rows: Floats) -> Known:
    """Return which cells hold a sample."""
    return ~np.isnan(rows)


def counts_of(known: Known) -> Floats:
    """Return how many samples each row holds, shape (n_windows,)."""
    return np.count_nonzero(known, axis=1).astype(np.float64)


def total(each: Floats, known: Known) -> Floats:
    """Return the sum of the cells of each row that hold a sample, shape (n_windows,)."""
    return np.add.accumulate(np.where(known, each, 0.0), axis=1)[:, -1]


def centred(rows: Floats, known: Known) -> Floats:
    """Return the distance of each sample from the mean of its row; 0 in the padding.

    Taken from the smallest sample, so that a small deviation from a large mean keeps its digits;
    exactly 0 when all samples are equal.

    Examples
    --------
    >>> rows = np.array([[1e9, 1e9 + 1, 1e9 + 2], [5.0, 5.0, np.nan]])
    >>> centred(rows, known_of(rows)).tolist()
    [[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    above = np.where(known, rows - np.fmin.reduce(rows, axis=1)[:, np.newaxis], 0.0)
    middle = total(above, known) / np.maximum(counts_of(known), 1)
    return np.where(known, above - middle[:, np.newaxis], 0.0)
