"""Task ``failure_risk``: the probability that an event begins within the horizon."""

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
from models.judging.split import Fold, choose_folds
from models.judging.threshold import Choice, by_money
from models.labels.label import label, target_events
from models.learner import Learner
from models.moment import instant, is_over
from models.sentence import TrackRecord, failure_sentence


class RiskOfFailure:
    """Learns from failures; see ``Task``."""

    words: ClassVar[str] = "failure risk"
    kind: ClassVar[FindingKind] = "failure ahead"
    limits: ClassVar[tuple[str, ...]] = (
        "A kind of failure that never happened in the training data cannot be foreseen.",
        "Failures that gave no sign in these signals, or less warning than one assessment, are missed.",
        "Probabilities hold for machines of this class that are run as they were in the training data.",
    )
    needs_events: ClassVar[bool] = True
    hides_operating: ClassVar[bool] = False
    diagnoses: ClassVar[bool] = True
    tells_probability: ClassVar[bool] = True
    doubts_one_signal: ClassVar[bool] = True

    def means(self, entry: ModelEntry) -> str:
        """Say what a level is, for a chart."""
        return f"probability of a failure within {format_duration(entry.horizon)}"

    def judged_by(self, horizon: str, needed_lead: str, target: str) -> str:
        """Say in one sentence of the card which alerts are right."""
        return f"An alert may come up to {horizon} before a {target} and must come {needed_lead} before it."

    def labels(
        self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime
    ) -> NDArray[np.int8]:
        """Return whether an event begins within the horizon, as far as that is known."""
        return label(table, targets, entry.horizon, known_until)

    def learner(self, entry: ModelEntry) -> Learner:
        """Return trees, or what the entry names in their place, that have learnt nothing yet."""
        # Only here: a server that serves must not wait for scikit-learn at its start.
        from models.risk.failure_risk import FailureRisk
        from models.risk.own_risk import OwnRisk

        if entry.estimator:
            return OwnRisk(entry.name, entry.estimator, entry.estimator_parameters)
        return FailureRisk()

    def folds(self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime) -> list[Fold]:
        """Return folds whose tests hold only rows with a whole horizon that was observed."""
        over = is_over(table.time, entry.horizon, instant(known_until))
        folds = choose_folds(table, targets, entry.horizon, "machine" if entry.split == "machine" else "time")
        return [Fold(fold.train, fold.test[over[fold.test]]) for fold in folds]

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
        rules, most = Rules.of(entry, plant, known_until), entry.most_false_alarms_per_machine_year
        return by_money(plant.costs, table, held_out, targets, failures, rules, most, least)

    def said(self, bundle: Bundle, row: FeatureTable, level: float, evidence: Sequence[Evidence]) -> tuple[str, str]:
        """Return the component, or what is foreseen, and how likely it is."""
        entry, component = bundle.entry, _component(bundle, row)
        cause = component or entry.target.component or entry.target.code or str(entry.target.kind)
        return cause, failure_sentence(entry, str(row.machine[0]), component, level, _record(bundle), evidence)


def _component(bundle: Bundle, row: FeatureTable) -> str:
    if bundle.entry.target.component or bundle.diagnosis is None:
        return bundle.entry.target.component
    return bundle.diagnosis.named(row)[0]


def _record(bundle: Bundle) -> TrackRecord | None:
    judged = bundle.card.get("judged") or {}
    record = judged.get("track_record")
    return TrackRecord(int(record["right"]), int(record["alerts"])) if record else None
