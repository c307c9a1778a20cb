"""Compiled: the sums of windows to features; the formulas are those of ``features.time_domain`` and ``trend``."""

from typing import Any

import numpy as np

from features.kernels import fields
from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, splat, square_root, store, where_above
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
    sums : fields of windows, shape (fields.COUNT, at least ``count`` and LANES)
    hours : how many hours the unit of the clock is
    row_of : row of ``out`` for each feature, -1 where it is not wanted
    out : shape (n_wanted, ``count``)
    """
    flat, width = sums.reshape(-1), sums.shape[1]
    whole = count - count % LANES
    _finish_eight(flat, width, 0, whole, hours, row_of, out, out.strides[0] // 8)
    if whole < count:
        spare = np.empty((len(out), LANES))
        _finish_eight(flat[whole:], width, 0, LANES, hours, row_of, spare, LANES)
        for row in range(len(out)):
            for w in range(whole, count):
                out[row, w] = spare[row, w - whole]


@jit
def _finish_eight(
    flat: Any, width: int, first: int, stop: int, hours: float, row_of: Any, out: Any, apart: int
) -> None:
    """Write the features of windows, eight at a time; rows of ``out`` are ``apart``."""
    none, one, nan = splat(0.0), splat(1.0), splat(np.nan)
    for w in range(first, stop, LANES):
        samples, m2 = load(flat, F.SAMPLES * width + w), load(flat, F.M2 * width + w)
        level = load(flat, F.ANCHOR * width + w) + load(flat, F.MEAN * width + w)
        # Where there is no sample nothing is a number, the extremes included.
        there = where_above(samples, none, none, nan)
        smallest, largest = load(flat, F.LOW * width + w) + there, load(flat, F.HIGH * width + w) + there
        share = one / samples
        variance = m2 * share
        deviation = square_root(variance)
        whole = square_root(level * level + variance)
        if row_of[MEAN] >= 0:
            store(out, row_of[MEAN] * apart + w, level + there)
        if row_of[STANDARD_DEVIATION] >= 0:
            store(out, row_of[STANDARD_DEVIATION] * apart + w, deviation)
        if row_of[MINIMUM] >= 0:
            store(out, row_of[MINIMUM] * apart + w, smallest)
        if row_of[MAXIMUM] >= 0:
            store(out, row_of[MAXIMUM] * apart + w, largest)
        if row_of[RANGE] >= 0:
            store(out, row_of[RANGE] * apart + w, largest - smallest)
        if row_of[ENERGY] >= 0:
            store(out, row_of[ENERGY] * apart + w, samples * level * level + m2 + there)
        if row_of[SKEWNESS] >= 0:
            found = load(flat, F.M3 * width + w) * share / (variance * deviation)
            store(out, row_of[SKEWNESS] * apart + w, where_above(largest, smallest, found, nan))
        if row_of[KURTOSIS] >= 0:
            found = load(flat, F.M4 * width + w) * share / (variance * variance) - splat(3.0)
            store(out, row_of[KURTOSIS] * apart + w, where_above(largest, smallest, found, nan))
        if row_of[AUTOCORRELATION] >= 0:
            found = load(flat, F.LAG * width + w) / m2
            store(out, row_of[AUTOCORRELATION] * apart + w, where_above(largest, smallest, found, nan))
        if row_of[ROOT_MEAN_SQUARE] >= 0:
            store(out, row_of[ROOT_MEAN_SQUARE] * apart + w, whole)
        if row_of[CREST_FACTOR] >= 0:
            peak = high(high(smallest, none - smallest), high(largest, none - largest))
            store(out, row_of[CREST_FACTOR] * apart + w, where_above(whole, none, peak / whole, nan))
        if row_of[SLOPE] >= 0:
            tt = load(flat, F.TT * width + w)
            found = load(flat, F.TX * width + w) / (tt * splat(hours))
            store(out, row_of[SLOPE] * apart + w, where_above(tt, none, found, nan))
        if row_of[ZERO_CROSSING_RATE] >= 0:
            found = load(flat, F.CROSSINGS * width + w) / (samples - one)
            store(out, row_of[ZERO_CROSSING_RATE] * apart + w, where_above(samples, one, found, nan))
