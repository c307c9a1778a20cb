"""Where a signal is going: its slope, and how its level differs from before."""

import numpy as np

from features.moments import Floats, Moments
from features.time_domain import standard_deviation


def slope(window: Moments) -> Floats:
    """Return the least-squares slope against time, in the signal's unit per hour.

    NaN when all samples were taken at one moment.
    """
    return np.where(window.tt > 0, window.tx / np.where(window.tt > 0, window.tt, 1.0), np.nan)


def slope_error(window: Moments) -> Floats:
    """Return the standard error of the slope, in the signal's unit per hour.

    It takes the samples for independent; real ones follow each other, so the true error is larger.
    NaN for fewer than three samples.
    """
    possible = (window.samples > 2) & (window.tt > 0)
    time = np.where(possible, window.tt, 1.0)
    rest = np.maximum(window.m2 - window.tx * window.tx / time, 0.0)
    return np.where(possible, np.sqrt(rest / np.where(possible, window.samples - 2, 1.0) / time), np.nan)


def mean_difference(window: Moments, other: Moments) -> Floats:
    """Return the mean of a window minus that of another stretch, such as a longer window or the normal.

    Taken from anchor to anchor, so that a small change of a large value keeps its digits.
    """
    return (window.anchor - other.anchor) + (window.mean - other.mean)


def spread_ratio(window: Moments, normal: Moments) -> Floats:
    """Return the standard deviation of a window over the machine's own normal one; NaN if that is 0."""
    usual = standard_deviation(normal)
    return np.where(usual > 0, standard_deviation(window) / np.where(usual > 0, usual, 1.0), np.nan)
