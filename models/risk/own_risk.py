"""A failure risk that is learnt by an estimator of the plant's own people; calibrated and explained as ours."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.normal_by_regime import Alone, usual_alone
from models.calibration import LOWEST, Probability
from models.columns import telling_columns
from models.judging.split import Fold
from models.labels.episodes import episodes_of
from models.labels.label import require_both
from models.learner import View, grouped
from models.own_estimator import Classifier, new_estimator, takes_missing
from models.why.asked_parts import asked_parts
from models.why.parts import Parts


class OwnRisk:
    """Learns from failures by an own estimator; its level is the probability of one within the horizon.

    Features that nobody knows take their normal value where the estimator takes no NaN.

    Parameters
    ----------
    model : name of the model, for messages
    estimator : dotted name of a class
    parameters : what it is made with
    """

    def __init__(self, model: str, estimator: str, parameters: Mapping[str, Any]) -> None:
        self.model = model
        self.estimator = estimator
        self.parameters = dict(parameters)
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
        PlantFileError
            When the estimator cannot be made, or fails on these rows.
        """
        require_both(labels)
        self.groups, self.group_of_column = grouped(table.names)
        known = np.flatnonzero(labels >= 0)
        log_odds = np.full(len(table), np.nan)
        for fold in folds:
            part = fold.train[labels[fold.train] >= 0]
            if len(np.unique(labels[part])) == 2 and len(fold.test):
                seen = table if view is None else view(fold.train)
                log_odds[fold.test] = _Fitted.to(self, seen, labels, part).log_odds(seen.where(fold.test))
        fitted = _Fitted.to(self, table, labels, known)
        self.normal, self.columns, self.fitted, self.fills = fitted.normal, fitted.columns, fitted.made, fitted.fills
        judged = np.isfinite(log_odds) & (labels >= 0)
        happened = labels[judged] == 1
        if happened.any() and not happened.all():
            episode = episodes_of(table, labels)
            rows_per_event = float(np.median(np.unique(episode[episode >= 0], return_counts=True)[1]))
            self.probability = Probability.learn(log_odds[judged], happened, rows_per_event)
        else:
            self.probability = Probability.untested(float(np.log((labels == 1).sum() / (labels == 0).sum())))
        self.held_out = np.where(np.isfinite(log_odds), self.probability(np.nan_to_num(log_odds)), np.nan)
        return self

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of an event within the horizon."""
        return self.probability(self._fitted().log_odds(table))

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the log-odds of each level when it leaves its normal."""
        return asked_parts("log-odds", self.level, table, self.normal.of(table), self.group_of_column, len(self.groups))

    def _fitted(self) -> "_Fitted":
        return _Fitted(self.normal, self.columns, self.fitted, self.fills)


class _Fitted:
    """An estimator fitted to some rows, with what stands for a missing value."""

    def __init__(self, normal: Alone, columns: NDArray[np.intp], made: Classifier, fills: bool) -> None:
        self.normal, self.columns, self.made, self.fills = normal, columns, made, fills

    @classmethod
    def to(cls, of: OwnRisk, table: FeatureTable, labels: NDArray[np.int8], rows: NDArray[np.intp]) -> Self:
        normal = usual_alone(table.where(rows[labels[rows] == 0]))
        columns = telling_columns(table.values[rows])
        # Nothing tells anything: a column of no information gives the base rate.
        columns = columns if len(columns) else np.zeros(1, dtype=np.intp)
        made = new_estimator(of.model, of.estimator, of.parameters)
        found = cls(normal, columns, made, fills=not takes_missing(made))
        part = table.where(rows)
        made.fit(found._values(part.values, normal.of(part)), labels[rows].astype(np.intp))
        return found

    def log_odds(self, table: FeatureTable) -> NDArray[np.float64]:
        if not len(table):
            return np.zeros(0)
        return self.log_odds_of(table.values, self.normal.of(table))

    def log_odds_of(self, values: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
        happens = int(np.flatnonzero(np.asarray(self.made.classes_) == 1)[0])
        share = np.asarray(self.made.predict_proba(self._values(values, usual)), dtype=np.float64)[:, happens]
        share = np.clip(share, LOWEST, 1 - LOWEST)
        return np.log(share) - np.log1p(-share)

    def _values(self, values: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.fills:
            values = np.nan_to_num(np.where(np.isnan(values), usual, values), nan=0.0)
        return values[:, self.columns]
