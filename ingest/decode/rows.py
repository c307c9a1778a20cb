"""Rows of a file to readings and events: the one decoder behind every format."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode import long_form
from ingest.decode.ahead import turn_ahead_away
from ingest.decode.cycles import NOT_READ, cycle_times
from ingest.decode.event_rows import EventDecoder
from ingest.decode.levels import level_numbers
from ingest.decode.machine import MachineColumn, Machines
from ingest.decode.mapping import Mapping
from ingest.decode.number import empty, numbers
from ingest.decode.old import turn_old_away
from ingest.decode.reject import Rejects
from ingest.decode.time import Times, times
from ingest.decode.time_columns import join_times
from ingest.decode.zone import LocalClock
from ingest.event import NO_EVENTS, Event, events_table
from ingest.part import joined_name
from ingest.plant import Plant, Signal
from ingest.reading import DAY, TIME, Readings, readings_schema
from ingest.report import Rejection
from ingest.turned_away import Cell, TurnedAway, Why

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What some rows gave.

    Attributes
    ----------
    readings : one table for each machine class that has any
    rejections : the first of the rows and cells turned away; ``rejected`` counts all
    used : rows that gave readings
    missing : empty cells of signals
    ignored : rows of machines that the plant does not name and does not miss
    turned_away : cells of known machines and signals that were turned away, all of them
    """

    readings: list[Readings] = field(default_factory=list)
    events: pd.DataFrame = field(default_factory=lambda: NO_EVENTS)
    rejections: list[Rejection] = field(default_factory=list)
    rejected: int = 0
    rows: int = 0
    used: int = 0
    missing: int = 0
    ignored: int = 0
    turned_away: TurnedAway = field(default_factory=TurnedAway)


