"""Where a signal is going: its slope, and how its level differs from before."""

import numpy as np

from features.moments import Floats, Moments
from features.padded import centred, counts_of, known_of, total
from features.time_domain import standard_deviation

_BENT = 1e-18
"""Of the parabola's own sum of squares, over a window of length 2: below it the times say nothing of a bend."""


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


def curvature(hours: Floats, windows: Floats) -> Floats:
    """Return c of the least-squares parabola a + b t + c t², in the signal's unit per squared hour.

    Positive when a fall slows down or a rise gathers speed. Fitted by polynomials that are orthogonal over
    the true times of the samples, from deviations, so that neither a large mean nor a slope costs digits.
    NaN when the samples were taken at fewer than three moments, or at three of which two lie within a
    billionth of the window.

    Parameters
    ----------
    hours : time of each sample after the end of its window, NaN after the last one
    windows : samples in rows that end in NaN, of the same shape

    Examples
    --------
    >>> hours = np.array([[-3.0, -2.0, -1.0, 0.0]])
    >>> curvature(hours, 5 * hours**2 - hours + 7).round(9).tolist()
    [5.0]
    """
    known = known_of(windows)
    distance, clock = centred(windows, known), centred(hours, known)
    reach = np.fmax.reduce(np.abs(clock), axis=1)
    reach = np.where(reach > 0, reach, np.nan)[:, np.newaxis]
    line = clock / reach
    square = line * line
    of_line = total(square, known)
    level, lean = of_line / counts_of(known), total(square * line, known) / of_line
    bow = square - level[:, np.newaxis] - lean[:, np.newaxis] * line
    # The slope is taken off as well, so that what rounding leaves of it in the bow does not grow with it.
    rest = distance - (total(line * distance, known) / of_line)[:, np.newaxis] * line
    of_bow = total(bow * bow, known)
    return np.where(of_bow > _BENT, total(bow * rest, known) / of_bow, np.nan) / reach[:, 0] ** 2


def mean_difference(window: Moments, other: Moments) -> Floats:
    """Return the mean of a window minus that of another stretch, such as a longer window or the normal.

    Taken from anchor to anchor, so that a small change of a large value keeps its digits.
    """
    return (window.anchor - other.anchor) + (window.mean - other.mean)


def deviation_difference(window: Moments, longer: Moments) -> Floats:
    """Return the standard deviation of a window minus that of a longer one."""
    return standard_deviation(window) - standard_deviation(longer)


def spread_ratio(window: Moments, normal: Moments) -> Floats:
    """Return the standard deviation of a window over the machine's own normal one; NaN if that is 0."""
    usual = standard_deviation(normal)
    return np.where(usual > 0, standard_deviation(window) / np.where(usual > 0, usual, 1.0), np.nan)
