"""A history as it was known at some moment."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from ingest.history import History
from ingest.reading import Readings


@dataclass(frozen=True, slots=True)
class KnownHistory:
    """Hides everything that happened after ``until``; itself a ``History``."""

    history: History
    until: datetime

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of (start, end], none after ``until``."""
        return self.history.read(machine_class, machines=machines, signals=signals, start=start, end=self._bounded(end))

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events of (start, end], none after ``until``; one that lasted then ends there."""
        return self._ended(self.history.events(machines=machines, kinds=kinds, start=start, end=self._bounded(end)))

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return states as they are known at ``until``; one that lasted then ends there."""
        return self._ended(self.history.states(machines, start, min(end, self.until)))

    def _ended(self, events: pd.DataFrame) -> pd.DataFrame:
        lasting = events["end"] > pd.Timestamp(self.until)
        return events.assign(end=events["end"].mask(lasting, pd.Timestamp(self.until))) if lasting.any() else events

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and newest reading of each machine that had readings by then."""
        spans = self.history.spans(machine_class)
        return {
            machine: (first, min(newest, self.until))
            for machine, (first, newest) in spans.items()
            if first <= self.until
        }

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings in (start, end]; remembered where none of them is hidden."""
        if end <= self.until:
            return self.history.derived(machine_class, start, end, keys, work)
        return list(work(range(len(keys))))

    def _bounded(self, end: datetime | None) -> datetime:
        return self.until if end is None else min(end, self.until)