class RowDecoder:
    """Decodes the rows of one file, a table at a time, in the order of the file.

    It remembers between tables what a row alone does not tell: where a machine is in a repeated hour,
    which flagged runs are open, and each machine's newest time.

    Parameters
    ----------
    now : time of arrival of all rows; whoever decodes a stream moves ``arrival`` on
    old_after : how long before its arrival a time is not believed; any is when ``None``
    newest_reading : of each machine, in microseconds since 1970, for a source whose cycles are counted from there
    most_rejected : rows and cells of one table that may be turned away; ``SourceError`` for more
    """

    def __init__(
        self,
        plant: Plant,
        mapping: Mapping,
        *,
        now: datetime,
        newest_reading: dict[str, int] | None = None,
        old_after: timedelta | None = None,
        most_rejected: float = math.inf,
    ) -> None:
        source = mapping.source
        self.newest: dict[str, int] = {}
        self.class_of_rows = np.zeros(0, np.int64)
        """Place of each row's class in the plant, -1 where it has no machine, of the last table."""
        self._plant = plant
        self._mapping = mapping
        known = newest_reading or {}
        self._newest_of = np.array([*(known.get(each.name, NOT_READ) for each in plant.machines), NOT_READ], np.int64)
        self.arrival = now
        self._old_after = old_after
        self.arrivals: pa.ChunkedArray | None = None
        """When each row of the next table arrived, where somebody before us knows that; they are wide rows."""
        self._most_rejected = most_rejected
        zone = ZoneInfo(source.time_zone or plant.time_zone)
        self._zone = zone
        self._clock = LocalClock(zone)
        self._rows = 0
        self._machines = MachineColumn(
            plant,
            source.machine,
            source.machine_is,
            ignore=source.other_machines == "ignore",
            prefix=source.machine_prefix,
        )
        self._events = [EventDecoder(each, source, zone, now) for each in source.events]
        self._class_names = [each.name for each in plant.classes]
        place = {name: number for number, name in enumerate(self._class_names)}
        self._class_of = np.array([*(place[each.machine_class] for each in plant.machines), -1], np.int64)

    def decode(self, table: pa.Table, line_of: Callable[[int], int] = lambda row: row + 1) -> Decoded:
        """Decode the next rows; cells and rows that cannot be used are turned away one by one."""
        rejects = Rejects(line_of, self._most_rejected)
        table = join_times(_simple(table), self._mapping.source)
        machines = self._machines.read(table, rejects)
        self.class_of_rows = self._class_of[machines.codes]
        events = NO_EVENTS
        stamps, placed, seen = self._place(table, machines, rejects)
        if self._events:
            events = together(
                [
                    each.decode(table, machines, stamps, placed if each.planned else seen, rejects)
                    for each in self._events
                ]
            )
        readings: list[Readings] = []
        used = missing = 0
        turned_away = TurnedAway()
        rejects.cells.clear()  # those of events are no readings
        if seen is not None and stamps is not None:
            if self._mapping.source.run_to_failure:
                self._note_newest(machines, stamps, seen)
            if self._mapping.long:
                spread = long_form.spread(table, machines, stamps, seen, self._mapping, self._plant, rejects)
                readings = [self._readings(*each) for each in spread.parts]
                used, missing = spread.used, spread.missing
                signals = np.array([*spread.signals, ""], object)[spread.named]
                turned_away = self._located(
                    rejects, machines, stamps, seen, lambda _, rows: [self._of_class(signals[rows], rows)]
                )
            else:
                readings, used, missing = self._wide(table, machines, stamps, seen, rejects)
                turned_away = self._located(rejects, machines, stamps, seen, self._signals_of)
        return Decoded(
            readings=readings,
            events=events,
            rejections=rejects.kept,
            rejected=rejects.count,
            rows=table.num_rows,
            used=used,
            missing=missing,
            ignored=machines.ignored,
            turned_away=turned_away,
        )

    def finish(self) -> pd.DataFrame:
        """Return the events that only the end of the file shows: flagged runs that are still open."""
        return together([each.finish() for each in self._events])

    def _located(
        self,
        rejects: Rejects,
        machines: Machines,
        stamps: Integers,
        seen: NDArray[np.bool_],
        signals_of: Callable[[str, Integers], Sequence[NDArray[Any]]],
    ) -> TurnedAway:
        """Count the cells that were turned away by machine, signal and day; costs nothing where there are none.

        Parameters
        ----------
        signals_of : returns the signal that a column holds in rows, of each signal that it holds; empty for none
        """
        found = TurnedAway()
        together: dict[tuple[str, Why], list[Integers]] = {}
        for rows, column, why in rejects.cells:
            together.setdefault((column, why), []).append(rows)
        for (column, why), several in together.items():
            rows = np.concatenate(several)
            rows = rows[seen[rows]]
            for signals in signals_of(column, rows):
                codes, days = machines.codes[rows].tolist(), (stamps[rows] // DAY).tolist()
                for (code, signal, day), count in Counter(zip(codes, signals.tolist(), days, strict=True)).items():
                    if signal:
                        found[Cell(machines.names[code], signal, day, why)] += count
        return found

    def _signals_of(self, column: str, rows: Integers) -> Sequence[NDArray[Any]]:
        """Return the names of the signals that a column of a wide table holds in some rows."""
        of_class = [
            [signal.name for signal, place in self._mapping.signals[name] if place == column]
            for name in self._class_names
        ]
        several = max(map(len, of_class))
        return [
            np.array([each[number] if number < len(each) else "" for each in of_class], object)[
                self.class_of_rows[rows]
            ]
            for number in range(several)
        ]

    def _of_class(self, signals: NDArray[Any], rows: Integers) -> NDArray[Any]:
        """Return names of signals, empty where the row's machine has none of this name."""
        known = [{each.name for each in machine_class.signals} for machine_class in self._plant.classes]
        classes = self.class_of_rows[rows].tolist()
        chosen = [name if name in known[number] else "" for name, number in zip(signals.tolist(), classes, strict=True)]
        return np.array(chosen, object)

    def _place(
        self, table: pa.Table, machines: Machines, rejects: Rejects
    ) -> tuple[Integers | None, NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
        """Return each row's UTC time, which rows have a machine and a time, and which of them can have been seen."""
        source = self._mapping.source
        if source.time is not None:
            column = joined_name(source.time)
            read = times(table[column], column, rejects, source.time_format)
        elif source.cycle is not None or source.cycle_is_row:
            column = source.cycle or ""
            newest = self._newest_of[machines.codes] if source.cycle_after_newest else None
            read = cycle_times(table, source, self._rows, self._zone, rejects, newest)
            self._rows += table.num_rows
        else:
            return None, None, None
        if not read.usable.all():
            rejects.add(np.flatnonzero(~read.usable & empty(table[column])), column, "", "no time is given")
        placed = read.usable & (machines.codes >= 0)
        stamps = to_utc(read, placed, machines, self._clock)
        if source.time is None or not self._tells_of_what_was_seen():
            return stamps, placed, placed
        seen = turn_ahead_away(stamps, placed, self.arrival, column, table[column], rejects)
        if self._old_after is not None:
            seen = turn_old_away(stamps, seen, self.arrival, self._old_after, column, table[column], rejects)
        return stamps, placed, seen

    def _tells_of_what_was_seen(self) -> bool:
        """Whether a row's own time is that of readings, or of events that nobody plans."""
        readings = self._mapping.long or any(self._mapping.signals.values())
        return readings or any(each.needs_row_time and not each.planned for each in self._events)

    def _note_newest(self, machines: Machines, stamps: Integers, placed: NDArray[np.bool_]) -> None:
        codes, when = machines.codes[placed], stamps[placed]
        for code in np.unique(codes).tolist():
            name = machines.names[code]
            self.newest[name] = max(self.newest.get(name, NOT_READ), int(when[codes == code].max()))

    def _wide(
        self, table: pa.Table, machines: Machines, stamps: Integers, placed: NDArray[np.bool_], rejects: Rejects
    ) -> tuple[list[Readings], int, int]:
        values: dict[str, Floats] = {}
        classes = np.where(placed, self.class_of_rows, -1)
        readings: list[Readings] = []
        used = missing = 0
        for number in np.unique(classes[placed]).tolist():
            name = self._class_names[number]
            rows = np.flatnonzero(classes == number)
            columns: list[Floats] = []
            for signal, column in self._mapping.signals[name]:
                if column not in values:
                    values[column] = self._cells(table[column], signal.name, column, rejects)
                cells = values[column] if len(rows) == len(classes) else values[column][rows]
                if convert := self._mapping.conversions.get((name, signal.name)):
                    cells = convert(cells)
                columns.append(within(signal, cells, rows, table[column], column, rejects))
                missing += int(np.isnan(cells).sum())
            if columns:
                some = np.zeros(len(rows), np.bool_)
                for cells in columns:
                    some |= ~np.isnan(cells)
                if not some.all():
                    rows, columns = rows[some], [cells[some] for cells in columns]
                signals = tuple(signal.name for signal, _ in self._mapping.signals[name])
                if len(rows):
                    arrived = None if self.arrivals is None else self.arrivals.take(pa.array(rows))
                    readings.append(self._readings(name, signals, machines.codes[rows], stamps[rows], columns, arrived))
                used += len(rows)
        return readings, used, missing

    def _cells(self, cells: pa.ChunkedArray, signal: str, column: str, rejects: Rejects) -> Floats:
        """Return what a column holds of a signal, in the unit of the source."""
        if levels := self._mapping.source.levels.get(signal):
            return level_numbers(cells, column, levels, rejects)
        return numbers(cells, column, rejects, self._mapping.source.decimal)

    def _readings(
        self,
        machine_class: str,
        signals: tuple[str, ...],
        codes: Integers,
        stamps: Integers,
        columns: list[Floats],
        arrived: pa.ChunkedArray | None = None,
    ) -> Readings:
        names = pa.array([each.name for each in self._plant.machines], pa.string())
        keys = [
            pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names).cast(pa.string()),
            pa.array(stamps).cast(TIME),
            pa.repeat(pa.scalar(self.arrival, TIME), len(codes)) if arrived is None else arrived,
        ]
        cells = [pa.array(each, from_pandas=True) for each in columns]
        return Readings(machine_class, pa.table([*keys, *cells], schema=readings_schema(signals)))


def _simple(table: pa.Table) -> pa.Table:
    """Return the table without the kinds of columns that say the same in another way."""
    columns = []
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        columns.append(column.cast(pa.string() if pa.types.is_string_view(kind) else kind))
    return pa.table(columns, names=table.column_names)


def together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return several event tables as one."""
    filled = [each for each in tables if len(each)]
    return pd.concat(filled, ignore_index=True) if filled else NO_EVENTS


def within(
    signal: Signal, cells: Floats, rows: Integers, column: pa.ChunkedArray, name: str, rejects: Rejects
) -> Floats:
    """Return cells with NaN for those outside the signal's range, which are turned away."""
    if signal.range is None:
        return cells
    low, high = signal.range
    outside = (cells < low) | (cells > high)
    if not outside.any():
        return cells
    unit = f" {signal.unit}" if signal.unit else ""
    reason = f"outside the range of {signal.name!r}: {low:g} to {high:g}{unit}"
    rejects.add(rows[outside], name, column, reason, "out of range")
    return np.where(outside, np.nan, cells)


def to_utc(read: Times, placed: NDArray[np.bool_], machines: Machines, clock: LocalClock) -> Integers:
    """Return times in UTC, those of rows that are not ``placed`` undefined."""
    local = np.flatnonzero(read.local & placed)
    if len(local) == 0:
        return read.microseconds
    stamps = read.microseconds.copy()
    stamps[local] = clock.to_utc(stamps[local], machines.codes[local], machines.names)
    return stamps


def failures(newest: dict[str, int]) -> pd.DataFrame:
    """Return a failure of each machine at its newest time, for machines that ran until they failed."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return events_table(
        Event(machine=name, kind="failure", time=epoch + timedelta(microseconds=time)) for name, time in newest.items()
    )
