"""Up to how many hours a life can be told: chosen on machines that were held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.life.lives import Lives
from models.life.trees import Growing, grow, thinned

Floats = NDArray[np.float64]
Part = tuple[NDArray[np.intp], NDArray[np.intp], Floats]
"""Rows to be judged on, rows to learn from, and the values that the learner sees."""

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Reaches that are tried, in parts of the median life."""

HORIZONS = 1.25
"""A reach is at least so many horizons, or nothing could be said of the horizon."""

MOST_ROWS = 5_000
TURNS = 40


@dataclass(frozen=True)
class Reach:
    """How far lives are told, and why.

    Attributes
    ----------
    hours : the reach
    tried : all that were tried, in hours, ascending
    errors : of each that was tried, the mean error on machines unseen in parts of the life that was left; empty where
        it could not be measured
    """

    hours: float
    tried: tuple[float, ...]
    errors: tuple[float, ...]


def choose_reach(lives: Lives, parts: Sequence[Part], horizon: float, seed: int) -> Reach:
    """Return the reach with which trees err least on held-out machines, in parts of the life that was left.

    A machine shows nothing of a life that is far off, and trees that are asked for it all the same learn noise:
    they tell the last hours worse. A reach that is too short tells nothing of most lives. An error counts as no more
    than the whole life, each machine alike, over lives up to the median one. Where no life ended among the machines
    that are held out, no error is known and the longest one is taken.
    """
    tried = candidates(lives, horizon)
    if len(tried) < 2 or not parts:
        return Reach(tried[-1], tried, ())
    errors = []
    for reach in tried:
        wanted = [Growing(seen, thinned(rows, MOST_ROWS), reach, 1, TURNS) for _, rows, seen in parts]
        of_lives: list[Floats] = []
        for (test, _, seen), trees in zip(parts, grow(lives, wanted, seed), strict=True):
            told = lives.ended[test] & (lives.hours[test] <= tried[-1]) & (lives.hours[test] > 0)
            rows = thinned(test[told], MOST_ROWS)
            away = np.abs(np.minimum(trees.hours(seen[rows]), reach) - lives.hours[rows]) / lives.hours[rows]
            own = np.unique(lives.life[rows], return_inverse=True)[1]
            of_lives.append(np.bincount(own, np.minimum(away, 1.0)) / np.maximum(np.bincount(own), 1))
        if not any(map(len, of_lives)):
            return Reach(tried[-1], tried, ())
        errors.append(float(np.concatenate(of_lives).mean()))
    return Reach(tried[int(np.argmin(errors))], tried, tuple(errors))


def candidates(lives: Lives, horizon: float) -> tuple[float, ...]:
    """Return the reaches to try, in hours, ascending."""
    ended = np.flatnonzero(lives.ended)
    longest = np.zeros(int(lives.life.max()) + 1)
    np.maximum.at(longest, lives.life[ended], lives.hours[ended])
    typical = float(np.median(longest[longest > 0])) if (longest > 0).any() else horizon
    return tuple(sorted({max(share * typical, HORIZONS * horizon) for share in SHARES}))
