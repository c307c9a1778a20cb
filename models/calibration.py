"""From scores to honest numbers: probabilities for classifiers, shares of healthy time for detectors."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 1e-6, 0.999
_HAIR = 0.001
"""Width of the band below the ceiling in which all that lies above keeps its order."""

_ENOUGH_FOR_TWO_SLOPES = 30
_FLATTEST = 0.02
_MOST_KNOTS = 5_000
_FEWEST_EXCEEDANCES = 10
_FARTHEST = 1e100


@dataclass(frozen=True)
class Probability:
    """Log-odds to calibrated probabilities, by beta calibration drawn towards the identity.

    logit p = below · ln s − above · ln(1 − s) + offset with s = sigmoid(log-odds). With equal slopes
    this is Platt's scaling in logit space; it never falls where the score rises.

    References
    ----------
    Kull, Silva Filho, Flach: Beta calibration, AISTATS 2017.
    """

    below: float = 1.0
    above: float = 1.0
    offset: float = 0.0
    events: float = math.inf

    @classmethod
    def learn(cls, log_odds: NDArray[np.float64], happened: NDArray[np.bool_], rows_per_event: float) -> Self:
        """Fit to held-out scores.

        Parameters
        ----------
        log_odds : array of shape (n,), held out
        happened : array of shape (n,)
        rows_per_event : how many rows speak of one event; they count as one, so that few events
            leave the curve near the identity
        """
        weight = 1 / max(1.0, rows_per_event)
        below, above = -np.logaddexp(0, -log_odds), np.logaddexp(0, log_odds)
        events = happened.sum() * weight
        two_slopes = events >= _ENOUGH_FOR_TWO_SLOPES

        def slopes(point: NDArray[np.float64]) -> tuple[float, float, float]:
            return point[0], point[1] if two_slopes else point[0], point[-1]

        def loss(point: NDArray[np.float64]) -> float:
            first, second, offset = slopes(point)
            z = first * below + second * above + offset
            likelihood = np.where(happened, np.logaddexp(0, -z), np.logaddexp(0, z)).sum() * weight
            return float(likelihood + 2 * (point[:-1] - 1) @ (point[:-1] - 1) + 0.05 * offset**2)

        from scipy.optimize import minimize  # only a fit needs it, and it takes long to import

        start = np.array([1.0, 1.0, 0.0] if two_slopes else [1.0, 0.0])
        bounds = [(_FLATTEST, 5.0)] * (len(start) - 1) + [(-20.0, 20.0)]
        first, second, offset = slopes(minimize(loss, start, bounds=bounds, method="L-BFGS-B").x)
        return cls(float(first), float(second), float(offset), float(events))

    @classmethod
    def untested(cls, base_log_odds: float) -> Self:
        """Return a curve that believes half of what a fit says beyond the base rate, for want of held-out events."""
        return cls(0.5, 0.5, 0.5 * base_log_odds, 0.0)

    def __call__(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities from 1e-6 to the ceiling.

        Examples
        --------
        >>> Probability()(np.array([-1.0, 0.0, 100.0])).round(3)
        array([0.269, 0.5  , 0.999])
        """
        z = -self.below * np.logaddexp(0, -log_odds) + self.above * np.logaddexp(0, log_odds) + self.offset
        ceiling = min(HIGHEST, 1 - 1 / (self.events + 2))
        probability = 1 / (1 + np.exp(-np.clip(z, -40, 40)))
        return np.interp(probability, [LOWEST, ceiling - _HAIR, 1.0], [LOWEST, ceiling - _HAIR, ceiling])


@dataclass
class HealthyTail:
    """Scores of healthy time to 1 − p, where p is the share of healthy time at least as strange.

    Up to ``start`` shares are counted; beyond, they follow a generalised Pareto distribution, so
    that even the strangest healthy hour is not called impossible. Neighbouring rows are not
    independent: the tail is fitted to the highest score of each run of rows above ``start``.

    Attributes
    ----------
    knots : ascending scores
    shares : share of healthy time at or above each knot
    start, beyond : score from which the fitted tail holds, and the share of time above it
    shape, scale : of the tail, shape between 0 (exponential) and 0.5
    """

    knots: NDArray[np.float64]
    shares: NDArray[np.float64]
    start: float
    beyond: float
    shape: float
    scale: float

    @classmethod
    def learn(cls, scores: NDArray[np.float64], blocks: NDArray[np.intp]) -> Self:
        """Fit to held-out scores of healthy rows.

        Parameters
        ----------
        scores : array of shape (n,), finite
        blocks : array of shape (n,), non-decreasing; rows of one block are neighbours in time
        """
        count = len(scores)
        ordered = np.sort(scores)
        exceedances = min(count // 2, max(_FEWEST_EXCEEDANCES, count // 50))
        start = float(ordered[count - 1 - exceedances]) if count > 1 else float(ordered[-1])
        above = scores > start
        fresh = above & ~(np.r_[False, above[:-1]] & np.r_[False, blocks[1:] == blocks[:-1]])
        runs = np.cumsum(fresh)[above] - 1
        peaks = np.zeros(runs.max() + 1 if len(runs) else 0)
        np.maximum.at(peaks, runs, scores[above] - start)
        shape, scale = _pareto(peaks, fallback=float(np.std(scores)) or 1.0)
        places = np.unique(np.linspace(0, count - 1, min(count, _MOST_KNOTS)).astype(np.intp))
        knots = np.unique(ordered[places])
        shares = (count - np.searchsorted(ordered, knots, side="left") + 1) / (count + 1)
        return cls(knots, shares, start, float((above.sum() + 1) / (count + 1)), shape, scale)

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1 − p of each score; NaN stays NaN."""
        return 1 - np.clip(np.exp(-self.surprise(scores)), 1e-12, 1.0)

    def surprise(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return minus the logarithm of p of each score, which has no upper bound; NaN stays NaN."""
        counted = -np.log(np.interp(scores, self.knots, np.maximum(self.shares, self.beyond)))
        excess = np.clip(scores - self.start, 0, self.scale * _FARTHEST) / self.scale
        far = np.log1p(self.shape * excess) / self.shape if self.shape > 0 else excess
        return np.where(np.isnan(scores), np.nan, np.where(scores > self.start, far - np.log(self.beyond), counted))


def _pareto(peaks: NDArray[np.float64], *, fallback: float) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution by probability-weighted moments."""
    peaks = np.sort(peaks[peaks > 0])
    if len(peaks) == 0:
        return 0.0, fallback
    mean = float(peaks.mean())
    if len(peaks) < _FEWEST_EXCEEDANCES:
        return 0.0, mean
    weight = 1 - (np.arange(1, len(peaks) + 1) - 0.35) / len(peaks)
    moment = float((weight * peaks).mean())
    shape = float(np.clip(2 - mean / (mean - 2 * moment), 0.0, 0.5)) if mean > 2 * moment else 0.5
    return shape, mean * (1 - shape)
