"""How far a meter strays from what was expected while nothing is wrong: a band, by how much is expected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COVERS = 0.9
_MOST_PARTS = 4
_LEAST_IN_A_PART = 50


@dataclass(frozen=True, slots=True)
class Band:
    """Bounds of what is usual around an expected power, in kW.

    Residuals of periods that were not learnt from are sorted by what was expected of them; each part of them has its
    own quantiles, since a machine that runs strays further than one that stands.

    Attributes
    ----------
    upto : highest expected power of each part but the last, ascending
    below, above : of each part, what is added to the expected power for the lower and the upper bound
    """

    upto: Floats
    below: Floats
    above: Floats

    @classmethod
    def of(cls, expected: Floats, residual: Floats) -> "Band":
        """Learn a band; both arrays of shape (n,) in kW, NaN left out."""
        known = ~(np.isnan(expected) | np.isnan(residual))
        expected, residual = expected[known], residual[known]
        parts = int(np.clip(len(expected) // _LEAST_IN_A_PART, 1, _MOST_PARTS))
        upto = np.unique(np.quantile(expected, np.arange(1, parts) / parts)) if parts > 1 else np.empty(0)
        place = np.searchsorted(upto, expected, side="left")
        bounds = np.array([_quantiles(residual[place == each]) for each in range(len(upto) + 1)])
        return cls(upto, bounds[:, 0], bounds[:, 1])

    def around(self, expected: Floats) -> tuple[Floats, Floats]:
        """Return the lower and the upper bound of each period; power is never below nothing."""
        place = np.searchsorted(self.upto, np.nan_to_num(expected), side="left")
        return np.maximum(expected + self.below[place], 0.0), expected + self.above[place]


def _quantiles(residual: Floats) -> tuple[float, float]:
    """Return the quantiles between which a new one lies with the probability ``COVERS`` (split conformal)."""
    if not len(residual):
        return -np.inf, np.inf
    rank = min(1.0, (1 + COVERS) / 2 * (len(residual) + 1) / len(residual))
    return float(np.quantile(residual, 1 - rank)), float(np.quantile(residual, rank))
