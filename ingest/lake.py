"""The lake: sealed history in Parquet files, and the catalogue that says which files there are.

Where the files lie is another matter, see ``Place``.

A file exists when its row in the catalogue does, so nobody meets half a file, and a crash leaves at
most a file without a row, which the next sealing removes, or puts aside where it is whole.
"""

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, select

from ingest import corrections, late, log, span_tree
from ingest import repeated as repeated_rows
from ingest.catalogue import SEGMENTS, SIGNALS, SPANS
from ingest.checksum import is_whole
from ingest.claim import claim_place
from ingest.database import Database
from ingest.decimals import Kinds, kinds_of
from ingest.errors import DiskFullError, StoreBusyError, StoreError
from ingest.merge import conform, merge, wide_schema
from ingest.origins import Origins, Part
from ingest.place import Place
from ingest.reading import DAY
from ingest.segment import Segment, Selection, kinds_in, read_segment, schema_of, write_segment
from ingest.spans import Span, spans_of, widen
from ingest.statement import Query

ROWS_IN_A_SEGMENT = 250_000
CELLS_IN_A_SEGMENT = 25_000_000
CELLS_AT_ONCE = 3_300_000
WAIT_SECONDS = 300.0

_PARTS = Query(
    select(SEGMENTS.c.id, SEGMENTS.c.path, SEGMENTS.c.first, SEGMENTS.c.newest)
    .where(
        SEGMENTS.c.machine_class == bindparam("of"),
        SEGMENTS.c.newest >= bindparam("since"),
        SEGMENTS.c.first <= bindparam("until"),
    )
    .order_by(SEGMENTS.c.id)
)


@dataclass(frozen=True, slots=True)
class SealReport:
    """What one sealing moved from the log to the lake.

    Attributes
    ----------
    rows : rows that were in the log
    repeated : of them, rows that brought nothing new
    corrected : of them, rows that changed a reading which had come before
    segments : files written
    by_position : (repeated, corrected) of each (source, position)
    """

    rows: int = 0
    repeated: int = 0
    corrected: int = 0
    segments: int = 0
    by_position: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


