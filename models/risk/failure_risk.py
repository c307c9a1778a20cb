"""Probability that a failure begins within the horizon: gradient boosting, calibrated on unseen time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from features.table import FeatureTable
from models.anomaly.deviations import hours_of
from models.anomaly.usual import Usual, usual_of
from models.calibration import Probability
from models.columns import telling_columns
from models.judging.split import Fold
from models.labels.episodes import episodes_of
from models.labels.label import require_both
from models.learner import View, grouped
from models.risk.departures import Departures
from models.why.parts import Parts, log_odds, rescaled
from models.why.tree_parts import Leaves, tree_parts

SEEDS = 2
_MOST_NEGATIVES = 12_000
_MOST_POSITIVES = 6_000
_MOST_OF_NORMAL = 6_000
_MOST_ROWS_OF_ONE_EPISODE = 50
_POSITIVE_WEIGHT = 0.2
_BINS = 63
_A_LITTLE = 1e-3


class FailureRisk:
    """Learns from failures; its level is the probability of one within the horizon.

    Rows before one failure are no independent witnesses, so each failure counts alike, however
    many rows it has, and no leaf of a tree can be made of one failure alone. Beside the features the
    trees see how a machine departs from its normal (``Departures``). The same settings serve every plant.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self.groups: tuple[str, ...] = ()
        self.held_out: NDArray[np.float64] = np.empty(0)

    def fit(
        self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None = None
    ) -> Self:
        """Learn from labelled rows and calibrate on the folds' unseen rows.

        Raises
        ------
        NotEnoughDataError
            When no row, or every row, lies within the horizon of an event.
        """
        known = np.flatnonzero(labels >= 0)
        require_both(labels)
        self.normal: Usual = usual_of(table.where(labels == 0))
        self.departures = departures_of(table, labels, known)
        wide = self.departures.beside(table)
        self.groups, self.group_of_column = _groups(wide)
        self.columns = _telling(wide.values[known])
        values = wide.values[:, self.columns]
        episode = episodes_of(table, labels)
        usable = [fold for fold in folds if (labels[fold.train] == 1).any() and (labels[fold.train] == 0).any()]
        parts = [fold.train[labels[fold.train] >= 0] for fold in usable]
        views = []
        for fold, part in zip(usable, parts, strict=True):
            seen = table if view is None else view(fold.train)
            beside = departures_of(seen, labels, part).beside(seen).values
            views.append(beside[:, _telling(beside[known])])
        self.trees, *others = _grow(
            [Sample.of(part, labels, episode) for part in (known, *parts)], [values, *views], labels, self.seed
        )
        raw = np.full(len(table), np.nan)
        for fold, trees, own in zip(usable, others, views, strict=True):
            raw[fold.test] = trees.log_odds(own[fold.test])
        judged = np.isfinite(raw) & (labels >= 0)
        happened = labels[judged] == 1
        if happened.any() and not happened.all():
            rows_per_event = float(np.median(np.unique(episode[episode >= 0], return_counts=True)[1]))
            self.probability = Probability.learn(raw[judged], happened, rows_per_event)
        else:
            self.probability = Probability.untested(float(np.log((labels == 1).sum() / (labels == 0).sum())))
        self.held_out = np.where(np.isfinite(raw), self.probability(np.nan_to_num(raw)), np.nan)
        return self

    @property
    def usuals(self) -> tuple[Usual, ...]:
        """What it measures from."""
        return self.normal, self.departures.detector.deviations.normal

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of an event within the horizon, 1e-6 to 0.999."""
        return self.probability(self._log_odds(table))

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the log-odds of each level when it leaves its normal.

        They are Shapley values, exact over all signals at once (``tree_parts``), stretched as the calibration
        stretches the whole.
        """
        normal = replace(table, values=self.normal.of(table))
        here, usual = (self.departures.beside(each).values[:, self.columns] for each in (table, normal))
        raw, of_usual = self.trees.log_odds(here), self.trees.log_odds(usual)
        groups = len(self.groups)
        found = self.trees.parts(here, usual, self.group_of_column[self.columns], groups + 1)
        # What the surprise adds is added by the signals that surprise.
        member = np.equal.outer(self.group_of_column[: len(table.names)], np.arange(groups))
        by_group = found[:, :groups] + found[:, groups:] * (self.departures.shares(table) @ member)
        level, base = self.probability(raw), self.probability(of_usual)
        ahead, behind = (log_odds(self.probability(raw + side)) for side in (_A_LITTLE, -_A_LITTLE))
        return rescaled("log-odds", level, base, by_group, (ahead - behind) / (2 * _A_LITTLE))

    def _log_odds(self, table: FeatureTable) -> NDArray[np.float64]:
        return self.trees.log_odds(self.departures.beside(table).values[:, self.columns])


