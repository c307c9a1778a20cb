"""A model of detectors: score, put on one scale, calibrate, compare."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from models.anomaly.deviations import Deviations, hours_of
from models.anomaly.ensemble import Ensemble
from models.anomaly.sharpening import Sharpening
from models.anomaly.usual import Usual
from models.calibration import HealthyTail
from models.detector import DETECTORS, Detector
from models.judging.split import Fold
from models.learner import View, grouped
from models.why.parts import Parts, rescaled

FEWEST_ROWS = 20
USUAL_DETECTORS = ("principal components",)
"""Those that watch a machine unless somebody names others."""
_BLOCKS = 5

Floats = NDArray[np.float64]


class AnomalyLevel:
    """Makes a model of detectors: its level is 1 − p, p the share of healthy time at least as strange.

    Parameters
    ----------
    detectors : names in ``DETECTORS``; the usual ones when empty
    """

    def __init__(self, detectors: Sequence[str] = ()) -> None:
        self.detectors = tuple(detectors) or USUAL_DETECTORS
        self.groups: tuple[str, ...] = ()
        self.held_out: Floats = np.empty(0)

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
        deviations = Deviations.learn(table.where(healthy), hours_of(table))
        self.usuals: tuple[Usual, ...] = (deviations.normal,)
        members = _fitted(self.detectors, table.where(healthy), deviations)
        known = np.where(healthy, 0, np.where(labels == 1, 1, -1)).astype(np.int8)
        self.sharpening = {name: Sharpening.of(member, table, known) for name, member in members.items()}
        members = self._sharpened(members, table.names)
        unseen, blocks = self._unseen_scores(table, healthy, folds, view)
        if _judged(unseen, healthy).sum() < FEWEST_ROWS:
            unseen, blocks = self._unseen_scores(table, healthy, _blocks_of(healthy), view)
        if _judged(unseen, healthy).sum() < FEWEST_ROWS:
            unseen = {name: member.score(table) for name, member in members.items()}
        judged = _judged(unseen, healthy)
        ensemble = Ensemble.of(members, {name: own[judged] for name, own in unseen.items()}, blocks[judged])
        if ensemble is None:
            raise NotEnoughDataError("no feature of this history ever changes; there is no normal behaviour to learn")
        self.fitted: Ensemble = ensemble
        scores = ensemble.combined(unseen)
        self.tail: HealthyTail = HealthyTail.learn(scores[judged], blocks[judged])
        self.held_out = self.tail(scores)
        return self

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return 1 − share of healthy time at least as strange; NaN where no feature is known."""
        return self.tail(self.fitted.score(table))

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the rarity of each level: the detectors' own parts of their score.

        They are stretched as the calibration stretches the whole; at its normal a machine is as usual as can be.
        """
        by_column = self.fitted.contributions(table)
        by_group = np.stack(
            [by_column[:, self.group_of_column == index].sum(axis=1) for index in range(len(self.groups))], axis=1
        )
        level = self.level(table)
        return rescaled("rarity", level, np.zeros(len(table)), by_group, np.zeros(len(table)))

    def _sharpened(self, members: Mapping[str, Detector], names: Sequence[str]) -> dict[str, Detector]:
        return {name: self.sharpening[name].on(member, names) for name, member in members.items()}

    def _unseen_scores(
        self, table: FeatureTable, healthy: NDArray[np.bool_], folds: Sequence[Fold], view: View | None
    ) -> tuple[dict[str, Floats], NDArray[np.intp]]:
        """Return scores by fits that have not seen the rows, and the number of each row's neighbourhood."""
        scores = {name: np.full(len(table), np.nan) for name in self.detectors}
        part = np.zeros(len(table), dtype=np.intp)
        for number, fold in enumerate(folds):
            train = fold.train[healthy[fold.train]]
            if len(train) >= FEWEST_ROWS // 2 and len(fold.test):
                seen = table if view is None else view(fold.train)
                own = seen.where(train)
                fitted = _fitted(self.detectors, own, Deviations.learn(own, hours_of(table)))
                members = self._sharpened(fitted, seen.names)
                for name, member in members.items():
                    scores[name][fold.test] = member.score(seen.where(fold.test))
                part[fold.test] = number + 1
        changes = np.r_[True, (table.machine[1:] != table.machine[:-1]) | (part[1:] != part[:-1])]
        return scores, np.cumsum(changes)


def _fitted(names: Sequence[str], healthy: FeatureTable, deviations: Deviations) -> dict[str, Detector]:
    return {name: DETECTORS[name]().fit(healthy, deviations) for name in names}


def _judged(unseen: Mapping[str, Floats], healthy: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each row whether it is healthy and some detector that had not seen it says something."""
    return healthy & np.any([np.isfinite(own) for own in unseen.values()], axis=0)


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
