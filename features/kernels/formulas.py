"""Compiled: features of one window from its moments, to the bits of ``features.time_domain`` and ``features.trend``."""

import math
from typing import Any

import numpy as np

from features.kernels.jit import jit
from features.kernels.stretch import ANCHOR, HIGH, LAST, LOW, M2, M3, M4, MEAN, SAMPLES, TT, TX


@jit
def _deviation(window: Any) -> float:
    return math.sqrt(window[M2] / max(window[SAMPLES], 1.0))


@jit
def _root_mean_square(window: Any) -> float:
    return math.hypot(window[ANCHOR] + window[MEAN], _deviation(window))


@jit
def _slope_error(window: Any) -> float:
    if not (window[SAMPLES] > 2 and window[TT] > 0):
        return np.nan
    rest = window[M2] - window[TX] * window[TX] / window[TT]
    rest = rest if np.isnan(rest) or rest > 0 else 0.0
    return math.sqrt(rest / (window[SAMPLES] - 2) / window[TT])


@jit
def formula(code: int, window: Any, other: Any) -> float:
    """Return one feature of a window, by its place in ``FORMULAS``: those of ``time_domain`` and ``trend``."""
    if code == 0:
        return window[ANCHOR] + window[MEAN]
    if code == 1:
        return _deviation(window)
    if code == 2:
        return window[LOW]
    if code == 3:
        return window[HIGH]
    if code == 4:
        return window[HIGH] - window[LOW]
    if code == 5:
        level = window[ANCHOR] + window[MEAN]
        return window[SAMPLES] * level * level + window[M2]
    if code == 6:
        return _root_mean_square(window)
    if code == 7 or code == 8:
        if not window[LOW] < window[HIGH]:
            return np.nan
        variance = window[M2] / window[SAMPLES]
        if code == 7:
            return window[M3] / window[SAMPLES] / (variance * math.sqrt(variance))
        return window[M4] / window[SAMPLES] / (variance * variance) - 3
    if code == 9:
        whole = _root_mean_square(window)
        return max(abs(window[LOW]), abs(window[HIGH])) / whole if whole > 0 else np.nan
    if code == 10:
        return window[TX] / window[TT] if window[TT] > 0 else np.nan
    if code == 11:
        return _slope_error(window)
    if code == 12:
        return window[LAST]
    if code == 13:
        return (window[ANCHOR] - other[ANCHOR]) + (window[MEAN] - other[MEAN])
    return _deviation(window) - _deviation(other)


FORMULAS = (
    *("mean", "standard_deviation", "minimum", "maximum", "range", "energy", "root_mean_square", "skewness"),
    *("kurtosis", "crest_factor", "slope", "slope_error", "last", "mean_change", "spread_change"),
)
"""Features by the number of their formula."""
