"""Rows to events of one kind: each row one, or a run of flagged rows one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.ahead import PLANNED, turn_ahead_away
from ingest.decode.machine import Machines, encoded
from ingest.decode.number import empty, numbers
from ingest.decode.reject import Rejects
from ingest.decode.time import times
from ingest.decode.zone import LocalClock
from ingest.event import NO_EVENTS
from ingest.keepable import why_unkeepable
from ingest.part import joined_name
from ingest.plant import EventMapping, Source

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(slots=True)
class _Run:
    """A run of flagged rows of one machine that has not ended yet."""

    begin: int
    end: int
    component: str
    code: str
    value: float


class EventDecoder:
    """Decodes the events that one mapping of a source tells of, a table at a time.

    Parameters
    ----------
    arrival : when all rows came
    """

    def __init__(self, mapping: EventMapping, source: Source, zone: ZoneInfo, arrival: datetime) -> None:
        self.planned = mapping.kind in PLANNED
        self.needs_row_time = mapping.time is None
        self._mapping = mapping
        self._arrival = arrival
        self._source = source
        self._clock = LocalClock(zone)
        self._end_clock = LocalClock(zone)
        self._open: dict[str, _Run] = {}

    def decode(
        self, table: pa.Table, machines: Machines, stamps: Integers | None, placed: Booleans | None, rejects: Rejects
    ) -> pd.DataFrame:
        """Return the events of these rows.

        Parameters
        ----------
        stamps, placed : the rows' own UTC times and which rows have one and a machine, or ``None``
        """
        chosen = self._where(table) & (machines.codes >= 0)
        for column in filter(None, (self._mapping.part, self._mapping.code)):
            chosen &= _keepable(table[column], chosen, column, rejects)
        if self._mapping.time is not None:
            column = joined_name(self._mapping.time)
            stamps, usable = self._read(table, column, self._clock, machines, chosen, rejects)
            absent = chosen & ~usable & empty(table[column])
            rejects.add(np.flatnonzero(absent), column, "", "no time is given")
            chosen = chosen & usable
            if not self.planned:
                chosen = turn_ahead_away(stamps, chosen, self._arrival, column, table[column], rejects)
        elif stamps is not None and placed is not None:
            chosen = chosen & placed
        if stamps is None:
            return NO_EVENTS
        values = self._values(table, rejects)
        if self._mapping.flag is not None:
            return self._runs(table, machines, stamps, chosen, values, rejects)
        rows = np.flatnonzero(chosen)
        end, has_end = np.zeros(table.num_rows, np.int64), np.zeros(table.num_rows, np.bool_)
        if self._mapping.end is not None:
            end, has_end = self._read(table, joined_name(self._mapping.end), self._end_clock, machines, chosen, rejects)
        return self._table(
            [machines.names[code] for code in machines.codes[rows].tolist()],
            stamps[rows],
            np.where(has_end[rows], end[rows], np.iinfo(np.int64).min),
            self._labels(table, self._mapping.part, self._mapping.part_is, rows),
            self._labels(table, self._mapping.code, self._mapping.code_is, rows),
            values[rows],
        )

    def finish(self) -> pd.DataFrame:
        """Return the runs that are still open at the end of the file; their last row is their end."""
        runs = [(name, run) for name, run in self._open.items()]
        self._open = {}
        return self._closed(runs)

    def _read(
        self,
        table: pa.Table,
        column: str,
        clock: LocalClock,
        machines: Machines,
        chosen: Booleans,
        rejects: Rejects,
    ) -> tuple[Integers, Booleans]:
        read = times(table[column], column, rejects, self._source.time_format)
        rows = np.flatnonzero(read.usable & read.local & chosen)
        stamps = read.microseconds.copy()
        stamps[rows] = clock.to_utc(stamps[rows], machines.codes[rows], machines.names)
        return stamps, read.usable

    def _where(self, table: pa.Table) -> Booleans:
        chosen = np.ones(table.num_rows, np.bool_)
        for column, allowed in self._mapping.where.items():
            codes, labels = encoded(table[column])
            wanted = np.array([*(label in allowed for label in labels), False], np.bool_)
            chosen &= wanted[codes]
        return chosen

    def _values(self, table: pa.Table, rejects: Rejects) -> NDArray[np.float64]:
        if self._mapping.value is None:
            return np.full(table.num_rows, np.nan)
        return numbers(table[self._mapping.value], self._mapping.value, rejects, self._source.decimal)

    def _labels(self, table: pa.Table, column: str | None, always: str, rows: Integers) -> list[str]:
        if column is None:
            return [always] * len(rows)
        codes, labels = encoded(table[column])
        named = [*labels, always]
        return [named[code] for code in codes[rows].tolist()]

    def _runs(
        self,
        table: pa.Table,
        machines: Machines,
        stamps: Integers,
        chosen: Booleans,
        values: NDArray[np.float64],
        rejects: Rejects,
    ) -> pd.DataFrame:
        flag = self._mapping.flag or ""
        level = numbers(table[flag], flag, rejects)
        flagged = ~np.isnan(level) & (level != 0)
        closed: list[tuple[str, _Run]] = []
        for code in np.unique(machines.codes[chosen]).tolist():
            name = machines.names[code]
            rows = np.flatnonzero(chosen & (machines.codes == code))
            on = flagged[rows]
            edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
            begins, ends = edges[::2], edges[1::2]
            if name in self._open and not (len(begins) and begins[0] == 0):
                closed.append((name, self._open.pop(name)))
            components = self._labels(table, self._mapping.part, self._mapping.part_is, rows[begins])
            codes = self._labels(table, self._mapping.code, self._mapping.code_is, rows[begins])
            for number, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
                run = self._open.pop(name, None) if begin == 0 else None
                first, last = int(stamps[rows[begin]]), int(stamps[rows[end - 1]])
                if run is None:
                    run = _Run(first, last, components[number], codes[number], float(values[rows[begin]]))
                run.end = last
                if end == len(rows):
                    self._open[name] = run
                else:
                    closed.append((name, run))
        return self._closed(closed)

    def _closed(self, runs: list[tuple[str, _Run]]) -> pd.DataFrame:
        return self._table(
            [name for name, _ in runs],
            np.array([run.begin for _, run in runs], np.int64),
            np.array([run.end for _, run in runs], np.int64),
            [run.component for _, run in runs],
            [run.code for _, run in runs],
            np.array([run.value for _, run in runs], np.float64),
        )

    def _table(
        self,
        machines: list[str],
        begin: Integers,
        end: Integers,
        components: list[str],
        codes: list[str],
        values: NDArray[np.float64],
    ) -> pd.DataFrame:
        columns: dict[str, Any] = {
            "machine": pd.Series(machines, dtype=object),
            "kind": pd.Series([self._mapping.kind] * len(machines), dtype=object),
            "time": pd.Series(begin.view("datetime64[us]")).dt.tz_localize("UTC"),
            "end": pd.Series(end.view("datetime64[us]")).dt.tz_localize("UTC"),
            "component": pd.Series(components, dtype=object),
            "code": pd.Series(codes, dtype=object),
            "value": values,
            "note": pd.Series([""] * len(machines), dtype=object),
        }
        return pd.DataFrame(columns)


def _keepable(cells: pa.ChunkedArray, chosen: Booleans, column: str, rejects: Rejects) -> Booleans:
    """Return which rows have a text that can be kept; the other chosen ones are turned away."""
    codes, labels = encoded(cells)
    kept = np.ones(len(codes), np.bool_)
    for code, label in enumerate(labels):
        if reason := why_unkeepable(label):
            rows = np.flatnonzero(chosen & (codes == code))
            rejects.add(rows, column, cells, reason)
            kept[rows] = False
    return kept
