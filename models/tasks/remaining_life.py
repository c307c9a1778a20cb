"""Task ``remaining_life``: how many hours until the next event, with an interval."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.duration import format_duration
from ingest.plant import ModelEntry, Plant, Target
from models.bundle import Bundle
from models.finding import Evidence, FindingKind
from models.judging.ground import Rules
from models.judging.split import MOST_FOLDS, Fold, machine_folds
from models.judging.threshold import Choice, by_money
from models.labels.label import label, target_events
from models.learner import Learner
from models.life.life import Life, tells_life
from models.sentence import life_sentence


class LifeThatRemains:
    """Learns from lives that ended and from those that go on; see ``Task``."""

    words: ClassVar[str] = "remaining life"
    kind: ClassVar[FindingKind] = "failure ahead"
    limits: ClassVar[tuple[str, ...]] = (
        "It tells lives that end as those it learnt from did; a kind of failure that is new may come sooner.",
        "It says nothing while nothing degrades, and no more than 'longer than' beyond its reach.",
        "Intervals hold on average over machines of this class, not for each machine or each day.",
        "Hours count on as the machine is used; of one that stands still, less is used up.",
    )
    needs_events: ClassVar[bool] = True
    hides_operating: ClassVar[bool] = False
    diagnoses: ClassVar[bool] = False
    tells_probability: ClassVar[bool] = False
    doubts_one_signal: ClassVar[bool] = False

    def means(self, entry: ModelEntry) -> str:
        """Say what a level is, for a chart."""
        return f"probability of a failure within {format_duration(entry.horizon)}, by the remaining life"

    def judged_by(self, horizon: str, needed_lead: str, target: str) -> str:
        """Say in one sentence of the card which alerts are right."""
        return f"An alert may come up to {horizon} before a {target} and must come {needed_lead} before it."

    def labels(
        self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime
    ) -> NDArray[np.int8]:
        """Return whether an event begins within the horizon, as far as that is known."""
        return label(table, targets, entry.horizon, known_until)

    def learner(self, entry: ModelEntry) -> Learner:
        """Return trees that have learnt nothing yet."""
        # Only here: a server that serves must not wait for scikit-learn at its start.
        from models.life.learner import RemainingLife

        return RemainingLife(entry.horizon)

    def folds(self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime) -> list[Fold]:
        """Return folds of whole machines: rows of one life are no witnesses for each other."""
        del entry, known_until
        return machine_folds(table, targets, MOST_FOLDS)

    def threshold(
        self,
        entry: ModelEntry,
        plant: Plant,
        table: FeatureTable,
        held_out: NDArray[np.float64],
        events: pd.DataFrame,
        known_until: datetime,
        *,
        least: float = 0.0,
    ) -> Choice:
        """Choose where found, missed and false together cost least."""
        targets, failures = target_events(events, entry.target), target_events(events, Target())
        return by_money(plant.costs, table, held_out, targets, failures, Rules.of(entry, plant, known_until))

    def said(self, bundle: Bundle, row: FeatureTable, level: float, evidence: Sequence[Evidence]) -> tuple[str, str]:
        """Return what is foreseen, and how many hours are left."""
        entry, learner = bundle.entry, bundle.learner
        cause = entry.target.component or entry.target.code or str(entry.target.kind)
        life = Life.of(learner.life(row)[0], learner.reach) if tells_life(learner) else None
        return cause, life_sentence(entry, str(row.machine[0]), level, life, evidence)