@dataclass(frozen=True)
class Sample:
    """Rows to learn from with their weights.

    Attributes
    ----------
    rows : positions in the table, ascending
    weights : of each row; every failure weighs alike, thinned healthy time weighs as if it were whole
    offset : log-odds that the weighting adds and that must be taken off again
    rows_of_an_episode : how many rows there are of one failure, median
    """

    rows: NDArray[np.intp]
    weights: NDArray[np.float64]
    offset: float
    rows_of_an_episode: float

    @classmethod
    def of(cls, part: NDArray[np.intp], labels: NDArray[np.int8], episode: NDArray[np.intp]) -> Self:
        """Choose rows of a part of the table that holds time before failures and healthy time."""
        healthy, before = part[labels[part] == 0], part[labels[part] == 1]
        names, inverse = np.unique(episode[before], return_inverse=True)
        most = int(np.clip(_MOST_POSITIVES // len(names), 3, _MOST_ROWS_OF_ONE_EPISODE))
        chosen = [_thin(before[inverse == index], most) for index in range(len(names))]
        kept = _thin(healthy, _MOST_NEGATIVES)
        share = max(_POSITIVE_WEIGHT, len(before) / len(part))
        total = len(kept) + sum(map(len, chosen))
        of_one = share * total / len(names)
        rows = np.concatenate([kept, *chosen])
        weights = np.concatenate(
            [np.full(len(kept), (1 - share) * total / len(kept)), *(np.full(len(c), of_one / len(c)) for c in chosen)]
        )
        offset = float(np.log(share / (1 - share)) - np.log(len(before) / len(healthy)))
        order = np.argsort(rows, kind="stable")
        return cls(rows[order], weights[order], offset, float(np.median([len(c) for c in chosen])))


@dataclass(frozen=True)
class Trees:
    """A fitted ensemble: bin edges of each column, one model per seed, log-odds to take off.

    Binned here and not by scikit-learn, whose weighted quantiles cost four times the growing of the trees.
    """

    edges: list[NDArray[np.float64]]
    models: list[HistGradientBoostingClassifier]
    offset: float

    def log_odds(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row, mean over the models."""
        if not len(values):
            return np.zeros(0)
        codes = _binned(values, self.edges)
        return np.mean([model.decision_function(codes) for model in self.models], axis=0) - self.offset

    def parts(
        self,
        values: NDArray[np.float64],
        usual: NDArray[np.float64],
        group_of_column: NDArray[np.intp],
        groups: int,
    ) -> NDArray[np.float64]:
        """Return what each group of columns adds to the log-odds of each row, against the usual ones."""
        trees = [tree.nodes for model in self.models for (tree,) in model._predictors]
        rows, usual = (_binned(each, self.edges) for each in (values, usual))
        return tree_parts(Leaves.of(trees), rows, usual, group_of_column, groups) / len(self.models)


def departures_of(table: FeatureTable, labels: NDArray[np.int8], part: NDArray[np.intp]) -> Departures:
    """Learn from the healthy rows of a part of the table."""
    return Departures.learn(table.where(_thin(part[labels[part] == 0], _MOST_OF_NORMAL)), hours_of(table))


def _groups(wide: FeatureTable) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the groups of the columns but the last, the surprise, which is one more group."""
    names, of_column = grouped(wide.names[:-1])
    return names, np.append(of_column, len(names))


def _telling(values: NDArray[np.float64]) -> NDArray[np.intp]:
    columns = telling_columns(values)
    # Nothing tells anything: a column of no information gives the base rate.
    return columns if len(columns) else np.zeros(1, dtype=np.intp)


def _thin(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _grow(
    samples: Sequence[Sample], views: Sequence[NDArray[np.float64]], labels: NDArray[np.int8], seed: int
) -> list[Trees]:
    """Fit an ensemble to each sample of its own view."""
    edges = [_bin_edges(values[sample.rows]) for sample, values in zip(samples, views, strict=True)]
    jobs = [
        joblib.delayed(_fit_one)(_binned(values[sample.rows], edge), labels[sample.rows], sample, seed + number)
        for sample, values, edge in zip(samples, views, edges, strict=True)
        for number in range(SEEDS)
    ]
    fitted = joblib.Parallel(n_jobs=-1, prefer="threads")(jobs)
    return [
        Trees(edge, fitted[index * SEEDS : (index + 1) * SEEDS], sample.offset)
        for index, (sample, edge) in enumerate(zip(samples, edges, strict=True))
    ]


def _fit_one(
    codes: NDArray[np.float64], labels: NDArray[np.int8], sample: Sample, seed: int
) -> HistGradientBoostingClassifier:
    leaf = int(np.clip(2 * sample.rows_of_an_episode, 20, max(20, len(codes) // 20)))
    model = HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.08,
        max_leaf_nodes=8,
        min_samples_leaf=leaf,
        l2_regularization=5.0,
        max_features=0.3,
        max_bins=_BINS,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1, user_api="openmp"):  # sums in a fixed order: the same model on any number of cores
        return model.fit(codes, labels, sample_weight=sample.weights)


def _bin_edges(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the edges that cut each column into at most ``_BINS`` parts of about as many rows."""
    cuts = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = []
    for column in values.T:
        known = np.sort(column[np.isfinite(column)])
        places = (cuts * len(known)).astype(np.intp)
        edges.append(np.unique((known[places - 1] + known[places]) / 2) if len(known) > 1 else np.empty(0))
    return edges


def _binned(values: NDArray[np.float64], edges: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the number of each value's bin; NaN stays NaN, but a column that was never known is all 0."""
    codes = np.zeros(values.shape)
    for index, edge in enumerate(edges):
        if len(edge):
            known = np.isfinite(values[:, index])
            codes[known, index] = np.searchsorted(edge, values[known, index])
            codes[~known, index] = np.nan
    return codes
