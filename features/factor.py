"""How spiky a signal around zero is: ratios of its peak, RMS, mean size and root amplitude.

All take samples in rows that end in NaN, in the signal's unit, and return one number without unit per
row: exactly 1 when all samples have one size, NaN when all are zero. Samples are divided by the
largest first, so that nothing overflows when it is squared.
"""

import numpy as np

from features.moments import Floats
from features.padded import Known, counts_of, known_of, total


def impulse_factor(windows: Floats) -> Floats:
    """Return the largest size over the mean size: how far the peaks stand out of what is usual.

    A sine has 1.57. Few sharp impacts raise it before the RMS moves.

    Examples
    --------
    >>> impulse_factor(np.array([[1.0, -1.0, 1.0, -5.0], [3.0, -3.0, np.nan, np.nan]])).tolist()
    [2.5, 1.0]
    """
    sizes, known = _relative(windows)
    return counts_of(known) / total(sizes, known)


def shape_factor(windows: Floats) -> Floats:
    """Return the RMS over the mean size: 1.11 for a sine, 1.25 for normal noise, more with impacts."""
    sizes, known = _relative(windows)
    some = counts_of(known)
    return np.sqrt(total(sizes * sizes, known) / some) / (total(sizes, known) / some)


def clearance_factor(windows: Floats) -> Floats:
    """Return the largest size over the squared mean of the roots of the sizes.

    The most sensitive of the factors to a few impacts in an otherwise quiet signal; a sine has 1.72.
    """
    sizes, known = _relative(windows)
    root = total(np.sqrt(sizes), known) / counts_of(known)
    return 1 / (root * root)


def _relative(windows: Floats) -> tuple[Floats, Known]:
    """Return the sizes of the samples as shares of the largest; NaN in a row whose samples are all zero."""
    sizes = np.abs(windows)
    peak = np.fmax.reduce(sizes, axis=1)[:, np.newaxis]
    return sizes / np.where(peak > 0, peak, np.nan), known_of(windows)
