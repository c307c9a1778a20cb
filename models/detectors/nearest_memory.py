"""How far a row lies from what it most resembles: auto-associative kernel regression on healthy rows."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.deviations import Deviations

_MEMORY = 250
_LEAST_WIDTH = 1e-6

Floats = NDArray[np.float64]


class NearestMemory:
    """Scores the squared difference of a row from the mean of the healthy rows that it resembles.

    It knows nothing of straight lines: where machines run in several ways, each is remembered as it
    is. A row like none that is remembered is compared with the nearest one.

    Rows are remembered evenly over their distance from normal, the lowest and highest of each feature
    first. The kernel is as wide as remembered rows typically are from each other.

    References
    ----------
    Hines, Garvey: Development and application of fault detectability performance metrics for
    instrument calibration verification and anomaly detection, J. Pattern Recognition Research 1, 2006.
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows."""
        self.deviations = deviations or Deviations.learn(table)
        strange, known = self.deviations.of(table)
        self.memory: Floats = _remembered(strange[known.any(axis=1)])
        self.width: float = _width(self.memory)
        return self

    def score(self, table: FeatureTable) -> Floats:
        """Return the mean squared difference over the features; NaN where no feature is known."""
        strange, known = self.deviations.of(table)
        return np.where(known.any(axis=1), self._parts(strange, known).sum(axis=1), np.nan)

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, shape (n_rows, n_names); none is below 0."""
        strange, known = self.deviations.of(table)
        return self.deviations.spread_out(self._parts(strange, known), table.values.shape[1])

    def _parts(self, strange: Floats, known: NDArray[np.bool_]) -> Floats:
        if not len(self.memory) or not strange.shape[1]:
            return np.zeros(strange.shape)
        distance = _squared(strange, self.memory)
        # The nearest one has a weight of 1, however far it is.
        weight = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / (2 * self.width))
        expected = weight @ self.memory / weight.sum(axis=1, keepdims=True)
        return np.where(known, (strange - expected) ** 2, 0.0) / strange.shape[1]


def _remembered(usual: Floats) -> Floats:
    """Return the rows to remember, at most about ``_MEMORY``."""
    if len(usual) <= _MEMORY:
        return usual
    # Equal distances in an order of their own, so that the order of the rows has no say.
    order = np.lexsort((*usual.T, (usual**2).sum(axis=1)))
    outermost = np.unique(np.r_[usual.argmin(axis=0), usual.argmax(axis=0)])[: _MEMORY // 2]
    evenly = order[np.linspace(0, len(order) - 1, _MEMORY - len(outermost)).astype(np.intp)]
    return usual[np.unique(np.r_[outermost, evenly])]


def _width(memory: Floats) -> float:
    """Return the median squared distance of remembered rows to their nearest neighbours."""
    if len(memory) < 2:
        return 1.0
    distance = _squared(memory, memory)
    np.fill_diagonal(distance, np.inf)
    return max(float(np.median(distance.min(axis=1))), _LEAST_WIDTH)


def _squared(rows: Floats, memory: Floats) -> Floats:
    """Return the squared distances of rows to remembered ones, shape (n_rows, n_memory)."""
    return np.maximum(0, (rows**2).sum(axis=1)[:, np.newaxis] + (memory**2).sum(axis=1) - 2 * rows @ memory.T)
