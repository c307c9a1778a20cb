"""Residuals of any distribution as standard normal scores, learnt from those of phase I.

The body is the empirical distribution, the outer tenth on each side a generalised Pareto tail. So a skewed or
heavy-tailed process is charted as a normal one is, and a residual beyond all of phase I still has a score. Scores
take no tail for lighter than exponential, because where a light tail ends is a guess, and whatever lay behind would
be certain. What is drawn for simulations follows the tail as it was found.

Sources: Pickands, Statistical inference using extreme order statistics, Annals of Statistics 3 (1975);
Hosking and Wallis, Parameter and quantile estimation for the generalized Pareto distribution, Technometrics 29 (1987).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from models.efficiency.look import Floats

TAIL = 0.1
"""Share of the points that each tail is learnt from."""
FEWEST_OF_TAIL = 10
LIGHTEST, HEAVIEST = -0.5, 0.5
"""Shapes of tails that are believed: from one that falls to its end in a straight line to one of infinite variance."""


@dataclass(frozen=True, slots=True)
class Tail:
    """One tail of each row; values of the lower one are turned round.

    Attributes
    ----------
    begin, mean, shape : shape (rows,); mean is how far beyond ``begin`` values lie on average
    probability : of lying beyond ``begin``
    """

    begin: Floats
    mean: Floats
    shape: Floats
    probability: float

    @classmethod
    def of(cls, ordered: Floats, count: int) -> "Tail":
        """Learn it from the ``count`` largest of each ascending row, by probability-weighted moments."""
        begin = ordered[:, -count - 1]
        beyond = ordered[:, -count:] - begin[:, np.newaxis]
        mean = np.maximum(beyond.mean(axis=1), np.finfo(float).tiny)
        weighted = (beyond * (1 - (np.arange(count) + 0.65) / count)).mean(axis=1)
        # Equal excesses make the difference 0 at most; then the tail is as light as can be.
        shape = np.clip(2 - mean / np.maximum(mean - 2 * weighted, 1e-9 * mean), LIGHTEST, HEAVIEST)
        return cls(begin, mean, shape, (count + 0.5) / ordered.shape[1])

    def take(self, rows: NDArray[np.intp]) -> "Tail":
        """Return some rows of it."""
        return Tail(self.begin[rows], self.mean[rows], self.shape[rows], self.probability)

    def score(self, row: int, values: Floats) -> Floats:
        """Return the normal scores of values beyond ``begin``."""
        shape = max(self.shape[row], 0.0)
        beyond = (values - self.begin[row]) / (self.mean[row] * (1 - shape))
        log = -beyond if shape < 1e-9 else -np.log1p(shape * beyond) / shape
        return -ndtri(np.maximum(self.probability * np.exp(log), 1e-300))

    def value(self, row: int, scores: Floats) -> Floats:
        """Return the values that lie as far out as these scores do, by the tail as it was found."""
        return self._at(row, scores, float(self.shape[row]))

    def reached(self, row: int, scores: Floats) -> Floats:
        """Return the values that have these scores."""
        return self._at(row, scores, max(float(self.shape[row]), 0.0))

    def _at(self, row: int, scores: Floats, shape: float) -> Floats:
        log = np.log(ndtr(-scores) / self.probability)
        beyond = -log if abs(shape) < 1e-9 else np.expm1(-shape * log) / shape
        return self.begin[row] + self.mean[row] * (1 - shape) * beyond


@dataclass(frozen=True, slots=True)
class NormalScores:
    """The distribution of each row's residuals.

    Attributes
    ----------
    ordered : residuals of phase I, ascending, shape (rows, m)
    scores : the normal score of each place, shape (m,)
    """

    ordered: Floats
    scores: Floats
    upper: Tail
    lower: Tail

    @classmethod
    def of(cls, residuals: Floats) -> "NormalScores":
        """Learn from residuals of phase I, shape (rows, m), none missing and m at least 25."""
        ordered = np.sort(residuals, axis=1)
        count = ordered.shape[1]
        tail = max(FEWEST_OF_TAIL, int(np.ceil(TAIL * count)))
        places = (np.arange(count) + 0.5) / count
        return cls(ordered, ndtri(places), Tail.of(ordered, tail), Tail.of(-ordered[:, ::-1], tail))

    def take(self, rows: NDArray[np.intp]) -> "NormalScores":
        """Return some rows of it."""
        return NormalScores(self.ordered[rows], self.scores, self.upper.take(rows), self.lower.take(rows))

    def of_residuals(self, residuals: Floats) -> Floats:
        """Return the score of each residual, shape (rows, n).

        Equal residuals of phase I, of a coarse sensor, share the mean of their scores.
        """
        found = np.empty_like(residuals)
        for row, values in enumerate(residuals):
            known, scores = _distinct(self.ordered[row], self.scores)
            found[row] = np.interp(values, known, scores)
            for sign, tail in ((1.0, self.upper), (-1.0, self.lower)):
                where = np.flatnonzero(sign * values > tail.begin[row])
                found[row][where] = sign * tail.score(row, sign * values[where])
        return found

    def drawn(self, normal: Floats) -> Floats:
        """Return residuals as the first row has them, made of standard normal numbers."""
        found = np.interp(normal, self.scores, self.ordered[0])
        for sign, tail in ((1.0, self.upper), (-1.0, self.lower)):
            where = np.nonzero(sign * normal > -ndtri(tail.probability))
            found[where] = sign * tail.value(0, sign * normal[where])
        return found

    def residual_at(self, score: float) -> float:
        """Return the residual of the first row that has a score."""
        for sign, tail in ((1.0, self.upper), (-1.0, self.lower)):
            if sign * score > -ndtri(tail.probability):
                return float(sign * tail.reached(0, np.array([sign * score]))[0])
        return float(np.interp(score, self.scores, self.ordered[0]))


def _distinct(ordered: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Return ascending values without repetition, each with the mean of its scores."""
    new = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > 0)
    if len(new) == len(ordered):
        return ordered, scores
    sizes = np.diff(np.append(new, len(ordered)))
    return ordered[new], np.add.reduceat(scores, new) / sizes
