"""Robust principal components: far along the usual directions (T²) or off them (Q)."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.columns import telling_columns
from models.normal import Normal, normal_of

_EXPLAINED = 0.9
_BEND = 4.0
_WINSOR = 5.0
_LEAST_FILLED = 0.2


class PrincipalComponents:
    """Scores how far a row lies from normal, given how features usually move together.

    Every feature is measured in robust standard deviations from the machine's own normal. The score
    is T² + Q, each over its median in healthy time: T² is the distance within the directions that
    hold nine tenths of the variance, Q the squared distance from them. Beyond four standard
    deviations a feature counts by its logarithm, so that one broken value cannot outshout a whole
    machine. A missing feature counts as normal.

    References
    ----------
    Yue, Qin: Reconstruction-based fault identification using a combined index, Ind. Eng. Chem. Res. 40, 2001.
    """

    def fit(self, table: FeatureTable) -> Self:
        """Learn from healthy rows.

        Parameters
        ----------
        table : at least one row
        """
        self.normal: Normal = normal_of(table)
        strange = self.normal.standardise(table)
        filled = np.isfinite(strange).mean(axis=0) >= _LEAST_FILLED
        telling = telling_columns(strange)
        self.columns: NDArray[np.intp] = telling[filled[telling] & (self.normal.spread[telling] > 0)]
        usual = np.clip(np.nan_to_num(strange[:, self.columns], nan=0.0), -_WINSOR, _WINSOR)
        rows, width = usual.shape
        self.matrix: NDArray[np.float64] = np.zeros((width, width))
        if not width:
            return self
        covariance = usual.T @ usual / rows
        # Few rows make directions look certain that are not: draw towards independent features.
        doubt = width / (width + rows)
        covariance = (1 - doubt) * covariance + doubt * np.diag(np.diag(covariance)) + 1e-9 * np.eye(width)
        variances, directions = np.linalg.eigh(covariance)
        variances, directions = variances[::-1], directions[:, ::-1]
        kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), _EXPLAINED)) + 1
        inside = directions[:, :kept]
        along = (inside / variances[:kept]) @ inside.T
        off = np.eye(width) - inside @ inside.T
        for part in (along, off):
            middle = float(np.median(_quadratic(usual, part)))
            if middle > 1e-9:
                self.matrix = self.matrix + part / middle
        return self

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return T² + Q of each row; NaN where no feature is known. Higher is stranger."""
        return np.where(self._known(table), _quadratic(self._bent(table), self.matrix), np.nan)

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, shape (n_rows, n_names); sums to the score."""
        strange = self._bent(table)
        parts = np.zeros((len(table), len(table.names)))
        parts[:, self.columns] = strange * (strange @ self.matrix)
        return parts

    def _known(self, table: FeatureTable) -> NDArray[np.bool_]:
        return np.isfinite(table.values[:, self.columns]).any(axis=1)

    def _bent(self, table: FeatureTable) -> NDArray[np.float64]:
        strange = np.nan_to_num(self.normal.standardise(table)[:, self.columns], nan=0.0)
        size = np.abs(strange)
        return np.sign(strange) * np.where(size > _BEND, _BEND * (1 + np.log(np.maximum(size, _BEND) / _BEND)), size)


def _quadratic(rows: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((rows @ matrix) * rows).sum(axis=1)
