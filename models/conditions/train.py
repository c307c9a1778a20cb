"""Train a model of conditions: judge it on pieces that it has not seen, fit it to all of them, make its bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import ModelEntry, Plant
from models.anomaly.normal_by_regime import usual_alone
from models.assess import reasons
from models.assessment import Reason, reason_counts
from models.believed import believed_table
from models.bundle import Bundle
from models.conditions.judge import judge
from models.conditions.learnt import learnt
from models.conditions.level import ConditionLevel
from models.conditions.pieces import Pieces
from models.conditions.report import ConditionReport, watermark
from models.judging.backtest import recipe_until
from models.judging.interval import wilson
from models.judging.known_history import KnownHistory
from models.judging.sufficiency import ENOUGH_FAILURES, Sufficiency
from models.judging.threshold import Choice
from models.labels.label import target_events
from models.registry.card import card_of

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Shop:
    """What there is to learn conditions from.

    Attributes
    ----------
    table : rows that can be assessed
    reasons : how many rows could be assessed (ok), or why not
    """

    recipe: Recipe
    table: FeatureTable
    pieces: Pieces
    events: pd.DataFrame
    reasons: dict[str, int]

    @classmethod
    def of(cls, plant: Plant, history: History, entry: ModelEntry, until: datetime | None = None) -> "Shop":
        """Read the history of a class up to a time.

        Raises
        ------
        NotEnoughDataError
            When nothing was read or inspected.
        """
        history = history if until is None else KnownHistory(history, until)
        spans = history.spans(entry.machine_class)
        machines = [machine for machine in plant.machines_of(entry.machine_class) if machine in spans]
        if not machines:
            raise NotEnoughDataError(
                f"model '{entry.name}': no readings of class '{entry.machine_class}'; ingest its files first"
            )
        end = until or max(spans[machine][1] for machine in machines)
        recipe = recipe_until(plant, history, entry, end)
        first = min(spans[machine][0] for machine in machines) - timedelta(microseconds=1)
        events = history.events(machines=machines, kinds=["inspection"], end=end)
        table = believed_table(recipe, plant.class_named(entry.machine_class), history, machines, first, end).table
        reason = reasons(table, recipe.windows[0])
        table = table.where(reason == Reason.OK.value)
        return cls(recipe, table, Pieces.of(entry, table, events), events, reason_counts(reason))


def judge_conditions(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    *,
    until: datetime | None = None,
    progress: Progress | None = None,
) -> ConditionReport:
    """Judge a model of conditions on the past up to a time, as its split says.

    Raises
    ------
    NotEnoughDataError
        When there is nothing to learn from or to judge on.
    """
    shop = Shop.of(plant, history, entry, until)
    return judge(entry, plant, shop.table, shop.pieces, judging(progress))


def condition_bundle(entry: ModelEntry, plant: Plant, shop: Shop, judged: ConditionReport | None) -> Bundle:
    """Fit a model of conditions to all pieces; equal arguments give an equal bundle."""
    pieces, own = shop.pieces, shop.table.where(shop.pieces.rows)
    learner = learnt(entry, plant, shop.table, pieces)
    choice = _threshold(entry, learner)
    targets = target_events(shop.events, entry.target)
    card = card_of(
        entry,
        plant,
        shop.recipe,
        table=own,
        reasons=shop.reasons,
        labels=(pieces.code >= pieces.good).astype(np.int8),
        targets=targets,
        learner=learner,
        diagnosis=None,
        choice=choice,
    )
    codes = np.bincount(pieces.code, minlength=len(pieces.codes)).tolist()
    found: dict[str, Any] = {
        "codes": dict(zip(pieces.codes, codes, strict=True)),
        "good": list(pieces.codes[: pieces.good]),
        "members": learner.believed,
        "judged": None if judged is None else judged.to_dict(),
    }
    return Bundle(
        entry=entry,
        recipe=shop.recipe,
        learner=learner,
        threshold=float(choice.value),
        normal=usual_alone(own.where(pieces.code < pieces.good)),
        units={signal.name: signal.unit for signal in plant.class_named(entry.machine_class).signals},
        time_zone=plant.time_zone,
        card={**card, "conditions": found, **({"watermark": mark} if (mark := watermark(entry)) else {})},
    )


def evidence_of(entry: ModelEntry, pieces: Pieces) -> Sufficiency:
    """Say whether there are enough pieces of the rarer kind for a claim."""
    bad = int((pieces.code >= pieces.good).sum())
    rarer, machines = min(bad, len(pieces) - bad), 1
    what = f"{len(pieces):,} inspected pieces, {bad:,} of them not good"
    if rarer < ENOUGH_FAILURES:
        at_best = wilson(rarer, rarer).percent() if rarer else "not known"
        claim = (
            f"{what}; from {ENOUGH_FAILURES} of each kind on a claim holds. Even if all are told, {rarer} of {rarer} is"
            f" {at_best}; a person must promote it."
        )
        return Sufficiency(rarer, machines, False, claim)
    return Sufficiency(rarer, machines, True, f"{what}: enough to learn from.")


def _threshold(entry: ModelEntry, learner: ConditionLevel) -> Choice:
    """Return the level from which saying "not good" is cheaper; an even chance where no mistake has a price."""
    count = int(np.isfinite(learner.held_out).sum())
    if not entry.condition.mistakes or len(learner.codes) != 2:
        return Choice(0.5, "more likely than not", "more likely not good than good", count)
    value, alarm, missed = learner.break_even()
    why = f"a needless look costs {alarm:g} and a missed one {missed:g}"
    return Choice(value, "price of mistakes", why, count)


def judging(progress: Progress | None) -> Callable[[int, int], None] | None:
    """Return what tells how many of the parts have been judged."""
    if progress is None:
        return None
    return lambda done, total: progress("judging on unseen pieces", done, total)
