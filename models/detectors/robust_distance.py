"""Distance from normal by a covariance that broken rows do not spoil."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.covariance import quadratic, robust_precision
from models.anomaly.deviations import Deviations


class RobustDistance:
    """Scores the squared Mahalanobis distance from normal over all features together.

    It sees what no feature shows alone: a combination that never came before. Where a fault moves one
    feature of fifty it is the weakest of the detectors.
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows."""
        self.deviations = deviations or Deviations.learn(table)
        self.precision = robust_precision(self.deviations.of(table)[0])
        return self

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the squared distance of each row over the number of features; NaN where none is known."""
        strange, known = self.deviations.of(table)
        width = strange.shape[1]
        return np.where(known.any(axis=1), quadratic(strange, self.precision) / max(width, 1), np.nan)

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, shape (n_rows, n_names)."""
        strange, _ = self.deviations.of(table)
        parts = strange * (strange @ self.precision) / max(strange.shape[1], 1)
        return self.deviations.spread_out(parts, table.values.shape[1])
