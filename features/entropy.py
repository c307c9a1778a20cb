"""How evenly a signal uses its values, and how predictably one sample follows another.

Functions take samples in rows that end in NaN and return one number without unit per row.
"""

import math

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats
from features.padded import counts_of, known_of

BINS = 10
"""Of equal width, from the smallest to the largest sample of the window."""

_PATTERNS = 6
_ON_EDGE = 1e-9
"""Of a bin's width: a sample so little below a bin is in it. Rounding must not part readings such as tenths."""


def entropy(windows: Floats) -> Floats:
    """Return the entropy of the histogram of each row, in nats, from 0 to ln 10 = 2.303.

    Sample x falls into bin ⌊10 (x − min) / (max − min)⌋, the largest one into the last bin, and one less than
    a billionth of a bin below an edge into the bin above it. Even use of
    the range has 2.303, normal noise about 2, a signal that rests and rarely jumps nearly 0. Exactly 0
    when all samples are equal; NaN when the range is not finite.

    Examples
    --------
    >>> entropy(np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, np.nan]])).round(3).tolist()
    [0.693, 0.0]
    """
    known = known_of(windows)
    low, high = np.fmin.reduce(windows, axis=1), np.fmax.reduce(windows, axis=1)
    width = np.where(high > low, high - low, 1.0)[:, np.newaxis]
    place = (windows - low[:, np.newaxis]) * BINS / width
    bins = np.minimum(np.floor(place + _ON_EDGE), BINS - 1)
    found = _entropy_of(np.stack([np.count_nonzero(bins == which, axis=1) for which in range(BINS)]))
    return np.where((known & ~np.isfinite(place)).any(axis=1), np.nan, found)


def permutation_entropy(windows: Floats) -> Floats:
    """Return the entropy of the order of three neighbouring samples over ln 6, from 0 to 1.

    Of equal samples the earlier counts as the smaller. 1 when all six orders are equally frequent, as in
    noise; 0 when the signal only rises or does not move. The samples are taken in their order, whatever
    time lies between them. NaN for fewer than three samples.

    Examples
    --------
    >>> permutation_entropy(np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0]])).round(3).tolist()
    [0.0, 0.387]
    """
    first, second, third = windows[:, :-2], windows[:, 1:-1], windows[:, 2:]
    known = known_of(third)
    code = 4 * (first <= second) + 2 * (second <= third) + (first <= third)
    orders = np.stack([np.count_nonzero(known & (code == each), axis=1) for each in range(8)])
    return np.where(counts_of(known) > 0, _entropy_of(orders) / math.log(_PATTERNS), np.nan)


def _entropy_of(counts: NDArray[np.int64]) -> Floats:
    """Return −Σ p ln p over the first axis."""
    share = counts / np.maximum(counts.sum(axis=0), 1)
    return 0.0 - np.add.accumulate(share * np.log(np.where(counts > 0, share, 1.0)), axis=0)[-1]
