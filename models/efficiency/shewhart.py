"""The Shewhart chart: single points beyond a limit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import log_ndtr, ndtri

from models.efficiency.look import Floats, Look, checked


@dataclass(frozen=True, slots=True)
class Shewhart:
    """Signals a point that lies further from the centre than ``limit`` standard deviations.

    Quick at large shifts, slow at small ones: at one sigma it takes 44 points on average.

    Source: Shewhart, Economic Control of Quality of Manufactured Product (1931).

    Examples
    --------
    >>> Shewhart().look(np.array([0.0, 3.0, 3.1, -4.0])).side.tolist()
    [[0, 0, 1, -1]]
    """

    limit: float = 3.0
    rules: ClassVar[tuple[str, ...]] = ("one point beyond the limit",)

    def statistic(self, standardised: Floats) -> Floats:
        """Return the distance from the centre."""
        return np.abs(standardised)

    def look(self, standardised: Floats) -> Look:
        """Return which points lie beyond the limit."""
        points = checked(standardised)
        return Look.of_sides([points > self.limit], [points < -self.limit])


def log_run_length(distance: Floats) -> Floats:
    """Return the logarithm of the points to a false signal of limits at ±``distance``, of independent normal points.

    Examples
    --------
    >>> np.exp(log_run_length(np.array([3.0]))).round(1).tolist()
    [370.4]
    """
    return -(np.log(2.0) + log_ndtr(-np.asarray(distance)))


def limit_at(run_length: float) -> float:
    """Return the limit that independent normal points exceed once in ``run_length`` points.

    Examples
    --------
    >>> round(limit_at(370.4), 3)
    3.0
    """
    return float(-ndtri(0.5 / run_length))
