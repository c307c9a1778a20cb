"""A span of one store made anew as another store, in one order: equal readings, equal bytes.

What lies in a lake depends on the order and the batches in which readings came. What is made here
depends on the readings of the span alone: which files there are, their names, rows and columns, and so
each byte of them, for one version of Arrow. Files also hold the time of arrival of each row; the content
hash leaves it out.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import inf
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest import span_tree
from ingest.catalogue import from_microseconds, to_microseconds
from ingest.decimals import DOUBLE, Kinds, kind_of, kind_up_to
from ingest.errors import StoreError
from ingest.lake import CELLS_AT_ONCE, CELLS_IN_A_SEGMENT, ROWS_IN_A_SEGMENT
from ingest.plant import Plant
from ingest.reading import DAY, Readings
from ingest.store import Store

_MICROSECOND = timedelta(microseconds=1)
_SOURCE = "replay"


@dataclass(frozen=True, slots=True)
class RebuiltClass:
    """What was made anew of one machine class.

    Attributes
    ----------
    content_hash : SHA-256 over machines, signals, times and values; the same for the same readings, however
        they came
    """

    machine_class: str
    machines: int
    rows: int
    readings: int
    files: int
    bytes: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made anew of a store; ``events_hash`` over all that is known of them but their source."""

    classes: tuple[RebuiltClass, ...]
    events: int
    events_hash: str


