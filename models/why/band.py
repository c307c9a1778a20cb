"""What was expected of each signal, and the band that nine in ten healthy values lay in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.table import FeatureTable
from models.anomaly.usual import Usual, usual_of
from models.judging.split import Fold
from models.why.watched import watched

COVERED = 0.9
FEWEST = 50
"""Held-out healthy rows that a band is learnt from; with fewer, all healthy rows serve, which makes it too narrow."""

_MOST_ROWS = 20_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A signal over the last hours, against what was expected of it.

    Attributes
    ----------
    column : the feature that is shown, in the signal's unit
    time : shape (n,), window ends in UTC
    actual, expected, low, high : shape (n,); nine in ten healthy values lie between ``low`` and ``high``.
        NaN where nothing is known
    """

    signal: str
    column: str
    time: NDArray[np.datetime64]
    actual: Floats
    expected: Floats
    low: Floats
    high: Floats


@dataclass
class Band:
    """How far each signal strays from what is expected of it in healthy time that was not learnt from.

    Attributes
    ----------
    signals : those that are watched
    shown, compared : columns that stand for them, see ``Watched``
    low, high : shape (n_signals,), in the signal's unit: between them lie nine in ten of the differences
        between value and expected value
    held_out : how many rows that were not learnt from it rests on; 0 where there were too few
    """

    signals: tuple[str, ...]
    shown: tuple[str, ...]
    compared: tuple[str, ...]
    low: Floats
    high: Floats
    held_out: int

    @classmethod
    def learn(cls, table: FeatureTable, healthy: NDArray[np.bool_], folds: Sequence[Fold]) -> Self:
        """Learn from the healthy rows of folds that were not learnt from, each against the normal of the others.

        Parameters
        ----------
        table : as a learner sees it
        healthy : rows that are examples of normal, shape (n_rows,)
        """
        own = watched(table.names)
        names = [each.compared for each in own]
        context = [name for name in table.names if feature_in(name).tells == "context" and name not in names]
        columns = [table.names.index(name) for name in (*names, *context)]
        part = replace(table, names=(*names, *context), values=table.values[:, columns])
        away = [_away(part, fold.train[healthy[fold.train]], fold.test[healthy[fold.test]]) for fold in folds]
        held_out = np.concatenate([np.empty((0, len(columns))), *away])
        enough = len(held_out) >= FEWEST
        rows = np.flatnonzero(healthy)
        learnt = held_out if enough else _away(part, rows, rows)
        low, high = np.full((2, len(names)), np.nan)
        for place in range(len(names)):
            known = learnt[:, place][np.isfinite(learnt[:, place])]
            if len(known):
                low[place], high[place] = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
        return cls(
            tuple(each.signal for each in own),
            tuple(each.shown for each in own),
            tuple(names),
            low,
            high,
            len(held_out) if enough else 0,
        )

    def expectations(self, table: FeatureTable, normal: Usual, signals: Sequence[str]) -> list[Expectation]:
        """Return what was expected of some signals at each row of one machine.

        Parameters
        ----------
        table : as a learner sees it
        normal : of the same columns
        """
        away = table.values - normal.of(table)
        found = []
        for signal in signals:
            if signal not in self.signals:
                continue
            place = self.signals.index(signal)
            actual = table.values[:, table.names.index(self.shown[place])]
            expected = actual - away[:, table.names.index(self.compared[place])]
            low, high = expected + self.low[place], expected + self.high[place]
            found.append(Expectation(signal, self.shown[place], table.time, actual, expected, low, high))
        return found


def _away(table: FeatureTable, learnt: NDArray[np.intp], asked: NDArray[np.intp]) -> Floats:
    """Return how far rows lie from the normal of others, shape (n_asked, n_names)."""
    if not len(learnt) or not len(asked):
        return np.empty((0, len(table.names)))
    asked = asked[np.linspace(0, len(asked) - 1, min(len(asked), _MOST_ROWS)).astype(np.intp)]
    normal, rows = usual_of(table.where(learnt)), table.where(asked)
    return rows.values - normal.of(rows)