class Lake:
    """Segments of readings in one place, catalogued in a database.

    Parameters
    ----------
    folder : of this lake on this computer
    place : where the files lie, those of each machine class together
    database : holds the catalogue and the log
    rows_in_a_segment : rows of a file that covers several days; a file of one day may have more
    """

    def __init__(
        self, folder: Path, place: Place, database: Database, rows_in_a_segment: int = ROWS_IN_A_SEGMENT
    ) -> None:
        self.place = place
        self._folder = folder
        self._database = database
        self._rows = rows_in_a_segment
        self._sealing = FileLock(f"{folder}.lock", poll_interval=0.01)
        self._unpublished: set[str] = set()
        self._origins = Origins()

    def path(self, segment: Segment) -> str:
        """Return the path of a segment's file in its place."""
        return _path(segment.machine_class, segment.path)

    def read(self, segments: Sequence[Segment], selection: Selection) -> pa.Table:
        """Return rows of segments, oldest arrival first, not merged; raises as ``read_segment``."""

        def one(segment: Segment) -> pa.Table:
            with self.place.open(self.path(segment)) as file:
                return read_segment(file, selection, segment.sums)

        ordered = sorted(segments, key=lambda each: each.sequence)
        at_once = min(self.place.at_once, len(ordered))
        if at_once > 1:
            with ThreadPoolExecutor(at_once, "andon-lake") as several:
                tables = list(several.map(one, ordered))
        else:
            tables = [one(each) for each in ordered]
        return pa.concat_tables(tables) if tables else wide_schema(selection.signals).empty_table()

    def parts(self, connection: Connection, machine_class: str, first: int, newest: int) -> tuple[Part, ...]:
        """Return what tells the sealed readings of a class in [first, newest] from others: the same while they are."""
        there = _PARTS(connection, of=machine_class, since=first, until=newest)
        return self._origins.touching((Part(*row) for row in there), first, newest)

    def seal(self) -> SealReport:
        """Move what is in the log now to the lake, a bounded part at a time, and merge files.

        Killed at any moment, nothing is lost and nothing is there twice. What comes meanwhile waits for the next
        sealing: taken along as it comes, it would lie in a file a second, and nothing would ever be merged.
        """
        with self.alone():
            self.clear_strays()
            with self._database.read() as connection:
                newest = log.newest(connection)
            report = SealReport()
            touched: dict[str, None] = {}
            while (part := self._next(newest)) is not None:
                machine_class, batches = part
                report = self._seal_batches(machine_class, batches, report)
                touched[machine_class] = None
            for machine_class in touched:
                self._compact(machine_class)
            # What a sealing needed is several times what the process holds otherwise.
            pa.default_memory_pool().release_unused()
            return report

    def fill(self, machine_class: str, name: str, tables: Iterable[pa.Table], kinds: Kinds) -> Segment | None:
        """Write sorted tables as one file of this name, and make it known; ``None`` if they are all empty."""
        with self.alone():
            written = self._write(machine_class, tables, kinds, sequence=0, name=name)
            if written:
                self._publish(written)
        return written[0] if written else None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from sealing and rewriting while the block runs.

        Raises
        ------
        StoreError
            When the place cannot be used or is another catalogue's, or a step in the block fails.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._sealing.acquire(timeout=WAIT_SECONDS):
                claim_place(self._database, self.place)
                yield
        except Timeout as error:
            raise StoreBusyError(
                f"{self._folder}: another process has been sealing for {WAIT_SECONDS:g} s; try again when it is done"
            ) from error
        except FileNotFoundError as error:
            raise StoreError(f"{error.filename or error}: a file of the lake is gone; restore it") from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                what = "the disk is full; free some space, nothing is lost, and run the same again"
                raise DiskFullError(f"{self._folder}: {what}") from error
            what = f"{error.strerror or error}; nothing is lost, run the same again"
            raise StoreError(f"{self._folder}: {what}") from error

    def _next(self, until: int) -> tuple[str, list[log.Batch]] | None:
        with self._database.read() as connection:
            return log.oldest(connection, until, CELLS_AT_ONCE)

    def _seal_batches(self, machine_class: str, batches: Sequence[log.Batch], so_far: SealReport) -> SealReport:
        with self._database.read() as connection:
            signals = signals_of(connection, machine_class)
            held = segments_of(connection, machine_class)
            suspects = late.suspects(connection, [each.id for each in batches])
        table = pa.concat_tables([conform(each.table, signals) for each in batches])
        origin = np.repeat(np.arange(len(batches)), [each.table.num_rows for each in batches])
        times = table["time"].cast(pa.int64()).to_numpy()
        days = times // DAY
        repeated, corrected = np.zeros(len(batches), np.int64), np.zeros(len(batches), np.int64)
        brought = np.ones(table.num_rows, np.bool_)
        written: list[Segment] = []
        replaced: list[pa.Table] = []
        for low, high in span_tree.cut(days, held, self._target(len(signals))):
            rows = np.flatnonzero((days >= low) & (days <= high))
            known = self._known(held, table.take(pa.array(rows)) if len(rows) < len(days) else table, signals)
            merged = merge(known.table, known.fresh)
            brought[rows] = ~merged.repeated[known.fresh :]
            replaced += corrections.replaced(known.table, merged.replaced)
            repeated += np.bincount(origin[rows[merged.repeated[known.fresh :]]], minlength=len(batches))
            corrected += np.bincount(origin[rows[merged.corrected[known.fresh :]]], minlength=len(batches))
            fresh = merged.table.filter(pa.array(merged.newly))
            written += self._write(machine_class, [fresh], kinds_of(fresh, signals), batches[-1].id)
        found = late.find(table, np.array([each.id for each in batches])[origin], brought, suspects)

        def note(connection: Connection) -> None:
            late.keep(connection, machine_class, found)
            corrections.keep(connection, machine_class, replaced)
            repeated_rows.add(connection, table, ~brought)

        sealed = _Sealed(machine_class, [each.id for each in batches], spans_of(table))
        self._publish(written, sealed=sealed, note=note)
        by_position = dict(so_far.by_position)
        for number, each in enumerate(batches):
            before = by_position.get((each.source, each.position), (0, 0))
            now = (before[0] + int(repeated[number]), before[1] + int(corrected[number]))
            by_position[each.source, each.position] = now
        return SealReport(
            so_far.rows + table.num_rows,
            so_far.repeated + int(repeated.sum()),
            so_far.corrected + int(corrected.sum()),
            so_far.segments + len(written),
            by_position,
        )

    def _known(self, held: Sequence[Segment], table: pa.Table, signals: Sequence[str]) -> "_WithKnown":
        """Put the rows before these that the lake has for the same machines and span, if any."""
        span = pc.min_max(table["time"].cast(pa.int64()))
        first, newest = span["min"].as_py(), span["max"].as_py()
        touching = [each for each in held if each.first <= newest and each.newest >= first]
        if not touching:
            return _WithKnown(table, 0)
        machines = tuple(sorted(pc.unique(table["machine"].cast(pa.string())).to_pylist()))
        known = self.read(touching, Selection(tuple(signals), machines, first, newest))
        return _WithKnown(pa.concat_tables([known, table]), known.num_rows)

    def _write(
        self, machine_class: str, tables: Iterable[pa.Table], kinds: Kinds, sequence: int, name: str = ""
    ) -> list[Segment]:
        path = _path(machine_class, f"{name or uuid4().hex}.parquet")
        # Before it is made: who hears of a failure cannot know whether the file has come into being all the same.
        self._unpublished.add(path)
        with self.place.making(path) as local:
            segment = write_segment(local, tables, kinds)
        if segment is None:
            self._unpublished.discard(path)
            return []
        return [replace(segment, machine_class=machine_class, sequence=sequence)]

    def _publish(
        self,
        written: Sequence[Segment],
        *,
        replaced: Sequence[Segment] = (),
        sealed: "_Sealed | None" = None,
        note: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Make files known, and what they replace unknown, in one transaction with whatever else is to be noted."""
        names = [column.name for column in SEGMENTS.columns]
        self.place.sync(map(self.path, written))
        with self._database.write() as connection:
            for each in written:
                connection.execute(SEGMENTS.insert(), dict(zip(names[1:], astuple(each)[1:], strict=True)))
            for each in replaced:
                connection.execute(delete(SEGMENTS).where(SEGMENTS.c.id == each.id))
            if sealed is not None:
                log.remove(connection, sealed.batches)
                widen(connection, sealed.machine_class, sealed.spans)
            note(connection)
            there = segments_of(connection)
        if replaced:
            paths = {self.path(each) for each in written}
            made = [Part.of(each) for each in there if self.path(each) in paths]
            self._origins.note(made, [Part.of(each) for each in replaced], map(Part.of, there))
        known = {self.path(each) for each in there}
        # Only once a later transaction is through is it certain that an earlier one, which failed, never will be.
        self._unpublished.update(map(self.path, replaced))
        for path in sorted(self._unpublished - known):
            self.place.remove(path)
        self._unpublished.clear()

    def _compact(self, machine_class: str) -> None:
        """Rewrite where many files overlap or many are tiny, until none is."""
        while True:
            with self._database.read() as connection:
                held = segments_of(connection, machine_class)
                signals = signals_of(connection, machine_class)
                names = connection.execute(select(SPANS.c.machine).where(SPANS.c.machine_class == machine_class))
                # Sorted here, since each database has an order of its own for texts.
                machines = sorted(names.scalars())
            work = span_tree.plan(held, self._target(len(signals)))
            if not work:
                return
            for each in work:
                self._rewrite(each, held, signals, machines)

    def _rewrite(
        self, work: span_tree.Work, held: Sequence[Segment], signals: Sequence[str], machines: Sequence[str]
    ) -> None:
        pieces = [each for each in held if each in work.pieces]
        others = [each for each in held if each not in work.pieces]
        sequence = max(each.sequence for each in pieces)
        runs: list[tuple[int, int]] = [(min(each.first for each in pieces), max(each.newest for each in pieces))]
        if work.split:
            days = self._days(pieces)
            cuts = span_tree.cut(days, others, self._target(len(signals)))
            runs = [(low * DAY, (high + 1) * DAY - 1) for low, high in cuts]
        written: list[Segment] = []
        kinds = kinds_in([self._schema(each) for each in pieces], signals)
        for first, newest in runs:
            tables = self._merged(pieces, signals, machines, (first, newest))
            written += self._write(pieces[0].machine_class, tables, kinds, sequence)
        self._publish(written, replaced=pieces)

    def _merged(
        self, pieces: Sequence[Segment], signals: Sequence[str], machines: Sequence[str], run: tuple[int, int]
    ) -> Iterator[pa.Table]:
        """Give the rows of files a few machines at a time, so that a day of any size fits in memory."""
        cells = sum(each.rows for each in pieces) * (len(signals) + 3)
        several = max(1, len(machines) * CELLS_AT_ONCE // max(1, cells))
        for offset in range(0, len(machines), several):
            some = None if several >= len(machines) else tuple(machines[offset : offset + several])
            yield merge(self.read(pieces, Selection(tuple(signals), some, *run))).table

    def _schema(self, segment: Segment) -> pa.Schema:
        with self.place.open(self.path(segment)) as file:
            return schema_of(file, segment.sums)

    def _days(self, pieces: Sequence[Segment]) -> NDArray[np.int64]:
        table = self.read(pieces, Selection(()))
        return table["time"].cast(pa.int64()).to_numpy() // DAY

    def _target(self, signals: int) -> int:
        return max(1, min(self._rows, CELLS_IN_A_SEGMENT // (signals + 3)))

    def strays(self) -> list[str]:
        """Return the files that the catalogue does not know: those of a crash, or all of a lost catalogue."""
        with self._database.read() as connection:
            known = {self.path(each) for each in segments_of(connection)} | self._unpublished
        return [path for path in self.place.paths() if path not in known]

    def clear_strays(self) -> None:
        """Remove files that a crash left half written; whole ones are put aside, for the catalogue may be lost.

        Only while nobody else seals, see ``alone``.
        """
        self.place.clean()
        for path in self.strays():
            if self.is_whole(path):
                self.place.put_aside(path)
            else:
                self.place.remove(path)

    def is_whole(self, path: str) -> bool:
        """Say whether a file is there and was written to its end."""
        try:
            with self.place.open(path, anew=True) as file:
                return is_whole(file)
        except FileNotFoundError:
            return False


def _path(machine_class: str, name: str) -> str:
    return f"{quote(machine_class, safe=' ')}/{name}"


@dataclass(frozen=True, slots=True)
class _Sealed:
    machine_class: str
    batches: Sequence[int]
    spans: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class _WithKnown:
    table: pa.Table
    fresh: int


def segments_of(
    connection: Connection, machine_class: str | None = None, first: int | None = None, newest: int | None = None
) -> list[Segment]:
    """Return the segments of a class (or all) that may touch [first, newest], oldest arrival first."""
    statement = select(SEGMENTS).order_by(SEGMENTS.c.sequence, SEGMENTS.c.id)
    if machine_class is not None:
        statement = statement.where(SEGMENTS.c.machine_class == machine_class)
    if first is not None:
        statement = statement.where(SEGMENTS.c.newest >= first)
    if newest is not None:
        statement = statement.where(SEGMENTS.c.first <= newest)
    return [Segment(*row) for row in connection.execute(statement)]


def signals_of(connection: Connection, machine_class: str) -> tuple[str, ...]:
    """Return all signals that were ever read on a class, in the order in which they appeared."""
    statement = select(SIGNALS.c.signal).where(SIGNALS.c.machine_class == machine_class).order_by(SIGNALS.c.id)
    return tuple(connection.execute(statement).scalars())
