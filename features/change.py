"""The best single split of a window into before and after, by the CUSUM of its samples.

With the distances d = x − m from the window's mean and S_k = Σ d of the first k samples, the split lies
after the k for which |S_k| is largest; the earliest of those within a billionth of the largest. Functions
take samples in rows that end in NaN. Only samples of the window are used, so the newest ones decide
little until some have come.

Source: Ploberger and Krämer, The CUSUM test with OLS residuals, Econometrica 60 (1992).
"""

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats
from features.padded import centred, counts_of, known_of, total

CRITICAL = 1.3581
"""A Brownian bridge goes further than this in one of twenty cases (Kolmogorov's distribution)."""

_TIED = 1 - 1e-9


def change_size(windows: Floats) -> Floats:
    """Return the mean after the split minus the mean before it, in the signal's unit.

    Exactly 0 when all samples are equal.

    Examples
    --------
    >>> change_size(np.array([[5.0, 5.0, 5.0, 8.0, 8.0, np.nan]])).round(9).tolist()
    [3.0]
    """
    sums, before = _split(centred(windows, known_of(windows)))
    samples = counts_of(known_of(windows))
    after = samples - before
    # Adding 0.0 turns the −0.0 of equal samples into 0.0.
    return np.where(after > 0, -sums * samples / (before * np.where(after > 0, after, 1.0)), np.nan) + 0.0


def change_statistic(windows: Floats) -> Floats:
    """Return max |S_k| / √(Σ d²): how clearly the level shifts, whatever the unit and the number of samples.

    More than 1.36 comes by chance in one of twenty windows of many independent samples, in fewer of few
    samples, and far more often of samples that follow each other. NaN when all samples are equal.
    """
    known = known_of(windows)
    distance = centred(windows, known)
    size = np.fmax.reduce(np.abs(distance), axis=1)[:, np.newaxis]
    relative = distance / np.where(size == 0, np.nan, size)
    sums, _ = _split(relative)
    return np.abs(sums) / np.sqrt(total(relative * relative, known))


def change_significant(windows: Floats) -> Floats:
    """Return 1 where ``change_statistic`` is above 1.3581, 0 where it is not or all samples are equal."""
    low, high = np.fmin.reduce(windows, axis=1), np.fmax.reduce(windows, axis=1)
    statistic = change_statistic(windows)
    return np.where(low == high, 0.0, np.where(np.isnan(statistic), np.nan, statistic > CRITICAL))


def change_age(hours: Floats, windows: Floats) -> Floats:
    """Return the hours from the first sample after the split to the end of the window.

    NaN when all samples are equal: nothing changed.

    Parameters
    ----------
    hours : time of each sample after the end of its window, so never positive, NaN after the last one

    Examples
    --------
    >>> change_age(np.array([[-4.0, -3.0, -1.0, 0.0]]), np.array([[2.0, 2.0, 7.0, 7.0]])).tolist()
    [1.0]
    """
    sums, before = _split(centred(windows, known_of(windows)))
    place = np.minimum(before.astype(np.int64), hours.shape[1] - 1)
    return np.where(np.abs(sums) > 0, -hours[np.arange(len(hours)), place], np.nan)


def _split(distance: Floats) -> tuple[Floats, Floats]:
    """Return S_k of the best split of each row, and k; NaN and 1 where a distance is infinite or none."""
    sums = np.add.accumulate(distance, axis=1)
    size: NDArray[np.float64] = np.abs(sums)
    largest = np.maximum.reduce(size, axis=1)
    place = np.argmax(size >= _TIED * largest[:, np.newaxis], axis=1)
    return np.where(np.isnan(largest), np.nan, sums[np.arange(len(sums)), place]), place + 1.0
