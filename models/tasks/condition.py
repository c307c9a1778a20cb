"""Task ``condition``: what an inspection of a piece, a cycle or a machine would record."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.plant import ModelEntry, Plant
from models.bundle import Bundle
from models.finding import Evidence, FindingKind
from models.judging.split import Fold
from models.judging.threshold import Choice
from models.learner import Learner
from models.sentence import condition_sentence


class Condition:
    """Learns from inspected pieces, each a row of its own; see ``Task``.

    It is trained and judged piece by piece, by ``models.conditions.train``: there is no horizon, and no time before
    an event.
    """

    words: ClassVar[str] = "condition"
    kind: ClassVar[FindingKind] = "condition"
    limits: ClassVar[tuple[str, ...]] = (
        "A condition that no inspection ever recorded cannot be told.",
        "It knows pieces as they were made and inspected in the training data: another product, tool or way of"
        " inspecting is foreign to it.",
        "Probabilities hold while good and bad pieces come about as often as they did.",
    )
    needs_events: ClassVar[bool] = True
    hides_operating: ClassVar[bool] = False
    diagnoses: ClassVar[bool] = False
    tells_probability: ClassVar[bool] = False
    doubts_one_signal: ClassVar[bool] = False

    def means(self, entry: ModelEntry) -> str:
        """Say what a level is, for a chart."""
        watched = ", ".join(entry.condition.watched)
        return f"probability that an inspection would record {watched or 'something that is not good'}"

    def judged_by(self, horizon: str, needed_lead: str, target: str) -> str:
        """Say in one sentence of the card what it is judged by."""
        del needed_lead
        return f"It tells what is, {horizon} ahead: judged by what a {target} recorded of pieces that it had not seen."

    def labels(
        self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime
    ) -> NDArray[np.int8]:
        """Return 0 of rows that were inspected and found good, 1 of those that were not, −1 of all others."""
        from models.conditions.pieces import Pieces

        events = pd.DataFrame(
            {
                "machine": targets["machine"],
                "time": targets["begin"],
                "kind": entry.target.kind,
                "component": entry.target.component,
                "code": [codes[0] if codes else "" for codes in targets["codes"]],
            }
        )
        pieces = Pieces.of(entry.model_copy(update={"split": "time"}), table, events[targets["begin"] <= known_until])
        labels = pieces.labels(len(table))
        return np.where(labels < 0, -1, (labels >= pieces.good).astype(np.int8)).astype(np.int8)

    def learner(self, entry: ModelEntry) -> Learner:
        """Return a learner of good and not good that has learnt nothing yet."""
        # Only here: a server that serves must not wait for scikit-learn at its start.
        from models.conditions.level import ConditionLevel

        del entry
        return ConditionLevel(["good", "not good"], 1)

    def folds(self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime) -> list[Fold]:
        """Return stretches of time, each held out once."""
        from models.conditions.deal import FOLDS, in_time

        del entry, targets, known_until
        return in_time(table.time, FOLDS)

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
        """Speak of what is more likely not good than good."""
        del entry, plant, table, held_out, known_until
        return Choice(0.5, "more likely than not", "more likely not good than good", len(events))

    def said(self, bundle: Bundle, row: FeatureTable, level: float, evidence: Sequence[Evidence]) -> tuple[str, str]:
        """Return what would be recorded, and how likely anything that is not good is."""
        from models.conditions.level import ConditionLevel

        target, code = bundle.entry.target, ""
        if isinstance(bundle.learner, ConditionLevel):
            code = bundle.learner.worst(row)
        about = " ".join(filter(None, (target.component, code)))
        return about or target.kind, condition_sentence(str(row.machine[0]), target.component, code, level, evidence)
