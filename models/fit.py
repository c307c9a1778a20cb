"""Fit a model to a feature table: the one place that does, for use and for judging alike."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.plant import ModelEntry, Plant
from models.anomaly.corroboration import Corroboration
from models.anomaly.deviations import hours_of
from models.anomaly.usual import usual_of
from models.assess import reasons
from models.assessment import Reason, reason_counts
from models.bundle import Bundle
from models.context.context import Context
from models.judging.split import Fold, choose_row_folds
from models.labels.label import target_events
from models.learner import View
from models.life.life import tells_life
from models.life.lives import lives_of, renewals_of
from models.lone_signal import LoneSignal, least_threshold
from models.moment import instant, is_over, span
from models.registry.card import card_of
from models.risk.diagnosis import Diagnosis
from models.risk.horizons import Horizons, horizons_card
from models.tasks.table import task_of
from models.why.band import Band
from models.why.shape import Shapes
from models.why.similar import Episodes


def fit_bundle(
    entry: ModelEntry,
    plant: Plant,
    recipe: Recipe,
    table: FeatureTable,
    events: pd.DataFrame,
    known_until: datetime,
) -> Bundle:
    """Fit a model to a feature table: learner, calibration, threshold, normal values, diagnosis, card.

    Equal arguments give an equal bundle; no clock and no global random state has a say.

    Parameters
    ----------
    table : made by ``recipe``; rows that cannot be assessed are left out
    events : table with ``EVENT_COLUMNS``; nothing after ``known_until`` is looked at

    Raises
    ------
    NotEnoughDataError
        When there is nothing to learn from.
    """
    reason = reasons(table, recipe.windows[0])
    table = table.where(reason == Reason.OK.value)
    events = events[events["time"] <= pd.Timestamp(known_until)]
    targets = target_events(events, entry.target)
    targets = targets[targets["machine"].isin(set(table.machine))].reset_index(drop=True)
    task = task_of(entry)
    labels = task.labels(entry, table, targets, known_until)
    folds = task.folds(entry, table, targets, known_until)
    learner = task.learner(entry)
    if tells_life(learner):
        learner.told(lives_of(table, targets, renewals_of(events, entry.target, targets), known_until))
    told, healthy_rows, hidden = table, labels == 0, task.hides_operating
    context = Context.learn(recipe, told, healthy_rows, hide_operating=hidden)
    view: View | None = None
    if context is not None:
        table = context.applied(told)

        def view(rows: NDArray[np.intp]) -> FeatureTable:
            return _seen_from(recipe, told, healthy_rows, rows, hide_operating=hidden)

    learner = learner.fit(table, labels, folds, view)
    horizons, why_not = _horizons(entry, table, targets, known_until, view)
    healthy = table.where(labels == 0)
    normal = usual_of(healthy)
    shapes = Shapes.learn(healthy, normal, entry.horizon)
    episodes = Episodes.learn(table, events, entry.target.kind, entry.horizon, shapes, normal)
    choice = task.threshold(entry, plant, table, learner.held_out, events, known_until)
    lone = None
    if task.doubts_one_signal and (corroboration := Corroboration.learn(healthy, hours_of(table), normal)):
        sure = choice.value if task.tells_probability else float("inf")
        lone = LoneSignal(corroboration, entry.target.kind, choice.value, sure)
        if task.tells_probability:
            doubted = lone.doubted(learner.held_out, table, episodes, normal)
            least = min(choice.value, least_threshold(learner.held_out, doubted))
            left = np.where(doubted, 0.0, learner.held_out)
            choice = task.threshold(entry, plant, table, left, events, known_until, least=least)
    diagnosis = None
    if task.diagnoses and not entry.target.component:
        diagnosis = Diagnosis.learn(table, labels, targets, span(entry.horizon), normal, shapes)
    units = {signal.name: signal.unit for signal in plant.class_named(entry.machine_class).signals}
    return Bundle(
        entry=entry,
        recipe=recipe,
        learner=learner,
        threshold=float(np.float64(choice.value)),
        normal=normal,
        diagnosis=diagnosis,
        context=context,
        band=Band.learn(table, labels == 0, folds),
        episodes=episodes,
        horizons=horizons,
        lone=lone,
        units=units,
        time_zone=plant.time_zone,
        card=card_of(
            entry,
            plant,
            recipe,
            table=table,
            reasons=reason_counts(reason),
            labels=labels,
            targets=targets,
            learner=learner,
            diagnosis=diagnosis,
            context=None if context is None else context.card(units),
            horizons=None if horizons is None else horizons_card(horizons, why_not),
            choice=choice,
        ),
    )


def _seen_from(
    recipe: Recipe, table: FeatureTable, normal: NDArray[np.bool_], rows: NDArray[np.intp], *, hide_operating: bool
) -> FeatureTable:
    """Return a table as it is seen by one who has learnt of how machines run from some of its rows only."""
    context = Context.learn(recipe, table.where(rows), normal[rows], hide_operating=hide_operating)
    return table if context is None else context.applied(table)


def _horizons(
    entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime, view: View | None
) -> tuple[Horizons | None, dict[str, str]]:
    """Learn the horizons that are asked for beside the alert's; ``None`` where none is."""
    if not set(entry.horizons) - {entry.horizon}:
        return None, {}

    def within(horizon: timedelta) -> ModelEntry:
        return entry.model_copy(update={"horizon": horizon})

    def folds(horizon: timedelta) -> list[Fold]:
        over = is_over(table.time, horizon, instant(known_until))
        chosen = choose_row_folds(table, targets, horizon, entry.split)
        return [Fold(fold.train, fold.test[over[fold.test]]) for fold in chosen]

    return Horizons.learn(
        table,
        lambda horizon: task_of(entry).labels(within(horizon), table, targets, known_until),
        folds,
        lambda: task_of(entry).learner(entry),
        asked=entry.horizons,
        alert=entry.horizon,
        view=view,
    )
