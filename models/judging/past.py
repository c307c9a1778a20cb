"""The history of a class of machines as a backtest sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import ModelEntry, Plant, Target
from models.baselines.calendar import Spans
from models.judging.cut import cut
from models.judging.sufficiency import sufficiency
from models.labels.label import target_events
from models.moment import instant, instants, span
from models.rows import machine_rows


@dataclass(frozen=True, slots=True)
class Past:
    """What there is to learn from and to judge by.

    Attributes
    ----------
    machines : those of the class that have readings, in the order of the plant file
    spans : first and newest reading of each machine
    events, targets, failures : all events, those to foresee, and all failures
    start, end : the judged span, (start, end]
    newest : up to when all events are known
    evidence : what may be claimed on the events of the training part
    rounds : moments at which machines are looked at; ``None`` for the end of every window
    """

    plant: Plant
    history: History
    entry: ModelEntry
    machines: tuple[str, ...]
    spans: dict[str, tuple[datetime, datetime]]
    events: pd.DataFrame
    targets: pd.DataFrame
    failures: pd.DataFrame
    start: datetime
    end: datetime
    newest: datetime
    evidence: str
    rounds: NDArray[np.datetime64] | None = None

    @classmethod
    def of(
        cls,
        plant: Plant,
        history: History,
        entry: ModelEntry,
        start: datetime | None,
        end: datetime | None,
        rounds: Sequence[datetime] | None = None,
    ) -> "Past":
        """Look up what the history holds, and say if that is too little.

        Raises
        ------
        NotEnoughDataError
            When a part is empty or there is no event to learn from.
        """
        spans = history.spans(entry.machine_class)
        machines = tuple(each for each in plant.teachers_of(entry.machine_class) if each in spans)
        if not machines:
            raise NotEnoughDataError(
                f"model '{entry.name}': no readings of class '{entry.machine_class}'; ingest its files first"
            )
        first, newest = min(spans[each][0] for each in machines), max(spans[each][1] for each in machines)
        by_time = entry.split == "time"
        end = end or newest
        if start is None and by_time:
            start = entry.train_until or cut(history, entry.machine_class, machines, first, newest)
        start = start or first - timedelta(microseconds=1)
        if start >= end or (by_time and start <= first) or start >= newest:
            raise NotEnoughDataError(
                f"model '{entry.name}': nothing to judge from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M};"
                f" readings reach from {first:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M}, and some must come before"
            )
        events = history.events(machines=machines)
        targets = target_events(events, entry.target)
        learnt = start if by_time else end
        evidence = sufficiency(entry, targets, spans, learnt).claim
        failures = target_events(events, Target())
        return cls(
            plant,
            history,
            entry,
            machines,
            spans,
            events,
            targets,
            failures,
            start,
            end,
            max(newest, end),
            evidence,
            None if rounds is None else np.array([instant(each) for each in rounds], dtype="datetime64[us]"),
        )

    def after_baseline(self, test: FeatureTable) -> FeatureTable:
        """Leave out the time that a machine's own normal was learnt from."""
        return test if self.entry.baseline is None else test.where(self.is_after_baseline(test))

    def is_after_baseline(self, test: FeatureTable) -> NDArray[np.bool_]:
        """Say of which rows it is not the time that a machine's own normal was learnt from."""
        own = np.ones(len(test), dtype=bool)
        if self.entry.baseline is None:
            return own
        for machine, rows in machine_rows(test.machine).items():
            own[rows] = test.time[rows] > instant(self.spans[machine][0] + self.entry.baseline)
        return own

    def watched(self, test: FeatureTable) -> Spans:
        """Return the judged span of each machine that has rows."""
        start, end = instant(self.start), instant(self.end)
        watched = {}
        for machine in machine_rows(test.machine):
            first, newest = (instant(moment) for moment in self.spans[machine])
            if self.entry.baseline is not None:
                first = first + span(self.entry.baseline)
            watched[machine] = (max(first, start), min(newest, end))
        return watched

    def targets_of(self, watched: Spans) -> pd.DataFrame:
        """Return the events of watched machines about which an alert in the judged span could be."""
        begin, end = instants(self.targets["begin"]), instants(self.targets["end"])
        inside = (end > instant(self.start)) & (begin - span(self.entry.horizon) <= instant(self.end))
        for row, machine in enumerate(self.targets["machine"]):
            inside[row] &= machine in watched and end[row] > watched[machine][0]
        return self.targets[inside].reset_index(drop=True)

    def learnt_spans(self, learnt: Sequence[str], known: datetime) -> Spans:
        """Return the part of each machine's history that a bundle was trained on."""
        spans = {each: (instant(self.spans[each][0]), instant(min(self.spans[each][1], known))) for each in learnt}
        return {machine: (first, last) for machine, (first, last) in spans.items() if first < last}
