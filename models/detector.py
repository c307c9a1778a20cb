"""The contract of anomaly detectors, and what makes a model of one: score, calibrate, compare."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from models.calibration import HealthyTail
from models.detectors.principal_components import PrincipalComponents
from models.learner import View, grouped
from models.split import Fold
from models.why.parts import Parts, rescaled

FEWEST_ROWS = 20
_BLOCKS = 5


class Detector(Protocol):
    """Says how strange rows are; higher is stranger, and only the order counts."""

    def fit(self, table: FeatureTable) -> Self:
        """Learn from healthy rows."""
        ...

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the strangeness of each row; NaN where nothing can be said."""
        ...

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, (n_rows, n_names); may be below 0."""
        ...


DETECTORS: dict[str, Callable[[], Detector]] = {"principal components": PrincipalComponents}
"""Every detector by name."""


class AnomalyLevel:
    """Makes a model of a detector: its level is 1 − p, p the share of healthy time at least as strange."""

    def __init__(self, detector: str = "principal components") -> None:
        self.detector = detector
        self.groups: tuple[str, ...] = ()
        self.held_out: NDArray[np.float64] = np.empty(0)

    def fit(
        self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None = None
    ) -> Self:
        """Learn what is normal from rows labelled 0; others lie before or inside known events.

        Raises
        ------
        NotEnoughDataError
            With fewer than 20 healthy rows that hold a reading.
        """
        healthy = (labels == 0) & np.isfinite(table.values).any(axis=1)
        if healthy.sum() < FEWEST_ROWS:
            raise NotEnoughDataError(
                f"{healthy.sum()} windows of healthy time; normal behaviour is learnt from {FEWEST_ROWS} or more:"
                " wait for more readings, or choose a shorter stride"
            )
        self.groups, self.group_of_column = grouped(table.names)
        scores, blocks = self._unseen_scores(table, healthy, folds, view)
        judged = healthy & np.isfinite(scores)
        if judged.sum() < FEWEST_ROWS:
            scores, blocks = self._unseen_scores(table, healthy, _blocks_of(healthy), view)
            judged = healthy & np.isfinite(scores)
        self.fitted: Detector = DETECTORS[self.detector]().fit(table.where(healthy))
        if judged.sum() < FEWEST_ROWS:
            scores = self.fitted.score(table)
            judged = healthy & np.isfinite(scores)
        if not judged.any():
            raise NotEnoughDataError("no feature of this history ever changes; there is no normal behaviour to learn")
        self.tail: HealthyTail = HealthyTail.learn(scores[judged], blocks[judged])
        self.held_out = self.tail(scores)
        return self

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return 1 − share of healthy time at least as strange; NaN where no feature is known."""
        return self.tail(self.fitted.score(table))

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the rarity of each level: the detector's own parts of its score.

        They are stretched as the calibration stretches the whole; at its normal a machine is as usual as can be.
        """
        by_column = self.fitted.contributions(table)
        by_group = np.stack(
            [by_column[:, self.group_of_column == index].sum(axis=1) for index in range(len(self.groups))], axis=1
        )
        level = self.level(table)
        return rescaled("rarity", level, np.zeros(len(table)), by_group, np.zeros(len(table)))

    def shares(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the part of each score that each signal adds; what lowers the score counts as none."""
        return self.parts(table).shares

    def _unseen_scores(
        self, table: FeatureTable, healthy: NDArray[np.bool_], folds: Sequence[Fold], view: View | None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return scores by fits that have not seen the rows, and the number of each row's neighbourhood."""
        scores = np.full(len(table), np.nan)
        part = np.zeros(len(table), dtype=np.intp)
        for number, fold in enumerate(folds):
            train = fold.train[healthy[fold.train]]
            if len(train) >= FEWEST_ROWS // 2 and len(fold.test):
                seen = table if view is None else view(fold.train)
                fitted = DETECTORS[self.detector]().fit(seen.where(train))
                scores[fold.test] = fitted.score(seen.where(fold.test))
                part[fold.test] = number + 1
        changes = np.r_[True, (table.machine[1:] != table.machine[:-1]) | (part[1:] != part[:-1])]
        return scores, np.cumsum(changes)


def _blocks_of(healthy: NDArray[np.bool_]) -> list[Fold]:
    """Cut the healthy rows into contiguous blocks, each judged by a fit on the others but its neighbours' edges."""
    rows = np.flatnonzero(healthy)
    edges = np.linspace(0, len(rows), _BLOCKS + 1).astype(np.intp)
    gap = max(1, len(rows) // (4 * _BLOCKS))
    folds = []
    for low, high in pairwise(edges):
        kept = np.r_[rows[: max(0, low - gap)], rows[high + gap :]]
        folds.append(Fold(kept, rows[low:high]))
    return folds
