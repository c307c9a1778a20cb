"""How far short windows have moved from the long ones behind them: a change, whatever the level was."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.deviations import Deviations

Floats = NDArray[np.float64]


class Shift:
    """Scores the signal that changes most: the mean squared deviation of its features that tell a trend.

    Those are differences between a short window and a longer one, and slopes: two windows that look at the
    same signal. A slow drift of the level passes unseen, a step of a small part of the usual range does not.
    A table without such features has no score.

    References
    ----------
    Basseville, Nikiforov: Detection of Abrupt Changes, 1993, chapter 2 (two-window comparisons).
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows."""
        self.deviations = deviations or Deviations.learn(table)
        trends = [at for at, name in enumerate(self.deviations.names) if feature_in(name).tells == "trend"]
        signals = [signal_of(self.deviations.names[at]) for at in trends]
        self.groups: list[NDArray[np.intp]] = [
            np.array([at for at, of in zip(trends, signals, strict=True) if of == signal], dtype=np.intp)
            for signal in dict.fromkeys(signals)
        ]
        return self

    def score(self, table: FeatureTable) -> Floats:
        """Return the mean square of the signal that changes most; NaN where no trend is known."""
        if not self.groups or not len(table):
            return np.full(len(table), np.nan)
        strange, known = self.deviations.of(table)
        return np.where(known.any(axis=1), self._squares(strange).max(axis=1), np.nan)

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, shape (n_rows, n_names): of the signal that changes most."""
        strange, _ = self.deviations.of(table)
        found = np.zeros(strange.shape)
        if self.groups and len(table):
            winner = self._squares(strange).argmax(axis=1)
            for number, own in enumerate(self.groups):
                rows = np.flatnonzero(winner == number)
                found[np.ix_(rows, own)] = strange[np.ix_(rows, own)] ** 2 / len(own)
        return self.deviations.spread_out(found, table.values.shape[1])

    def _squares(self, strange: Floats) -> Floats:
        return np.stack([(strange[:, own] ** 2).mean(axis=1) for own in self.groups], axis=1)
