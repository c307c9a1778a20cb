"""The one door to readings and events: durable when it returns, the same however it arrived.

Nobody else knows whether a reading lies in the log or in the lake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pandas as pd

from ingest.reading import Readings
from ingest.report import Rejection


class History(Protocol):
    """What features and models may ask of the past; all spans are (start, end]."""

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings sorted by (machine, time), one row for each; asked signals without data are null."""

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events with ``EVENT_COLUMNS``, sorted by time."""

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and the newest event time of each machine that has readings."""


@dataclass(frozen=True, slots=True)
class SealReport:
    """What one sealing moved from the log to the lake: rows in, of them repeated and corrected."""

    rows: int = 0
    repeated: int = 0
    corrected: int = 0
    segments: int = 0
    by_position: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much the store holds."""

    readings: int
    events: int
    rejected: int
    segments: int
    bytes: int


class Store:
    """Readings and events in one folder."""

    def __init__(self, folder: Path) -> None: ...

    def append(self, readings: Readings, *, source: str, position: str) -> bool:
        """Keep readings, durably when this returns; ``False`` if this position of the source is known."""
        raise NotImplementedError

    def add_events(self, events: pd.DataFrame, *, source: str, position: str = "") -> tuple[int, int]:
        """Keep events; return how many were new and how many were known."""
        raise NotImplementedError

    def reject(self, rejections: Sequence[Rejection], *, source: str, position: str = "") -> None:
        """Keep what could not be used, so that a person can look at it."""
        raise NotImplementedError

    def seal(self) -> SealReport:
        """Move everything from the log to the lake."""
        raise NotImplementedError

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of (start, end], sorted by (machine, time), one row for each."""
        raise NotImplementedError

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events of (start, end] with ``EVENT_COLUMNS``, sorted by time."""
        raise NotImplementedError

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and the newest event time of each machine that has readings."""
        raise NotImplementedError

    def counts(self) -> StoreCounts:
        """Return how much the store holds."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the files."""
