"""How a signal is spread within a window: level, deviation, extremes, shape.

Functions of ``Moments`` take one entry per window; functions of windows take samples in rows that
end in NaN. All return NaN where the number cannot be said. Skewness and kurtosis are the biased
(population) forms.
"""

import numpy as np

from features.moments import Floats, Moments


def mean(window: Moments) -> Floats:
    """Return the mean; exactly the value itself when all samples are equal."""
    return window.anchor + window.mean


def standard_deviation(window: Moments) -> Floats:
    """Return the standard deviation (divided by n); exactly 0 when all samples are equal."""
    return np.sqrt(window.m2 / np.maximum(window.samples, 1))


def minimum(window: Moments) -> Floats:
    """Return the smallest sample."""
    return window.low


def maximum(window: Moments) -> Floats:
    """Return the largest sample."""
    return window.high


def last(window: Moments) -> Floats:
    """Return the newest sample."""
    return window.last


def root_mean_square(window: Moments) -> Floats:
    """Return the root of the mean square: what a signal around zero carries as energy."""
    return np.hypot(mean(window), standard_deviation(window))


def skewness(window: Moments) -> Floats:
    """Return m3 / m2^1.5: positive when the long tail lies above; NaN when all samples are equal."""
    variance = window.m2 / window.samples
    return np.where(window.low < window.high, window.m3 / window.samples / variance**1.5, np.nan)


def kurtosis(window: Moments) -> Floats:
    """Return m4 / m2² − 3: 0 for a normal distribution, −1.5 for a sine; NaN when all samples are equal."""
    variance = window.m2 / window.samples
    return np.where(window.low < window.high, window.m4 / window.samples / variance**2 - 3, np.nan)


def crest_factor(window: Moments) -> Floats:
    """Return the largest distance from zero over the RMS: how spiky the signal is.

    A sine has 1.41; early bearing damage adds spikes and drives it up, then it falls again as the
    noise floor rises, so never read it without the RMS. NaN when the RMS is zero.
    """
    rms = root_mean_square(window)
    peak = np.maximum(np.abs(window.low), np.abs(window.high))
    return np.where(rms > 0, peak / np.where(rms > 0, rms, 1.0), np.nan)


def mean_crossing_rate(windows: Floats) -> Floats:
    """Return the share of steps between samples in which the signal passes through its window's mean.

    A sample on the mean belongs to the side that the signal comes from. White noise has 0.5, a slow
    drift almost 0, a hunting control loop almost 1. NaN for fewer than two samples.

    Parameters
    ----------
    windows : shape (n_windows, n_samples), NaN after the last sample

    Examples
    --------
    >>> mean_crossing_rate(np.array([[1.0, -1.0, 1.0, -1.0], [0.0, 1.0, 2.0, np.nan]])).tolist()
    [1.0, 0.5]
    """
    counts = np.count_nonzero(~np.isnan(windows), axis=1)
    if not windows.shape[1]:
        return np.full(len(windows), np.nan)
    missing = np.isnan(windows)
    above = windows - np.fmin.reduce(windows, axis=1)[:, np.newaxis]
    above[missing] = 0.0
    # Added up one after the other, so that what pads a row has no say in how its sum is rounded.
    middle = np.add.accumulate(above, axis=1)[:, -1:] / np.maximum(counts, 1)[:, np.newaxis]
    side = (above > middle).astype(np.int8) - (above < middle)
    side[missing] = 0
    newest = np.where(side != 0, np.arange(side.shape[1], dtype=np.int32), np.int32(0))
    np.maximum.accumulate(newest, axis=1, out=newest)
    held = np.take_along_axis(side, newest, axis=1)
    crossings = np.count_nonzero(held[:, 1:] * held[:, :-1] < 0, axis=1)
    return np.where(counts > 1, crossings / np.maximum(counts - 1, 1), np.nan)
