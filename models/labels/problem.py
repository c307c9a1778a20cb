"""What is suspicious about records of failures: which, how many, and what to do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.rows import machine_rows

SHOWN = 3
CHANCE = 1e-6
"""A pattern of clean records may be called suspicious this often."""


class LabelKind(StrEnum):
    """What may be wrong with records of failures."""

    OVERLAP = "overlaps"
    REPEATED = "recorded twice"
    ENTERED_LATE = "entered late"
    COPIED = "copied"
    PLANNED = "planned work"
    NO_READINGS = "no readings before"
    RAN_ON = "ran on"
    UNKNOWN_CODE = "unknown code"


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """One thing that is suspicious about the failures of a class.

    Attributes
    ----------
    count, of : how many records it concerns, of how many that were looked at
    what : what was found, in words that follow the count
    examples : some of the records: machine and time
    advice : what to do
    """

    machine_class: str
    kind: LabelKind
    count: int
    of: int
    what: str
    examples: tuple[str, ...]
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "class": self.machine_class,
            "kind": self.kind.value,
            "count": self.count,
            "of": self.of,
            "says": self.sentence,
            "examples": list(self.examples),
        }

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        shown = ", ".join(self.examples) + (", …" if self.count > len(self.examples) else "")
        return f"{self.machine_class}: {self.count} of {self.of} failures {self.what} ({shown}); {self.advice}"


@dataclass(frozen=True, slots=True)
class Failures:
    """The recorded failures of one class of machines.

    Attributes
    ----------
    table : with ``EVENT_COLUMNS``, kind failure only, sorted by (machine, time)
    planned : maintenance and inspections of the same machines, sorted alike
    zone : in which people write times
    every : time between two readings of the class; nothing where it is not known
    codes : that the plant file explains; any may be used when there are none
    """

    machine_class: str
    table: pd.DataFrame
    planned: pd.DataFrame
    zone: ZoneInfo
    every: timedelta = timedelta(0)
    codes: Collection[str] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rows_of(self) -> dict[str, NDArray[np.int64]]:
        """The rows of each machine."""
        rows = machine_rows(self.table["machine"].to_numpy(object))
        return {machine: np.arange(own.start, own.stop) for machine, own in rows.items()}

    @property
    def local(self) -> "pd.Series[pd.Timestamp]":
        """When they began, by the clock of the plant."""
        return self.table["time"].dt.tz_convert(self.zone)

    def problem(self, kind: LabelKind, rows: Sequence[int], what: str, advice: str) -> list[LabelProblem]:
        """Return what some rows of the table have in common as a problem; none if there are no rows."""
        if not len(rows):
            return []
        local = self.local
        shown = tuple(f"{self.table['machine'].iloc[row]} {local.iloc[row]:%Y-%m-%d %H:%M}" for row in rows[:SHOWN])
        return [LabelProblem(self.machine_class, kind, len(rows), len(self), what, shown, advice)]
