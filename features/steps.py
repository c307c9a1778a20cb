"""How a signal moves from one sample to the next.

Functions take samples in rows that end in NaN, and return one number per row; NaN for fewer than two
samples.
"""

import numpy as np

from features.kernels.names import ON_MEAN
from features.moments import Floats
from features.padded import centred, counts_of, known_of, total


def mean_absolute_change(windows: Floats) -> Floats:
    """Return the mean size of the steps between neighbouring samples, in the signal's unit.

    The moving range of a control chart: 1.13 deviations for independent normal noise, far less than
    the deviation for a signal that drifts.

    Examples
    --------
    >>> mean_absolute_change(np.array([[0.0, 3.0, 2.0, np.nan]])).tolist()
    [2.0]
    """
    steps = counts_of(known_of(windows)) - 1
    return np.where(steps > 0, sum_of_absolute_changes(windows) / np.maximum(steps, 1), np.nan)


def sum_of_absolute_changes(windows: Floats) -> Floats:
    """Return the sum of the sizes of the steps between neighbouring samples, in the signal's unit."""
    sizes = np.zeros_like(windows)
    sizes[:, 1:] = np.abs(np.diff(windows, axis=1))
    known = known_of(windows)
    return np.where(counts_of(known) > 1, total(sizes, known), np.nan)


def steepest_change(hours: Floats, windows: Floats) -> Floats:
    """Return the largest size of a step over the time that it took, in the signal's unit per hour.

    Parameters
    ----------
    hours : time of each sample after the end of its window, NaN after the last one

    Examples
    --------
    >>> steepest_change(np.array([[-2.0, -1.0, -0.5]]), np.array([[0.0, 3.0, 5.0]])).tolist()
    [4.0]
    """
    rates = np.abs(np.diff(windows, axis=1)) / np.diff(hours, axis=1)
    return np.fmax.reduce(rates, axis=1, initial=np.nan)


def longest_run_above_mean(windows: Floats) -> Floats:
    """Return the longest run of samples above their window's mean, as a share of its samples.

    A sample on the mean is not above it, so equal samples have 0, and one nearer to it than ``ON_MEAN`` of the
    range is on it. Independent noise has little, a step
    or a drift about a half.

    Examples
    --------
    >>> longest_run_above_mean(np.array([[0.0, 9.0, 9.0, 0.0, 9.0]])).tolist()
    [0.4]
    """
    known = known_of(windows)
    distance = centred(windows, known)
    place = np.arange(1, windows.shape[1] + 1)
    reach = np.maximum.reduce(distance, axis=1, initial=0.0) - np.minimum.reduce(distance, axis=1, initial=0.0)
    ended = np.maximum.accumulate(np.where(distance > ON_MEAN * reach[:, np.newaxis], 0, place), axis=1)
    longest = np.max(place - ended, axis=1) / np.maximum(counts_of(known), 1)
    return np.where(np.isfinite(distance).all(axis=1), longest, np.nan)


def peaks(windows: Floats) -> Floats:
    """Return how many times the signal turns from rising to falling; equal samples in between are one peak.

    The ends of a window are no peaks. Of independent noise every third sample is one.

    Examples
    --------
    >>> peaks(np.array([[0.0, 2.0, 2.0, 1.0, 3.0, 0.0], [1.0, 2.0, 3.0, np.nan, np.nan, np.nan]])).tolist()
    [2.0, 0.0]
    """
    before, after = windows[:, :-1], windows[:, 1:]
    falls = after < before
    side = (after > before).astype(np.int8) - falls
    newest = np.maximum.accumulate(np.where(side != 0, np.arange(side.shape[1]), 0), axis=1)
    held = np.take_along_axis(side, newest, axis=1)
    turns = np.count_nonzero((held[:, :-1] > 0) & falls[:, 1:], axis=1)
    return np.where(counts_of(known_of(windows)) > 1, turns.astype(np.float64), np.nan)
