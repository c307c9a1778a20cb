"""The contract of tasks: what a model is asked for decides how it learns, when it speaks and what it says."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol

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


class Task(Protocol):
    """One thing that a plant file can ask of a model; its name there is its key in the table of tasks.

    Attributes
    ----------
    words : its name among people
    kind : of the findings it makes
    limits : sentences of the model card on what it cannot do
    needs_events : whether nothing can be learnt without events
    hides_operating : whether the signals that say how a machine is run are context only
    diagnoses : whether it says which component it is
    tells_probability : whether a level is the probability of an event within the horizon
    doubts_one_signal : whether nothing is raised about the machine where all rests on one signal, see ``LoneSignal``
    """

    words: ClassVar[str]
    kind: ClassVar[FindingKind]
    limits: ClassVar[tuple[str, ...]]
    needs_events: ClassVar[bool]
    hides_operating: ClassVar[bool]
    diagnoses: ClassVar[bool]
    tells_probability: ClassVar[bool]
    doubts_one_signal: ClassVar[bool]

    def means(self, entry: ModelEntry) -> str:
        """Say what a level is, for a chart: ``how strange the machine behaves``."""
        ...

    def judged_by(self, horizon: str, needed_lead: str, target: str) -> str:
        """Say in one sentence of the card which alerts are right."""
        ...

    def labels(
        self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime
    ) -> NDArray[np.int8]:
        """Return 1 (event within the horizon), 0 (none) or −1 (not to be learnt from) of each row."""
        ...

    def learner(self, entry: ModelEntry) -> Learner:
        """Return a learner that has learnt nothing yet."""
        ...

    def folds(self, entry: ModelEntry, table: FeatureTable, targets: pd.DataFrame, known_until: datetime) -> list[Fold]:
        """Return the folds that calibrate a model."""
        ...

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
        """Choose the level from which a machine is worth somebody's time; see ``models.judging.threshold``.

        Parameters
        ----------
        held_out : level of each row by a model that had not seen it, shape (n_rows,); NaN where there is none
        events : all that were known at ``known_until``
        """
        ...

    def said(self, bundle: Bundle, row: FeatureTable, level: float, evidence: Sequence[Evidence]) -> tuple[str, str]:
        """Return the cause and the sentence of one row, without the time to act before.

        Parameters
        ----------
        row : one row, as the bundle's learner sees it
        """
        ...
