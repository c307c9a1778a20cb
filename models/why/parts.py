"""What makes a level: a base, and what each signal adds to it or takes from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ScaleName = Literal["log-odds", "rarity"]

LEAST_LEFT = 1e-12
"""What is left to 1 of the highest level that a scale tells apart."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where contributions add up: a rising function of the level, and its inverse.

    Attributes
    ----------
    score : levels, 0 to 1, to scores
    level : scores to levels
    unit : what a contribution of 1 is, in words
    """

    score: Callable[[Floats], Floats]
    level: Callable[[Floats], Floats]
    unit: str


def log_odds(level: Floats) -> Floats:
    """Return ln(p / (1 − p)).

    Examples
    --------
    >>> log_odds(np.array([0.5, 0.9])).round(3)
    array([0.   , 2.197])
    """
    bounded = np.clip(level, LEAST_LEFT, 1 - LEAST_LEFT)
    return np.log(bounded) - np.log1p(-bounded)


def rarity(level: Floats) -> Floats:
    """Return −ln(1 − level): how rare it is in healthy time to look as strange.

    Examples
    --------
    >>> rarity(np.array([0.0, 0.9, 0.999])).round(3) + 0.0
    array([0.   , 2.303, 6.908])
    """
    return -np.log(np.maximum(1 - level, LEAST_LEFT))


SCALES: Mapping[ScaleName, Scale] = {
    "log-odds": Scale(log_odds, lambda score: 1 / (1 + np.exp(-score)), "natural logarithm of the odds"),
    "rarity": Scale(rarity, lambda score: -np.expm1(-score), "natural logarithm of how rare it is in healthy time"),
}
"""Every scale by name."""


@dataclass(frozen=True)
class Parts:
    """The score of each row, taken apart: ``base`` plus the sum of what each group adds, to rounding.

    Attributes
    ----------
    scale : name of the scale on which they add up
    base : shape (n_rows,); the score of a machine at its normal. NaN where nothing can be said
    by_group : shape (n_rows, n_groups), signed; 0 where nothing can be said
    """

    scale: ScaleName
    base: Floats
    by_group: Floats

    @property
    def score(self) -> Floats:
        """What they add up to, shape (n_rows,)."""
        return self.base + self.by_group.sum(axis=1)

    def level_of(self, score: Floats) -> Floats:
        """Return the level of a score."""
        return SCALES[self.scale].level(score)

    @property
    def shares(self) -> Floats:
        """The part of what lifts each level that each group is, shape (n_rows, n_groups); what lowers it is none."""
        lifting = np.maximum(0.0, self.by_group)
        return lifting / np.maximum(lifting.sum(axis=1, keepdims=True), LEAST_LEFT)


def rescaled(scale: ScaleName, level: Floats, base: Floats, by_group: Floats, slope: Floats) -> Parts:
    """Return parts of a score as parts of the score of its calibrated level.

    A calibration rises with the score, so what adds up before it adds up after it when each part is stretched
    by the mean slope between base and score; by ``slope`` where both are one.

    Parameters
    ----------
    level, base : level of each row, and of the row at its normal, shape (n_rows,)
    by_group : what each group adds before the calibration, shape (n_rows, n_groups)
    slope : of the calibration at each row, in its scale; used where the parts sum to nothing

    References
    ----------
    The rule of Shrikumar, Greenside, Kundaje: Learning important features through propagating activation
    differences, ICML 2017, for a function of one variable.
    """
    score = SCALES[scale].score
    risen, whole = score(level) - score(base), by_group.sum(axis=1)
    tiny = np.abs(whole) < 1e-7
    stretch = np.where(tiny, slope, risen / np.where(tiny, 1.0, whole))
    parts = np.where(np.isfinite(stretch)[:, np.newaxis], by_group * stretch[:, np.newaxis], 0.0)
    return Parts(scale, score(level) - parts.sum(axis=1), parts)
