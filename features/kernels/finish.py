"""Compiled: the sums of windows to features; the formulas are those of ``features.time_domain`` and ``trend``."""

from typing import Any

import numpy as np

from features.kernels import fields
from features.kernels.jit import jit
from features.kernels.names import (
    AUTOCORRELATION,
    CREST_FACTOR,
    ENERGY,
    KURTOSIS,
    MAXIMUM,
    MEAN,
    MINIMUM,
    RANGE,
    ROOT_MEAN_SQUARE,
    SKEWNESS,
    SLOPE,
    STANDARD_DEVIATION,
    ZERO_CROSSING_RATE,
)

F = fields


@jit
def finish(sums: Any, count: int, hours: float, row_of: Any, out: Any) -> None:
    """Write the features of ``count`` windows.

    Parameters
    ----------
    sums : fields of windows, shape (fields.COUNT, at least ``count``)
    hours : how many hours the unit of the clock is
    row_of : row of ``out`` for each feature, -1 where it is not wanted
    out : shape (n_wanted, ``count``)
    """
    samples, m2 = sums[F.SAMPLES, :count], sums[F.M2, :count]
    anchor, mean = sums[F.ANCHOR, :count], sums[F.MEAN, :count]
    low, high = sums[F.LOW, :count], sums[F.HIGH, :count]
    if row_of[MEAN] >= 0:
        to = out[row_of[MEAN]]
        for w in range(count):
            to[w] = anchor[w] + mean[w]
    if row_of[STANDARD_DEVIATION] >= 0:
        to = out[row_of[STANDARD_DEVIATION]]
        for w in range(count):
            to[w] = np.sqrt(m2[w] / samples[w])
    if row_of[MINIMUM] >= 0:
        to = out[row_of[MINIMUM]]
        for w in range(count):
            to[w] = low[w] + 0.0
    if row_of[MAXIMUM] >= 0:
        to = out[row_of[MAXIMUM]]
        for w in range(count):
            to[w] = high[w] + 0.0
    if row_of[RANGE] >= 0:
        to = out[row_of[RANGE]]
        for w in range(count):
            to[w] = high[w] - low[w]
    if row_of[SKEWNESS] >= 0:
        to, m3 = out[row_of[SKEWNESS]], sums[F.M3, :count]
        for w in range(count):
            variance = m2[w] / samples[w]
            to[w] = m3[w] / samples[w] / (variance * np.sqrt(variance))
        _where_equal(low, high, to)
    if row_of[KURTOSIS] >= 0:
        to, m4 = out[row_of[KURTOSIS]], sums[F.M4, :count]
        for w in range(count):
            variance = m2[w] / samples[w]
            to[w] = m4[w] / samples[w] / (variance * variance) - 3
        _where_equal(low, high, to)
    if row_of[AUTOCORRELATION] >= 0:
        to, lag = out[row_of[AUTOCORRELATION]], sums[F.LAG, :count]
        for w in range(count):
            to[w] = lag[w] / m2[w]
        _where_equal(low, high, to)
    if row_of[ENERGY] >= 0:
        to = out[row_of[ENERGY]]
        for w in range(count):
            level = anchor[w] + mean[w]
            to[w] = samples[w] * level * level + m2[w]
    if row_of[ROOT_MEAN_SQUARE] >= 0:
        to = out[row_of[ROOT_MEAN_SQUARE]]
        _root_mean_square(anchor, mean, m2, samples, to)
    if row_of[CREST_FACTOR] >= 0:
        to = out[row_of[CREST_FACTOR]]
        _root_mean_square(anchor, mean, m2, samples, to)
        for w in range(count):
            peak = max(abs(low[w]), abs(high[w]))
            to[w] = peak / to[w] if to[w] > 0 else np.nan
    if row_of[SLOPE] >= 0:
        to, tt, tx = out[row_of[SLOPE]], sums[F.TT, :count], sums[F.TX, :count]
        for w in range(count):
            to[w] = tx[w] / tt[w] / hours if tt[w] > 0 else np.nan
    if row_of[ZERO_CROSSING_RATE] >= 0:
        to, crossings = out[row_of[ZERO_CROSSING_RATE]], sums[F.CROSSINGS, :count]
        for w in range(count):
            to[w] = crossings[w] / (samples[w] - 1) if samples[w] > 1 else np.nan
    for w in range(count):
        if samples[w] == 0:
            out[:, w] = np.nan


@jit
def _where_equal(low: Any, high: Any, to: Any) -> None:
    """Write NaN where all samples of a window are equal."""
    for w in range(len(to)):
        to[w] = to[w] if low[w] < high[w] else np.nan


@jit
def _root_mean_square(anchor: Any, mean: Any, m2: Any, samples: Any, to: Any) -> None:
    for w in range(len(to)):
        to[w] = anchor[w] + mean[w]
    for w in range(len(to)):
        to[w] = np.sqrt(to[w] * to[w] + m2[w] / samples[w])
