"""The readings of one machine as arrays, and the hours at which they are looked at."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.feature import LARGEST
from features.sampling import sampling_interval
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass
from models.moment import instant
from models.rows import machine_rows

Hours = NDArray[np.datetime64]
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOUR = np.timedelta64(3_600_000_000, "us")

CLOSE = 14 * HOUR
"""Longest time between a reading and the few before it that it is compared with."""

MOST_CELLS = 4_000_000
"""Most values of one machine that are in memory (32 MB), and about how many of several; looks take a few times that."""

CELLS_AT_ONCE = 4_000_000
"""About how many values are read at once."""

MACHINES_AT_ONCE = 20
"""Most machines whose readings are in memory together."""

_COLUMNS_BESIDE = 3
_FORTNIGHT = np.timedelta64(14, "D")
_STEPS = tuple(np.timedelta64(each, "s") for each in (1, 2, 5, 10, 30, 60, 300, 900, 3600))


@dataclass(frozen=True)
class Block:
    """Readings of one machine.

    Attributes
    ----------
    time : datetime64[us] in UTC, ascending, shape (n,)
    values : shape (n_signals, n), NaN where a signal was not read
    """

    time: Hours
    values: Values

    @cached_property
    def changes(self) -> Values:
        """How far each reading is from the one before of its signal; shape (n_signals, n), NaN where none is close."""
        changes = np.full(self.values.shape, np.nan)
        for own, values in zip(changes, self.values, strict=True):
            read = np.flatnonzero(~np.isnan(values))
            close = np.diff(self.time[read]) <= CLOSE
            own[read[1:]] = np.where(close, np.abs(np.diff(values[read])), np.nan)
        return changes

    def coarser(self, step: np.timedelta64) -> "Block":
        """Return the newest reading of each step."""
        return _coarser(self.time, self.values, step) if len(self.time) else self

    def part(self, start: datetime, end: datetime) -> "Block":
        """Return the readings in (start, end]."""
        first, stop = np.searchsorted(self.time, np.array([instant(start), instant(end)]), side="right")
        return Block(self.time[first:stop], self.values[:, first:stop])


def hours_in(start: datetime, end: datetime) -> Hours:
    """Return the whole hours in (start, end].

    Examples
    --------
    >>> hours_in(datetime(2026, 1, 1, 5, 30), datetime(2026, 1, 1, 7)).astype("datetime64[h]").tolist()
    [datetime.datetime(2026, 1, 1, 6, 0), datetime.datetime(2026, 1, 1, 7, 0)]
    """
    first, last = (instant(moment).astype("datetime64[h]") for moment in (start, end))
    return np.arange(first + 1, last + 1).astype("datetime64[us]")


def coarseness(signals: int) -> np.timedelta64:
    """Return how far apart readings are kept of a machine with so many signals, so that a fortnight fits.

    Examples
    --------
    >>> coarseness(3), coarseness(16), coarseness(50)
    (np.timedelta64(1,'s'), np.timedelta64(5,'s'), np.timedelta64(30,'s'))
    """
    fits = (each for each in _STEPS if signals * (_FORTNIGHT // each) <= MOST_CELLS)
    return next(fits, _STEPS[-1])


def expected_interval(history: History, machine_class: MachineClass) -> timedelta:
    """Return about how often readings of a class come, to know how many of them fit; a second if nobody knows."""
    try:
        return sampling_interval(history, machine_class)
    except NotEnoughDataError:
        return timedelta(seconds=1)


def read_blocks(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    start: datetime,
    end: datetime,
    every: timedelta,
) -> Iterator[tuple[str, Block]]:
    """Yield the readings of each machine that has any in (start, end], the newest of each ``coarseness``.

    Memory is bounded, however often readings come: machines are taken in groups and long spans in slices,
    and neither changes anything.

    Parameters
    ----------
    start : a whole hour
    every : about how often readings come
    """
    step = coarseness(len(signals))
    each = len(signals) * ((end - start) // max(every, step.astype(timedelta)) + 1)
    at_once = min(MACHINES_AT_ONCE, max(1, MOST_CELLS // each))
    for first in range(0, len(machines), at_once):
        parts: dict[str, list[Block]] = defaultdict(list)
        for table in _slices(history, machine_class, signals, machines[first : first + at_once], start, end, every):
            time = table["time"].cast("int64").to_numpy().astype("datetime64[us]")
            values = np.stack([table[name].to_numpy() for name in signals])
            # What is absurd stays absurd, but differences and squares of it can be worked with.
            np.clip(values, -LARGEST, LARGEST, out=values)
            # As numbers: a text for each row takes several times the room of its values.
            names = table["machine"].combine_chunks().dictionary_encode()
            for code, rows in machine_rows(names.indices.to_numpy()).items():
                parts[names.dictionary[int(code)].as_py()].append(_coarser(time[rows], values[:, rows], step))
        for machine in sorted(parts):
            own = parts.pop(machine)
            yield (
                machine,
                Block(
                    np.concatenate([each.time for each in own]), np.concatenate([each.values for each in own], axis=1)
                ),
            )


def _slices(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    start: datetime,
    end: datetime,
    every: timedelta,
) -> Iterator[pa.Table]:
    """Read (start, end] in slices of about ``CELLS_AT_ONCE``, shorter ones where readings come more often."""
    step = coarseness(len(signals)).astype(timedelta)
    rows = CELLS_AT_ONCE // (len(signals) + _COLUMNS_BESIDE)
    begin = start
    while begin < end:
        length = max(step, every * rows / len(machines) // step * step)
        stop = min(begin + length, end)
        table = history.read(machine_class, machines=machines, signals=signals, start=begin, end=stop).table
        yield table
        if table.num_rows:
            every = min(every, (stop - begin) * len(machines) / table.num_rows)
        begin = stop


def _coarser(time: Hours, values: Values, step: np.timedelta64) -> Block:
    """Keep one row of each step: its newest time, and the newest value of each signal in it."""
    place = -(-time.astype(np.int64) // step.astype("timedelta64[us]").astype(np.int64))
    last = np.flatnonzero(np.diff(place, append=place[-1] + 1))
    if len(last) == len(time):
        return Block(time, values)
    first = np.concatenate(([0], last[:-1] + 1))
    kept = np.empty((len(values), len(last)))
    for own, all_of_it in zip(kept, values, strict=True):
        newest = np.maximum.accumulate(np.where(np.isnan(all_of_it), -1, np.arange(len(time))))[last]
        own[:] = np.where(newest >= first, all_of_it[newest], np.nan)
    return Block(time[last], kept)
