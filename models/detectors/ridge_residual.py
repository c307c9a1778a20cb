"""How far each signal lies from what the others let expect: a ridge regression of every feature."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.covariance import robust_precision
from models.anomaly.deviations import Deviations

Floats = NDArray[np.float64]


class RidgeResidual:
    """Scores the signal that is farthest from what the other signals let expect of it.

    The features of a signal are regressed on those of all other signals, each regression with the ridge
    that the shrunk covariance stands for. All of them follow from one precision matrix K: given the
    others, the features S of a signal have the residual K[S,S]⁻¹ (K z)[S] with the covariance
    K[S,S]⁻¹. The score is its squared distance over the number of those features, of the strangest signal.

    References
    ----------
    Lauritzen: Graphical Models, 1996, section 5.1 (regression from a precision matrix).
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows."""
        self.deviations = deviations or Deviations.learn(table)
        self.precision = robust_precision(self.deviations.of(table)[0])
        signals = [signal_of(name) for name in self.deviations.names]
        groups = [[at for at, of in enumerate(signals) if of == signal] for signal in dict.fromkeys(signals)]
        self.groups: list[NDArray[np.intp]] = [np.array(group, dtype=np.intp) for group in groups]
        self.covariances: list[Floats] = [
            np.asarray(np.linalg.inv(self.precision[np.ix_(own, own)]), dtype=np.float64) for own in self.groups
        ]
        return self

    def score(self, table: FeatureTable) -> Floats:
        """Return the largest squared distance of a signal's residual; NaN where no feature is known."""
        if not self.groups or not len(table):
            return np.full(len(table), np.nan)
        strange, known = self.deviations.of(table)
        return np.where(known.any(axis=1), np.max([part.sum(axis=1) for part in self._parts(strange)], axis=0), np.nan)

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, shape (n_rows, n_names): those of the strangest signal."""
        strange, _ = self.deviations.of(table)
        found = np.zeros(strange.shape)
        if self.groups and len(table):
            parts = self._parts(strange)
            winner = np.argmax([part.sum(axis=1) for part in parts], axis=0)
            for number, (own, part) in enumerate(zip(self.groups, parts, strict=True)):
                rows = np.flatnonzero(winner == number)
                found[np.ix_(rows, own)] = part[rows]
        return self.deviations.spread_out(found, table.values.shape[1])

    def _parts(self, strange: Floats) -> list[Floats]:
        """Return what each feature of each signal adds to the squared distance of the signal's residual."""
        pull = strange @ self.precision
        return [
            pull[:, own] * (pull[:, own] @ covariance) / len(own)
            for own, covariance in zip(self.groups, self.covariances, strict=True)
        ]
