"""What a check is told: a feature table with its labels, its failures, and its runs between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.column import feature_of, signal_of
from features.table import FeatureTable

LEVELS = ("mean", "last", "minimum", "maximum")
STILL = 1e-13
"""What varies by no more than this part of its size stands still: rounding, but no reading of a large mean."""


class Parts(Protocol):
    """Rows to learn from and rows to be judged on."""

    @property
    def train(self) -> NDArray[np.intp]:
        """Row numbers of the table."""

    @property
    def test(self) -> NDArray[np.intp]:
        """Row numbers of the table."""


@dataclass(frozen=True, slots=True)
class Run:
    """The rows of one machine up to a failure.

    Attributes
    ----------
    rows : before the failure, and not within the one before it
    begin : of the failure, microseconds since 1970
    """

    rows: slice
    begin: int


@dataclass(frozen=True)
class Seen:
    """A table before training.

    Attributes
    ----------
    table : sorted by (machine, time)
    labels : int8 array of shape (n_rows,): 1 before a failure, 0 not, −1 not known
    targets : table with ``machine``, ``begin`` and ``end`` of the failures, sorted by (machine, begin)
    horizon : in microseconds
    folds : how the rows are split
    """

    table: FeatureTable
    labels: NDArray[np.int8]
    targets: pd.DataFrame
    horizon: int
    folds: Sequence[Parts] = ()

    @cached_property
    def time(self) -> NDArray[np.int64]:
        """Times in microseconds since 1970."""
        return self.table.time.astype("datetime64[us]").astype(np.int64)

    @cached_property
    def machines(self) -> dict[str, slice]:
        """The rows of each machine."""
        machine = self.table.machine
        edges = [0, *(np.flatnonzero(machine[1:] != machine[:-1]) + 1).tolist(), len(machine)]
        return {str(machine[a]): slice(a, b) for a, b in pairwise(edges) if b > a}

    @cached_property
    def stride(self) -> int:
        """Usual time between two rows of a machine, microseconds."""
        gaps = np.concatenate([np.diff(self.time[rows]) for rows in self.machines.values()] or [np.empty(0)])
        return max(int(np.median(gaps)), 1) if len(gaps) else 1

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run that a failure ended and that holds a row, machine by machine."""
        return tuple(self._runs())

    def _runs(self) -> Iterator[Run]:
        begins = self.targets["begin"].to_numpy("datetime64[us]").astype(np.int64)
        ends = self.targets["end"].to_numpy("datetime64[us]").astype(np.int64)
        names = self.targets["machine"].to_numpy(dtype=object)
        for machine, rows in self.machines.items():
            time, first = self.time[rows], 0
            for event in np.flatnonzero(names == machine):
                last = int(np.searchsorted(time, begins[event], side="left"))
                if last > first:
                    yield Run(slice(rows.start + first, rows.start + last), int(begins[event]))
                first = max(first, int(np.searchsorted(time, ends[event], side="right")))

    @cached_property
    def to_read(self) -> tuple[int, ...]:
        """Columns that vary and that are made of readings or counts.

        The product's own clocks are left out: only events that are over reset them.
        """
        values = self.table.values
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        gaps = np.isnan(values)
        differs = (high > low) | (gaps.any(axis=0) & ~gaps.all(axis=0))
        return tuple(place for place, name in enumerate(self.table.names) if differs[place] and not _is_clock(name))

    def column(self, place: int) -> NDArray[Any]:
        """Return the values of a column, shape (n_rows,)."""
        return self.table.values[:, place]

    def name(self, place: int) -> str:
        """Return the name of a column."""
        return self.table.names[place]

    def is_of_events(self, place: int) -> bool:
        """Whether a column counts what machines or people recorded, each with a time of its own."""
        return not signal_of(self.name(place)) and feature_of(self.name(place)) in BY_NAME

    def is_level(self, place: int) -> bool:
        """Whether a column is a level that needs no filled window: a mean, an extreme, or no feature of ours."""
        feature = feature_of(self.name(place))
        return feature in LEVELS or feature not in BY_NAME


def thinned(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Return at most so many of the values, evenly over them."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.intp)]


def _is_clock(name: str) -> bool:
    feature = feature_of(name)
    return not signal_of(name) and feature in BY_NAME and BY_NAME[feature].kind == "clock"
