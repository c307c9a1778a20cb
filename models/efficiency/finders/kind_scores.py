"""Scores of lengths, each against its own kind: change-overs against their kind's, cycles against their product's."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.finders.rise import Flags, Floats, Places, robust_variance, weighted_median

_LEAST_OF_A_KIND = 3
_LEAST_SPREAD = 0.002
_MEDIAN = 1.57
"""Variance of a median over that of a mean, of normal values."""


@dataclass(frozen=True)
class KindScores:
    """Scores of the logs of lengths; how far they stray is learnt of all kinds together.

    Attributes
    ----------
    lengths : shape (n,), above 0
    kind : what each is held against, shape (n,)
    weights : one over the variance of each, but for a factor, shape (n,), above 0
    follows : whether each can resemble the one before it, shape (n,)
    pooled : whether kinds resemble each other, so that one that is rare is held against all; else nothing is said of it
    """

    lengths: Floats
    kind: NDArray[np.object_]
    weights: Floats
    follows: Flags
    pooled: bool

    def __len__(self) -> int:
        return len(self.lengths)

    def usual(self, usual: Places) -> Floats:
        """Return the usual length of each: the weighted median of its kind, NaN where nothing is usual."""
        return np.exp(self._usual(usual)[0])

    def against(self, usual: Places) -> Floats:
        """Return by how many standard deviations the log of each is above that of its kind."""
        middle, error = self._usual(usual)
        over = (np.log(self.lengths) - middle) * np.sqrt(self.weights)
        known = over[usual][~np.isnan(over[usual])]
        if not len(known):
            return np.zeros(len(self))
        spread = max(math.sqrt(robust_variance(known)), _LEAST_SPREAD)
        return np.nan_to_num(over / (spread * np.sqrt(1 + self.weights * error)))

    def _usual(self, usual: Places) -> tuple[Floats, Floats]:
        """Return the log of the usual length of each, and its variance in units of that of a value of weight one."""
        logs, weights = np.log(self.lengths), self.weights
        middle, error = np.full(len(self), np.nan), np.zeros(len(self))
        kinds = {kind: usual[self.kind[usual] == kind] for kind in set(self.kind[usual])}
        known = {kind: own for kind, own in kinds.items() if len(own) >= _LEAST_OF_A_KIND}
        medians = {kind: weighted_median(logs[own], weights[own]) for kind, own in known.items()}
        strays = {kind: _MEDIAN / float(weights[own].sum()) for kind, own in known.items()}
        every, apart = 0.0, math.inf
        if self.pooled and len(usual):
            every = weighted_median(logs[usual], weights[usual])
            apart = self._apart(medians, strays, known, every)
            middle[:], error[:] = every, _MEDIAN / float(weights[usual].sum())
        for kind, median in medians.items():
            own = 1.0 if apart == math.inf else apart / (apart + strays[kind])
            middle[self.kind == kind] = every + own * (median - every)
            error[self.kind == kind] += own * strays[kind]
        return middle, error

    def _apart(
        self, medians: dict[object, float], strays: dict[object, float], known: dict[object, Places], every: float
    ) -> float:
        """Return how far kinds differ beyond the chance of their medians, as ``strays``: few of a kind say little.

        Source: Morris, Parametric empirical Bayes inference, Journal of the American Statistical Association 78 (1983).
        """
        if len(medians) < 2:
            return math.inf
        within = np.concatenate(
            [(np.log(self.lengths[own]) - medians[kind]) * np.sqrt(self.weights[own]) for kind, own in known.items()]
        )
        free = max(len(within) - len(medians), 1) / len(within)
        unit = max(robust_variance(within) / free, _LEAST_SPREAD**2)
        between = float(np.mean([(median - every) ** 2 / unit - strays[kind] for kind, median in medians.items()]))
        return max(between, 1e-6)
