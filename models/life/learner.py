"""Remaining life: hours until the next event, with what is known of how wrong such predictions were."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from models.anomaly.normal_by_regime import Alone, usual_alone
from models.columns import telling_columns
from models.judging.split import Fold
from models.learner import View, grouped
from models.life.lives import Lives
from models.life.outlook import Outlook
from models.life.reach import choose_reach
from models.life.trees import Growing, grow
from models.why.asked_parts import asked_parts
from models.why.parts import Parts

SEEDS = 2
TURNS = 160
HOUR = timedelta(hours=1)

Floats = NDArray[np.float64]


class RemainingLife:
    """Learns from lives that ended, and from those that went on; its level is the probability of an end in time.

    Trees predict the life up to a reach that is chosen on held-out machines; an outlook turns what they say
    into quantiles. The same settings serve every plant.

    Parameters
    ----------
    horizon : of the level

    Attributes
    ----------
    reach : hours up to which lives are told
    """

    def __init__(self, horizon: timedelta, *, seed: int = 0) -> None:
        self.horizon = horizon / HOUR
        self.seed = seed
        self.groups: tuple[str, ...] = ()
        self.held_out: Floats = np.empty(0)
        self._lives: Lives | None = None

    def told(self, lives: Lives) -> Self:
        """Take how long the machines of the training table lived, row by row."""
        self._lives = lives
        return self

    def fit(
        self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None = None
    ) -> Self:
        """Learn from the rows whose lives were told; ``folds`` keep machines apart.

        Raises
        ------
        NotEnoughDataError
            When no life ended by an event, or no row is known to lie farther than the horizon before one.
        """
        lives, self._lives = self._lives, None
        if lives is None or not lives.ended.any():
            raise NotEnoughDataError(
                "a remaining life is learnt from lives that ended, and in this history none did: use task = 'anomaly',"
                " which needs no failures"
            )
        if not (labels == 0).any():
            raise NotEnoughDataError(
                f"no window of this history is known to lie farther than the horizon of {self.horizon:g} h before a"
                " failure, so there is none to hold others against: choose a shorter horizon"
            )
        self.ended = len(np.unique(lives.life[lives.ended]))
        alive = np.flatnonzero(np.isfinite(lives.hours))
        self.groups, self.group_of_column = grouped(table.names)
        self.normal: Alone = usual_alone(table.where(labels == 0))
        self.columns = _telling(table.values[alive])
        values = table.values[:, self.columns]
        usable = [fold for fold in folds if lives.ended[fold.train].any()]
        views = [values] * len(usable)
        if view is not None:
            views = [seen[:, _telling(seen[alive])] for seen in (view(fold.train).values for fold in usable)]
        parts = [(fold, np.intersect1d(fold.train, alive), seen) for fold, seen in zip(usable, views, strict=True)]
        self.choice = choose_reach(
            lives, [(each.test, rows, seen) for each, rows, seen in parts], self.horizon, self.seed
        )
        self.reach = self.choice.hours
        wanted = [Growing(seen, rows, self.reach, 1, TURNS) for _, rows, seen in parts]
        self.trees, *others = grow(lives, [Growing(values, alive, self.reach, SEEDS, TURNS), *wanted], self.seed)
        predicted = np.full(len(table), np.nan)
        for (fold, _, seen), trees in zip(parts, others, strict=True):
            predicted[fold.test] = trees.hours(seen[fold.test])
        held = np.flatnonzero(np.isfinite(predicted) & np.isfinite(lives.hours))
        self.outlook = Outlook.untested(self.reach)
        if lives.ended[held].any():
            known, hours = lives.known_up_to(self.reach)[held], np.minimum(lives.hours[held], self.reach)
            self.outlook = Outlook.learn(predicted[held], hours, known, lives.life[held], self.reach)
        self.held_out = np.full(len(table), np.nan)
        told = np.isfinite(predicted)
        self.held_out[told] = self.outlook.probability(predicted[told], self.horizon)
        return self

    def card(self) -> dict[str, Any]:
        """Return what the model card says of how lives are told."""
        return {
            "reach": self.reach,
            "tried": list(self.choice.tried),
            "errors": list(self.choice.errors),
            "lives": self.outlook.lives,
            "ended": self.ended,
        }

    def level(self, table: FeatureTable) -> Floats:
        """Return the probability that life ends within the horizon, 1e-6 to 0.999."""
        return self.outlook.probability(self._predicted(table.values), self.horizon)

    def life(self, table: FeatureTable) -> Floats:
        """Return hours of life at each of ``LEVELS``, infinite beyond ``reach``; NaN where nothing degrades.

        Shape (n, n_levels).
        """
        predicted = self._predicted(table.values)
        quiet = self.outlook.quiet(predicted, self.horizon)
        return np.where(quiet[:, np.newaxis], np.nan, self.outlook.quantiles(predicted))

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the log-odds of each level when it leaves its normal."""
        return asked_parts("log-odds", self.level, table, self.normal.of(table), self.group_of_column, len(self.groups))

    def _predicted(self, values: Floats) -> Floats:
        return self.trees.hours(values[:, self.columns])


def _telling(values: Floats) -> NDArray[np.intp]:
    columns = telling_columns(values)
    # Nothing tells anything: a column of no information gives the mean life.
    return columns if len(columns) else np.zeros(1, dtype=np.intp)
