"""Judge a model of conditions on pieces that it has not seen."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import ModelEntry, Plant
from models.conditions.deal import FOLDS, at_random, by_group
from models.conditions.learnt import SEED, learnt
from models.conditions.pieces import Pieces
from models.conditions.report import ConditionReport, Judged, prices_of
from models.judging.cut import TRAINING_SHARE
from models.judging.split import Fold
from models.moment import instant

Progress = Callable[[int, int], None]


def judge(
    entry: ModelEntry, plant: Plant, table: FeatureTable, pieces: Pieces, progress: Progress | None = None
) -> ConditionReport:
    """Learn from some pieces and judge on others, as the plant file's split says.

    By time, the model is the one that would have been trained at ``train_until``, and later pieces judge it. By
    machine and by group every piece is judged by a model that has seen none of its machine or group, and at random by
    one that has not seen the piece itself; then whatever neighbours have in common flatters, and the report says so.

    Raises
    ------
    NotEnoughDataError
        When no piece is left to judge on, or to learn from.
    """
    told = progress or (lambda done, total: None)
    dealt = deals(entry, table, pieces)
    prices = prices_of(entry, pieces.codes)
    count, done = sum(map(len, dealt)), 0
    judged = []
    for folds in dealt:
        shares = np.full((len(pieces), len(pieces.codes)), np.nan)
        said, usual = np.full(len(pieces), -1), np.full(len(pieces), -1)
        for fold in folds:
            usual[fold.test] = _usual(prices, pieces, fold)
            learner = learnt(entry, plant, table, pieces.where(fold.train))
            shares[fold.test] = learner.probabilities(table.where(pieces.rows[fold.test]))
            said[fold.test] = learner.said(shares[fold.test])
            done += 1
            told(done, count)
        seen = np.flatnonzero(said >= 0)
        judged.append(Judged(pieces.code[seen], shares[seen], said[seen], usual[seen]))
    return ConditionReport.of(entry, pieces, judged, min(len(fold.train) for folds in dealt for fold in folds))


def deals(entry: ModelEntry, table: FeatureTable, pieces: Pieces) -> list[list[Fold]]:
    """Return the folds of each time that pieces are dealt out.

    Raises
    ------
    NotEnoughDataError
        When no piece is left to judge on, or to learn from.
    """
    if entry.split == "random":
        return [at_random(pieces.code, FOLDS, SEED + 1 + number) for number in range(entry.condition.repeats)]
    if entry.split in ("group", "machine"):
        folds = by_group(pieces.code, pieces.group, FOLDS, SEED + 1)
        if len(folds) < 2:
            raise NotEnoughDataError(
                f"model '{entry.name}': all pieces are of one {entry.split}, so that none is left to judge on;"
                " write split = 'time'"
            )
        return [folds]
    return [[_by_time(entry, table.time[pieces.rows])]]


def _by_time(entry: ModelEntry, time: NDArray[np.datetime64]) -> Fold:
    cut = _cut(entry.train_until, time)
    fold = Fold(np.flatnonzero(time <= cut), np.flatnonzero(time > cut))
    if not len(fold.train) or not len(fold.test):
        which = "before" if not len(fold.train) else "after"
        raise NotEnoughDataError(
            f"model '{entry.name}': no piece was inspected {which} {np.datetime_as_string(cut, unit='s')};"
            f" they reach from {np.datetime_as_string(time.min(), unit='s')} to"
            f" {np.datetime_as_string(time.max(), unit='s')}"
        )
    return fold


def _cut(train_until: datetime | None, time: NDArray[np.datetime64]) -> np.datetime64:
    if train_until is not None:
        return instant(train_until)
    ordered = np.sort(time)
    return ordered[min(int(TRAINING_SHARE * len(ordered)), len(ordered) - 1)]


def _usual(prices: NDArray[np.float64], pieces: Pieces, fold: Fold) -> NDArray[np.intp]:
    """Return what would cost least to say of every piece alike, by those that were learnt from: the baseline."""
    return np.full(len(fold.test), prices[pieces.code[fold.train]].sum(axis=0).argmin())
