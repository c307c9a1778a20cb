"""Which windows have a spectrum: those that were regularly sampled."""

import numpy as np
from numpy.typing import NDArray

LEAST_SPECTRUM = 8
"""Fewest samples of a window with a spectrum: each quarter of its bands then holds a bin."""
JITTER = 0.01
"""Largest difference between the longest and the shortest step, as a share of the mean one."""
ROUNDING = 1
"""And besides, in microseconds: times are whole ones, so a pace such as 30 kHz cannot be kept exactly."""


def steps_of(times: NDArray[np.int64], first: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the seconds from one sample to the next in each window; NaN where it is not regularly sampled.

    Parameters
    ----------
    times : when samples were taken, in microseconds
    first, stop : the samples first … stop − 1 of each window, shape (n_windows,)

    Examples
    --------
    >>> times = np.array([0, 100, 200, 300, 400, 500, 600, 700, 900])
    >>> (1e6 * steps_of(times, np.array([0, 1]), np.array([8, 9]))).round(3).tolist()
    [100.0, nan]
    """
    found = np.full(len(first), np.nan)
    for window in np.flatnonzero(stop - first >= LEAST_SPECTRUM):
        steps = np.diff(times[first[window] : stop[window]])
        mean = steps.mean()
        if mean > 0 and steps.max() - steps.min() <= ROUNDING + JITTER * mean:
            found[window] = mean / 1e6
    return found
