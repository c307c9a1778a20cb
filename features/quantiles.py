"""What samples in ascending order say: quantiles, and spreads that an outlier does not move.

All take rows of samples in ascending order with NaN after the last one, shape (n_windows, n_samples),
and return one number per row, in the signal's unit.
"""

import numpy as np

from features.moments import Floats
from features.padded import counts_of, known_of


def quantile(ordered: Floats, share: float) -> Floats:
    """Return a quantile of each row, linear between the two nearest samples.

    Parameters
    ----------
    share : which quantile, 0 to 1

    Examples
    --------
    >>> quantile(np.array([[1.0, 2.0, 3.0, np.nan]]), 0.25).tolist()
    [1.5]
    """
    newest = np.maximum(counts_of(known_of(ordered)) - 1, 0)
    place = share * newest
    below = np.floor(place)
    row = np.arange(len(ordered))
    low = ordered[row, below.astype(np.int64)]
    high = ordered[row, np.minimum(below + 1, newest).astype(np.int64)]
    # Nothing is added on a sample itself, because nothing times infinity is no number.
    return np.where(place > below, low + (high - low) * (place - below), low)


def interquartile_range(ordered: Floats) -> Floats:
    """Return the width of the middle half of the samples; 1.35 deviations for normal noise.

    Examples
    --------
    >>> interquartile_range(np.array([[0.0, 1.0, 2.0, 3.0, 1e9]])).tolist()
    [2.0]
    """
    near = _from_the_middle(ordered)
    return quantile(near, 0.75) - quantile(near, 0.25)


def median_absolute_deviation(ordered: Floats) -> Floats:
    """Return the median distance from the median; 0.67 deviations for normal noise.

    Nearly half of the samples may be wrong without moving it far.

    Examples
    --------
    >>> median_absolute_deviation(np.array([[0.0, 1.0, 2.0, 3.0, 1e9]])).tolist()
    [1.0]
    """
    near = _from_the_middle(ordered)
    away = np.abs(near - quantile(near, 0.5)[:, np.newaxis])
    away.sort(axis=1)
    return quantile(away, 0.5)


def _from_the_middle(ordered: Floats) -> Floats:
    """Return samples as distances from a middle one, so that a small spread of large values keeps its digits."""
    middle = counts_of(known_of(ordered)).astype(np.int64) // 2
    return ordered - np.take_along_axis(ordered, np.minimum(middle, ordered.shape[1] - 1)[:, np.newaxis], axis=1)
