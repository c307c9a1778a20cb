"""Deal pieces out to folds: by time, by groups or machines, or at random where somebody said why."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.judging.split import Fold

FOLDS: Final = 5
MOST_TRIED: Final = 3
"""Folds inside a training part, by which a model is chosen and calibrated."""


def in_time(time: NDArray[np.datetime64], count: int) -> list[Fold]:
    """Return folds of neighbouring pieces: each is judged on one stretch of time and learns from the others.

    To choose and to calibrate inside a training part, not to judge: a fold may learn from later pieces.
    """
    place = np.empty(len(time), np.intp)
    place[np.argsort(time, kind="stable")] = np.arange(len(time))
    return _folds(place * count // max(len(time), 1), count)


def by_group(code: NDArray[np.intp], group: NDArray[np.intp], count: int, seed: int) -> list[Fold]:
    """Return folds of whole groups, in each about as many groups of every code."""
    names, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    return _folds(_dealt(code[first], min(count, len(names)), seed)[inverse], min(count, len(names)))


def at_random(code: NDArray[np.intp], count: int, seed: int) -> list[Fold]:
    """Return folds of single pieces, in each about as many of every code."""
    return _folds(_dealt(code, count, seed), count)


def _dealt(code: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """Shuffle, sort by code and deal out one by one."""
    order = np.random.default_rng(seed).permutation(len(code))
    order = order[np.argsort(code[order], kind="stable")]
    dealt = np.empty(len(code), np.intp)
    dealt[order] = np.arange(len(code)) % max(count, 1)
    return dealt


def _folds(number: NDArray[np.intp], count: int) -> list[Fold]:
    folds = [Fold(np.flatnonzero(number != each), np.flatnonzero(number == each)) for each in range(count)]
    return [fold for fold in folds if len(fold.train) and len(fold.test)]