def rebuild(
    store: Store, plant: Plant, into: Path, *, start: datetime | None = None, end: datetime | None = None
) -> Rebuilt:
    """Make a store of the readings and events in (start, end] of another one.

    Parameters
    ----------
    into : a folder that does not exist, or is empty
    start, end : all when ``None``

    Raises
    ------
    StoreError
        When the folder holds something, or readings of the span come while they are read.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise StoreError(f"{into}: is there already and not empty; name a folder that is not there yet")
    target = Store(into)
    try:
        classes = [_rebuild(store, target, each.name, start, end) for each in plant.classes]
        events = store.events(start=start, end=end)
        events = events.sort_values(["time", "machine", "kind", "component", "code"], ignore_index=True)
        target.add_events(events, source=_SOURCE)
        store.units.copy_to(target.units)
        events_hash = sha256(events.to_csv(index=False).encode()).hexdigest()
        return Rebuilt(tuple(each for each in classes if each is not None), len(events), events_hash)
    finally:
        target.close()


@dataclass(slots=True)
class _Extent:
    """What there is in a span: rows of each day, machines, and the decimals and the largest value of each signal.

    Decimals are counted as infinite where they are too many to be kept as such.
    """

    rows: Counter[int] = field(default_factory=Counter)
    machines: set[str] = field(default_factory=set)
    signals: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, table: pa.Table) -> None:
        """Take a part of the span into account; rows without any value are none, as reading leaves them out."""
        table = table.filter(_with_values(table))
        days = table["time"].cast(pa.int64()).to_numpy() // DAY
        self.rows.update(dict(zip(*(each.tolist() for each in np.unique(days, return_counts=True)), strict=True)))
        self.machines.update(table["machine"].unique().to_pylist())
        for name in table.column_names[3:]:
            values = table[name].drop_null().to_numpy()
            if len(values):
                kind, before = kind_of(values), self.signals.get(name, (0.0, 0.0))
                decimals = float(kind.scale) if pa.types.is_decimal(kind) else inf
                self.signals[name] = max(before[0], decimals), max(before[1], float(np.abs(values).max()))

    def seen(self, readings: Readings) -> Readings:
        """Take readings into account as they pass by."""
        self.take(readings.table)
        return readings

    @property
    def kinds(self) -> Kinds:
        """The type in which to keep each signal; it depends on all values, not on how they were cut into parts."""
        return {
            name: kind_up_to(largest, int(decimals)) if decimals < inf else DOUBLE
            for name, (decimals, largest) in sorted(self.signals.items())
        }


def _rebuild(
    store: Store, target: Store, machine_class: str, start: datetime | None, end: datetime | None
) -> RebuiltClass | None:
    extent = _extent(store, machine_class, start, end)
    if not extent.rows:
        return None
    signals, machines = sorted(extent.signals), sorted(extent.machines)
    kinds = extent.kinds
    days = np.array(sorted(extent.rows), np.int64)
    counts = np.array([extent.rows[day] for day in days.tolist()], np.int64)
    most = max(1, min(ROWS_IN_A_SEGMENT, CELLS_IN_A_SEGMENT // (len(signals) + 3)))
    content, found = _Content(machine_class, signals), _Extent()
    files = size = 0
    for low, high in span_tree.cut_counted(days, counts, [], most):
        rows = int(counts[(days >= low) & (days <= high)].sum())
        several = max(1, len(machines) * CELLS_AT_ONCE // (rows * (len(signals) + 3)))
        span = _within(low, high, start, end)
        tables = (
            content.seen(
                found.seen(store.read(machine_class, machines=some, signals=signals, start=span[0], end=span[1]))
            )
            for some in _parts(machines, several)
        )
        size += target.fill(machine_class, f"{_day(low):%Y%m%d}-{_day(high):%Y%m%d}", tables, kinds)
        files += 1
    # A correction, too, may have more decimals than there is room for: what was written would be rounded.
    if found != extent:
        raise StoreError(
            f"readings of class {machine_class!r} came while they were read; run it again into a new folder"
        )
    return RebuiltClass(machine_class, len(machines), content.rows, content.readings, files, size, content.digest())


def _extent(store: Store, machine_class: str, start: datetime | None, end: datetime | None) -> _Extent:
    """Look through a span, a bounded part at a time."""
    extent = _Extent()
    spans = {
        machine: (max(first, start + _MICROSECOND) if start else first, min(newest, end) if end else newest)
        for machine, (first, newest) in store.spans(machine_class).items()
    }
    spans = {machine: span for machine, span in spans.items() if span[0] <= span[1]}
    if not spans:
        return extent
    names, signals = sorted(spans), sorted(store.signals(machine_class))
    first = to_microseconds(min(span[0] for span in spans.values())) // DAY
    last = to_microseconds(max(span[1] for span in spans.values())) // DAY
    cells = max(1, store.rows(machine_class) * (len(signals) + 3) // (len(names) * (last - first + 1)))
    machines = max(1, min(len(names), CELLS_AT_ONCE // cells))
    days = max(1, min(last - first + 1, CELLS_AT_ONCE // (cells * machines)))
    for some in _parts(names, machines):
        for low in range(first, last + 1, days):
            since, until = _within(low, min(low + days - 1, last), start, end)
            extent.take(store.read(machine_class, machines=some, signals=signals, start=since, end=until).table)
    return extent


class _Content:
    """Digests of readings as they pass by: of each machine by time, however they are cut into tables."""

    def __init__(self, machine_class: str, signals: Sequence[str]) -> None:
        self.rows = 0
        self.readings = 0
        self._head = [machine_class, list(signals)]
        self._signals = signals
        self._machines = {}  # type: ignore[var-annotated]  # hashlib names no public type of its objects

    def seen(self, readings: Readings) -> Readings:
        """Take readings, sorted by (machine, time) and later than those of the machine before, into account."""
        table = readings.table
        self.rows += table.num_rows
        self.readings += readings.count
        if table.num_rows:
            cells: NDArray[np.int64] = np.empty((table.num_rows, len(self._signals) + 1), np.int64)
            cells[:, 0] = table["time"].cast(pa.int64()).to_numpy()
            for place, signal in enumerate(self._signals, 1):
                values = table[signal].to_numpy()
                cells[:, place] = np.where(np.isnan(values), np.nan, values).view(np.int64)
            machines = table["machine"].combine_chunks().dictionary_encode()
            starts = np.flatnonzero(np.diff(machines.indices.to_numpy(), prepend=-1))
            for name, part in zip(machines.dictionary.to_pylist(), np.split(cells, starts[1:]), strict=True):
                self._machines.setdefault(name, sha256()).update(np.ascontiguousarray(part).tobytes())
        return readings

    def digest(self) -> str:
        """Return the digest of all that was seen."""
        each = [(name, self._machines[name].hexdigest()) for name in sorted(self._machines)]
        return sha256(json.dumps([*self._head, each]).encode()).hexdigest()


def _parts(names: Sequence[str], several: int) -> Iterator[Sequence[str]]:
    for offset in range(0, len(names), several):
        yield names[offset : offset + several]


def _within(low: int, high: int, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Return the part of a run of days that lies in (start, end]."""
    first = from_microseconds(low * DAY) - _MICROSECOND
    last = from_microseconds((high + 1) * DAY) - _MICROSECOND
    return max(first, start or first), min(last, end or last)


def _day(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def _with_values(table: pa.Table) -> pa.Array:
    """Say of each row whether it holds a value of any signal."""
    known = np.zeros(table.num_rows, np.bool_)
    for name in table.column_names[3:]:
        known |= table[name].is_valid().to_numpy()
    return pa.array(known)
