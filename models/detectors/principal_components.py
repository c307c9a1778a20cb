"""Robust principal components: far along the usual directions (T²) or off them (Q), as a whole and by signal."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.covariance import quadratic, shrunk_covariance
from models.anomaly.deviations import Deviations

_EXPLAINED = 0.9
_WINSOR = 5.0
_SHARES = np.array([1.0, 0.5, 0.2, 0.1, 0.05, 0.02])


@dataclass
class Block:
    """Features that are looked at together.

    Attributes
    ----------
    columns : positions among the detector's columns
    matrix : its distance is z · matrix · z, shape (n_columns, n_columns)
    knots : distances that these shares of healthy time exceed
    surprises : minus the logarithm of those shares
    """

    columns: NDArray[np.intp]
    matrix: NDArray[np.float64]
    knots: NDArray[np.float64]
    surprises: NDArray[np.float64]

    def surprise(self, strange: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return minus the logarithm of the share of healthy time that lies as far; straight on beyond the last knot.

        Distances are squares, so their tail is near an exponential one and a straight line fits it.
        """
        distance = quadratic(strange[:, self.columns], self.matrix)
        rise, run = self.surprises[-1] - self.surprises[-2], self.knots[-1] - self.knots[-2]
        beyond = np.maximum(0, distance - self.knots[-1]) * (rise / run)
        return np.interp(distance, self.knots, self.surprises) + beyond

    def parts(self, strange: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each of its features adds to the distance."""
        own = strange[:, self.columns]
        return own * (own @ self.matrix)


class PrincipalComponents:
    """Scores how far a row lies from normal, given how features usually move together.

    Every feature is measured as ``Deviations`` does, and a missing one counts as normal. A distance is
    T² + Q, each over its median in healthy time: T² is the distance within the directions that hold nine
    tenths of the variance, Q the squared distance from them. It is taken over all features, over those of
    each signal, and for each mean and spread alone, since a fault in one signal drowns in the noise of
    fifty. The score is the greatest surprise among them: minus the logarithm of the share of healthy time
    that lies as far.

    References
    ----------
    Yue, Qin: Reconstruction-based fault identification using a combined index, Ind. Eng. Chem. Res. 40, 2001.
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows.

        Parameters
        ----------
        table : at least one row
        """
        self.deviations = deviations or Deviations.learn(table)
        strange, known = self.deviations.of(table)
        self.blocks: list[Block] = []
        for columns in _groups(list(self.deviations.names)):
            matrix = _combined_index(np.clip(strange[:, columns], -_WINSOR, _WINSOR))
            distance = quadratic(strange[known[:, columns].any(axis=1)][:, columns], matrix)
            knots, first = np.unique(np.quantile(distance, 1 - _SHARES), return_index=True)
            if len(knots) > 1:
                self.blocks.append(Block(columns, matrix, knots, -np.log(_SHARES[first])))
        return self

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the greatest surprise of each row; NaN where no feature is known. Higher is stranger."""
        if not self.blocks or not len(table):
            return np.full(len(table), np.nan)
        strange, known = self.deviations.of(table)
        return np.where(known.any(axis=1), self._surprises(strange).max(axis=0), np.nan)

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, shape (n_rows, n_names); sums to the score.

        They are those of the block with the greatest surprise.
        """
        if not self.blocks or not len(table):
            return np.zeros((len(table), len(table.names)))
        strange, _ = self.deviations.of(table)
        parts, surprises = np.zeros(strange.shape), self._surprises(strange)
        winner = surprises.argmax(axis=0)
        for index in np.unique(winner):
            rows, block = np.flatnonzero(winner == index), self.blocks[index]
            own = block.parts(strange[rows])
            scale = surprises[index, rows] / np.maximum(own.sum(axis=1), 1e-12)
            parts[np.ix_(rows, block.columns)] = own * scale[:, np.newaxis]
        return self.deviations.spread_out(parts, len(table.names))

    def _surprises(self, strange: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([block.surprise(strange) for block in self.blocks])


def _groups(names: list[str]) -> list[NDArray[np.intp]]:
    """Return the positions of all columns, of each signal's, and of each level and spread alone."""
    signals = [signal_of(name) for name in names]
    by_signal = [[at for at, of in enumerate(signals) if of == signal] for signal in dict.fromkeys(signals)]
    alone = [
        [at]
        for at, (name, signal) in enumerate(zip(names, signals, strict=True))
        if signal and feature_in(name).tells in ("level", "spread")
    ]
    groups = {tuple(group): None for group in ([*range(len(names))], *by_signal, *alone) if group}
    return [np.array(group, dtype=np.intp) for group in groups]


def _combined_index(usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix whose quadratic form is T² + Q, each over its median; shape (n_columns, n_columns)."""
    width = usual.shape[1]
    variances, directions = np.linalg.eigh(shrunk_covariance(usual))
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), _EXPLAINED)) + 1
    inside = directions[:, :kept]
    matrix = np.zeros((width, width))
    for part in ((inside / variances[:kept]) @ inside.T, np.eye(width) - inside @ inside.T):
        middle = float(np.median(quadratic(usual, part)))
        if middle > 1e-9:
            matrix = matrix + part / middle
    return matrix
