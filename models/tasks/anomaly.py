"""Task ``anomaly``: how unlike its own normal a machine behaves; no failure need be known."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.plant import ModelEntry, Plant, Target
from models.anomaly.alarm_rate import AlarmRate
from models.bundle import Bundle
from models.finding import Evidence, FindingKind
from models.judging.ground import Rules
from models.judging.split import MOST_FOLDS, Fold, machine_folds, time_folds
from models.judging.threshold import Choice, by_budget
from models.labels.label import healthy, label, target_events
from models.learner import Learner
from models.sentence import anomaly_sentence, times_a_year

UNUSUAL = "unusual behaviour"
"""Cause of an anomaly: what it is about cannot be said yet."""


class Anomaly:
    """Learns from healthy time; see ``Task``."""

    words: ClassVar[str] = "anomaly"
    kind: ClassVar[FindingKind] = "anomaly"
    limits: ClassVar[tuple[str, ...]] = (
        "It says that a machine behaves unlike its past, not what is wrong and not that it will fail.",
        "A new product, set point or season looks strange until the model has learnt it.",
        "Faults that were present all through the training data count as normal.",
        "While the longest window still fills, after a start or a repair, it raises false alarms more easily.",
    )
    needs_events: ClassVar[bool] = False
    hides_operating: ClassVar[bool] = True
    diagnoses: ClassVar[bool] = False
    tells_probability: ClassVar[bool] = False
    doubts_one_signal: ClassVar[bool] = True

    def means(self, entry: ModelEntry) -> str:
        """Say what a level is, for a chart."""
        del entry
        return "how strange the machine behaves"

    def judged_by(self, horizon: str, needed_lead: str, target: str) -> str:
        """Say in one sentence of the card which alerts are right."""
        del needed_lead
        return f"Judged by whether it speaks within {horizon} before a {target}."

    def labels(
        self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime
    ) -> NDArray[np.int8]:
        """Return 0 of healthy rows, 1 of those within the horizon before an event, −1 of all others."""
        before = label(table, targets, entry.horizon, known_until) == 1
        normal = healthy(table, targets, entry.horizon, known_until)
        return np.where(normal, 0, np.where(before, 1, -1)).astype(np.int8)

    def learner(self, entry: ModelEntry) -> Learner:
        """Return detectors that have learnt nothing yet."""
        # Only here: a server that serves must not wait for scikit-learn at its start.
        from models.anomaly.level import AnomalyLevel

        return AnomalyLevel(entry.detectors)

    def folds(self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime) -> list[Fold]:
        """Return folds in time.

        A detector knows the machines that it watches, and folds by machine would hide them from it. Its
        chain in time begins at half the history: a detector that has seen a tenth finds everything
        strange, which would say nothing of the one that has seen it all.
        """
        del known_until
        if entry.split == "machine":
            return machine_folds(table, targets, MOST_FOLDS)
        return time_folds(table, targets.iloc[:0], entry.horizon, 2 * MOST_FOLDS - 1)[MOST_FOLDS - 1 :]

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
        """Choose where healthy machines raise no more alerts than the budget allows."""
        targets, failures = target_events(events, entry.target), target_events(events, Target())
        levels = np.where(healthy(table, targets, entry.horizon, known_until), held_out, np.nan)
        rules = Rules.of(entry, plant, known_until)
        return by_budget(entry.false_alarms_per_machine_year, table, levels, failures, rules)

    def said(self, bundle: Bundle, row: FeatureTable, level: float, evidence: Sequence[Evidence]) -> tuple[str, str]:
        """Return that it is unusual, in which signals, and how often a healthy machine is."""
        rate = AlarmRate.of_card(bundle.card)
        often = None if rate is None else times_a_year(rate(level), at_most=rate.beyond(level))
        return UNUSUAL, anomaly_sentence(str(row.machine[0]), level, evidence, often)
