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


def value_range(window: Moments) -> Floats:
    """Return the largest minus the smallest sample."""
    return window.high - window.low


def last(window: Moments) -> Floats:
    """Return the newest sample."""
    return window.last


def root_mean_square(window: Moments) -> Floats:
    """Return the root of the mean square: what a signal around zero carries as energy."""
    return np.hypot(mean(window), standard_deviation(window))


def energy(window: Moments) -> Floats:
    """Return the sum of the squares of the samples."""
    level = mean(window)
    return window.samples * level * level + window.m2


def skewness(window: Moments) -> Floats:
    """Return m3 / m2^1.5: positive when the long tail lies above; NaN when all samples are equal."""
    variance = window.m2 / window.samples
    return np.where(window.low < window.high, window.m3 / window.samples / (variance * np.sqrt(variance)), np.nan)


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
