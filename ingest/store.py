"""The one door to readings and events: durable when it returns, the same however it arrived.

Nobody else knows whether a reading lies in the log or in the lake.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, func, select

from ingest import dead_letter_rows, event_rows, known, log, reject_rows, spans
from ingest import repeated as repeated_rows
from ingest import turned_away as turned_away_rows
from ingest.beside import writing_beside
from ingest.catalogue import (
    BATCHES,
    DEAD_LETTERS,
    EVENTS,
    POSITIONS,
    REJECTS,
    SEGMENTS,
    from_microseconds,
    to_microseconds,
)
from ingest.claim import check_place
from ingest.corrections import Corrections
from ingest.damage import Damage, find_damage, find_strays, set_aside
from ingest.database import open_database
from ingest.dead_letter import KeptLetter, LetterCounts
from ingest.decimals import Kinds
from ingest.delivery import Delivery, Receipt, Remembered, other_content
from ingest.envelope import Cells
from ingest.errors import OtherContentError, StoreError, UnknownNameError
from ingest.extremes import Asked, extremes
from ingest.gather import Found, gather
from ingest.lake import ROWS_IN_A_SEGMENT, Lake, SealReport, segments_of, signals_of
from ingest.late import LateList
from ingest.memory import Memory
from ingest.merge import conform, merge
from ingest.place import open_place
from ingest.reading import Readings, readings_schema
from ingest.replay_order import Held
from ingest.report import Rejection
from ingest.segment import Segment, Selection
from ingest.statement import insert_into
from ingest.stored_unit import StoredUnits
from ingest.tables import ready_tables
from ingest.turned_away import Cell, TurnedAway


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much the store holds."""

    readings: int
    events: int
    rejected: int
    segments: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoredParts:
    """Files of the lake and batches of the log, and how many rows they have together."""

    files: int
    batches: int
    rows: int


class Store:
    """Readings, events and rejects in one folder: ``readings.db`` (or a PostgreSQL database) and ``lake/``.

    Any number of processes may hold a store on one folder; one of them writes at a time.

    Parameters
    ----------
    folder : the data folder; it is created when it does not exist
    rows_in_a_segment : rows of a file of the lake that covers several days
    dead_letter_bytes : room for dead letters; beyond it the oldest are dropped, and counted
    database : address of a PostgreSQL database that takes the place of ``readings.db``
    lake : address of object storage that takes the place of ``lake/``, see ``read_address``

    Attributes
    ----------
    late : rows that came after their time had been used
    corrections : values that a later arrival took the place of
    units : in which the signals are stored

    Raises
    ------
    StoreError
        When the folder cannot be used, the disk is full, or another process holds it for too long
        (``StoreBusyError``); this may come from every method.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rows_in_a_segment: int = ROWS_IN_A_SEGMENT,
        dead_letter_bytes: int = dead_letter_rows.MOST_BYTES,
        database: str = "",
        lake: str = "",
    ) -> None:
        self.folder = folder
        self._addresses = database, lake
        self._dead_letter_bytes = dead_letter_bytes
        self._memory = Memory()
        self._log_spans = spans.LogSpans()
        # Of each class the spans that were asked for last, as the catalogue has them and as they were told.
        self._told_spans: dict[str, tuple[dict[str, spans.Span], dict[str, tuple[datetime, datetime]]]] = {}
        place = open_place(folder / "lake", lake)
        self._database = open_database(folder / "readings.db", database)
        self._lake = Lake(folder / "lake", place, self._database, rows_in_a_segment)
        self.late = LateList(self._database)
        self.corrections = Corrections(self._database)
        self.units = StoredUnits(self._database)
        try:
            ready_tables(self._database)
            with self._database.read() as connection:
                check_place(connection, self._database, place)
        except StoreError:
            self._database.close()
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as an address: work in another process opens the store there, see ``reopened``."""
        from ingest.reopened import identity_of, reopened

        return reopened, (self.folder.absolute(), *self._addresses, identity_of(self))

    def append(self, readings: Readings, *, source: str, position: str, again: bool = False) -> bool:
        """Keep readings, durably when this returns.

        Parameters
        ----------
        source : who sent them
        position : what the source calls this batch, such as a message number; the same position again
            changes nothing. Empty: always kept; equal readings are one reading all the same.
        again : whether they are understood anew and arrived before, as they say: then they do not take the
            place of what came after them

        Returns
        -------
        bool
            ``False``, with nothing changed, if this position of the source is known.
        """
        with writing_beside(self._database, self._lake, [readings] if again else []) as (connection, held):
            if held:
                readings = held[readings.machine_class].without_newer(readings)
            return log.append(connection, readings, source, position)

    def deliver(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Keep deliveries in one transaction, durably when this returns; all of them or none.

        The readings of one class become one batch of the log, in the order of the deliveries. Those of dead
        letters that are replayed do not take the place of what came after the letter.
        """
        replayed = [readings for each in deliveries if each.replayed for readings in each.readings]
        with writing_beside(self._database, self._lake, replayed) as (connection, held):
            receipts = [known.claim(connection, each) for each in deliveries]
            known.forget(connection)
            kept = [each for each, receipt in zip(deliveries, receipts, strict=True) if receipt.fresh]
            sources = {each.source for each in kept}
            source = sources.pop() if len(sources) == 1 else ""
            log.append_together(connection, _in_order(kept, held), source)
            gone = [number for each in kept for number in each.replayed]
            dead_letter_rows.remove(connection, gone, counted_as="replayed")
            for each in kept:
                if each.events is not None:
                    event_rows.add(connection, each.events, each.source)
                turned_away_rows.add(connection, each.turned_away, source=each.source)
                reject_rows.keep(connection, each.rejections, each.source, each.position)
                _set_notes(connection, each.source, each.notes)
                dead_letter_rows.keep(connection, each.dead_letters, each.source, most_bytes=self._dead_letter_bytes)
        return receipts

    def seal(self) -> SealReport:
        """Move what is in the log now to the lake, and merge small and overlapping files there."""
        return self._lake.seal()

    def fill(self, machine_class: str, name: str, tables: Iterable[Readings], kinds: Kinds) -> int:
        """Take sorted readings into the lake as one file of this name, past the log; return its bytes.

        For a store that is made of another one: no other file may have readings of the same machines
        and times.

        Parameters
        ----------
        kinds : the type in which each signal is kept, as ``write_segment`` takes them
        """
        signals = tuple(kinds)

        def noted() -> Iterator[pa.Table]:
            for each in tables:
                if each.table.num_rows:
                    with self._database.write() as connection:
                        spans.widen(connection, machine_class, spans.spans_of(each.table))
                yield conform(each.table, signals)

        with self._database.write() as connection:
            log.note_signals(connection, machine_class, signals)
        segment = self._lake.fill(machine_class, name, noted(), kinds)
        return 0 if segment is None else segment.bytes

    def waiting(self) -> int:
        """Return how many cells wait in the log; seal when they are many."""
        with self._database.read() as connection:
            return log.held_cells(connection)

    def note(self, source: str, position: str) -> str | None:
        """Return what was noted for a position, empty if nothing was; ``None`` if it is not known."""
        with self._database.read() as connection:
            statement = select(POSITIONS.c.note).where(POSITIONS.c.source == source, POSITIONS.c.position == position)
            return connection.execute(statement).scalar()

    def set_note(self, source: str, position: str, note: str) -> None:
        """Remember a position and a note for it."""
        with self._database.write() as connection:
            _set_notes(connection, source, {position: note})

    def notes(self, source: str) -> dict[str, str]:
        """Return all that was noted for a source, by position; those without a note are left out."""
        statement = select(POSITIONS).where(POSITIONS.c.source == source, POSITIONS.c.note != "")
        with self._database.read() as connection:
            return {row.position: row.note for row in connection.execute(statement)}

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of (start, end], sorted by (machine, time), one row for each of them.

        Parameters
        ----------
        machines, start, end : all when ``None``
        signals : columns to return, in this order, null where nothing was read; all that ever came when ``None``.
            Of some of them, rows that hold none are left out; with no columns at all, every row is there.
        """
        first = None if start is None else to_microseconds(start) + 1
        newest = None if end is None else to_microseconds(end)
        some = None if machines is None else tuple(machines)

        def look() -> Found:
            with self._database.read() as connection:
                known = signals_of(connection, machine_class)
                asked = known if signals is None else tuple(signals)
                spoken = bool(signals) and not set(known) <= set(asked)
                return Found(
                    segments_of(connection, machine_class, first, newest),
                    log.batches(connection, machine_class, first, newest),
                    Selection(asked, some, first, newest, spoken=spoken),
                )

        found, table = gather(self._lake, machine_class, look)
        return Readings(machine_class, _plain(merge(table).table, found.selection.signals))

    def extremes(
        self, machine_class: str, machine: str, signals: Sequence[str], start: datetime, end: datetime, cells: int
    ) -> dict[str, Cells] | None:
        """Return the lowest and highest readings of a machine in (start, end], by at most ``cells`` parts of time.

        They are exact; the parts are of one length, and the first and the last may be cut off by the span. A year of
        a reading a second takes about as long as two hours of it. ``None`` where all has to be read: of slow signals,
        of files of before there were envelopes, and where parts were shorter than what is known of.
        """
        first, newest = to_microseconds(start) + 1, to_microseconds(end)
        # One more begins where the span cuts the first one off.
        shortest = -(-(newest - first + 1) // max(1, cells - 1))

        def look() -> tuple[list[Segment], list[tuple[int, int]]]:
            with self._database.read() as connection:
                return segments_of(connection, machine_class, first, newest), log.spans_of_batches(
                    connection, machine_class, first, newest
                )

        def read(interval: tuple[int, int]) -> pa.Table:
            low, high = from_microseconds(interval[0] - 1), from_microseconds(interval[1])
            return self.read(machine_class, machines=[machine], signals=signals, start=low, end=high).table

        return extremes(self._lake, Asked(machine, tuple(signals), (first, newest), shortest), look, read)

    def signals(self, machine_class: str) -> tuple[str, ...]:
        """Return all signals of a class that ever came, in the order in which they appeared."""
        with self._database.read() as connection:
            return signals_of(connection, machine_class)

    def rows(self, machine_class: str) -> int:
        """Return how many rows a class has in files and batches; those that came twice count twice until merged."""
        with self._database.read() as connection:
            parts = [
                connection.execute(select(func.sum(each.c.rows)).where(each.c.machine_class == machine_class)).scalar()
                for each in (SEGMENTS, BATCHES)
            ]
        return sum(int(part or 0) for part in parts)

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and the newest event time of each machine that has readings."""
        with self._database.read() as connection:
            lake, waiting = spans.sealed(connection, machine_class), self._log_spans.of(connection, machine_class)
        together = {**lake, **spans.joined(lake, waiting)}
        known, told = self._told_spans.get(machine_class, ({}, {}))
        if known != together:
            told = {
                name: (from_microseconds(first), from_microseconds(last))
                for name, (first, last) in sorted(together.items())
            }
            self._told_spans[machine_class] = together, told
        return dict(told)

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings of a class in (start, end], one result for each key.

        Results are remembered until a batch that may hold such readings comes or is sealed, or a file of them comes or
        goes otherwise than by merging, of which only this process knows.
        """
        span = machine_class, to_microseconds(start) + 1, to_microseconds(end)
        with self._database.read() as connection:
            edition = self._lake.parts(connection, *span), log.batch_ids(connection, *span)
        return self._memory.recall(edition, [(span, key) for key in keys], work)

    def add_events(
        self,
        events: pd.DataFrame,
        *,
        source: str,
        position: str = "",
        remembered: Remembered = "always",
        digest: str = "",
    ) -> tuple[int, int]:
        """Keep events with ``EVENT_COLUMNS``.

        An event is known if one of the same machine, kind, time, component and code is; then its end,
        value and note are brought up to date where the newer one has them.

        Parameters
        ----------
        remembered, digest : as those of a ``Delivery``

        Returns
        -------
        (added, repeated)

        Raises
        ------
        OtherContentError
            When the position is known of another content.
        """
        with self._database.write() as connection:
            delivery = Delivery(source=source, position=position, remembered=remembered, digest=digest)
            receipt = known.claim(connection, delivery)
            known.forget(connection)
            if receipt.other:
                raise OtherContentError(other_content(position))
            if not receipt.fresh:
                return 0, len(events)
            return event_rows.add(connection, events, source)

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events that happened or began in (start, end], with ``EVENT_COLUMNS``, sorted by time."""
        with self._database.read() as connection:
            return event_rows.read(connection, machines=machines, kinds=kinds, start=start, end=end)

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the machines' own states that began in (start, end], and of each those that began last before it."""
        with self._database.read() as connection:
            return event_rows.states(connection, machines, start, end)

    def newest_event(self, kinds: Sequence[str]) -> datetime | None:
        """Return when the newest event of some kinds began; ``None`` if there is none."""
        with self._database.read() as connection:
            found = event_rows.newest(connection, kinds)
        return None if found is None else from_microseconds(found)

    def event_page(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        offset: int = 0,
        limit: int,
    ) -> pd.DataFrame:
        """Return at most ``limit`` rows of what ``events`` returns, from row ``offset`` on; of at most 500 machines."""
        with self._database.read() as connection:
            return event_rows.page(
                connection, machines=machines, kinds=kinds, start=start, end=end, offset=offset, limit=limit
            )

    def reject(
        self,
        rejections: Sequence[Rejection],
        *,
        source: str,
        position: str = "",
        counts: Mapping[Cell, int] = MappingProxyType({}),
    ) -> None:
        """Keep what could not be used, for a person to look at; the same again is kept once.

        Parameters
        ----------
        counts : how many cells of each machine, signal and day were turned away; added to those of before
        """
        if rejections or counts:
            with self._database.write() as connection:
                turned_away_rows.add(connection, counts, source=source, position=position)
                reject_rows.keep(connection, rejections, source, position)

    def forget_rejections(self, *, source: str, position: str) -> None:
        """Forget what could not be used at a position, before it is read anew."""
        with self._database.write() as connection:
            reject_rows.forget(connection, source, position)
            turned_away_rows.forget(connection, source=source, position=position)

    def turned_away(self, machines: Sequence[str], start: datetime, end: datetime) -> TurnedAway:
        """Return how many cells of machines were turned away on the days of [start, end]."""
        with self._database.read() as connection:
            return turned_away_rows.read(connection, machines, start=start, end=end)

    def repeated(self, start: datetime, end: datetime) -> dict[str, int]:
        """Return how many rows of each machine came again with nothing new, on the days of [start, end]."""
        with self._database.read() as connection:
            return repeated_rows.read(connection, start=start, end=end)

    def rejections(self, source: str | None = None, *, limit: int = 100) -> list[Rejection]:
        """Return the newest rejections, of one source or of all."""
        with self._database.read() as connection:
            return reject_rows.read(connection, source, limit)

    def rejected_for(self, reason: str) -> dict[str, int]:
        """Return how many rejections with a reason that begins so are kept of each source that has any."""
        with self._database.read() as connection:
            return reject_rows.counts(connection, reason)

    def dead_letters(self, *, source: str | None = None, after: int = 0, limit: int = 100) -> list[KeptLetter]:
        """Return dead letters, oldest first: of one source or of all, with a higher number than ``after``."""
        with self._database.read() as connection:
            return dead_letter_rows.read(connection, source=source, after=after, limit=limit)

    def dead_letter(self, number: int) -> KeptLetter:
        """Return one dead letter; raises ``UnknownNameError`` if there is none of this number."""
        with self._database.read() as connection:
            found = dead_letter_rows.find(connection, number)
        if found is None:
            raise UnknownNameError(f"no dead letter {number}; it may have been replayed or dropped since")
        return found

    def newest_dead_letter(self) -> int:
        """Return the number of the newest dead letter; 0 if there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.coalesce(func.max(DEAD_LETTERS.c.id), 0))).scalar_one()

    def discard_dead_letters(self, numbers: Sequence[int]) -> int:
        """Throw dead letters away, and return how many there were."""
        with self._database.write() as connection:
            return dead_letter_rows.remove(connection, numbers, counted_as="discarded")

    def give_reasons(self, reasons: Mapping[int, str]) -> None:
        """Write down why these dead letters were not understood this time either."""
        if reasons:
            with self._database.write() as connection:
                for number, reason in reasons.items():
                    dead_letter_rows.give_reason(connection, number, reason)

    def dead_letter_counts(self) -> dict[str, LetterCounts]:
        """Return how many dead letters each source has, had, and what became of them."""
        with self._database.read() as connection:
            return dead_letter_rows.counts(connection)

    def counts(self) -> StoreCounts:
        """Return how much the store holds; readings that came twice count twice until they are merged."""
        with self._database.read() as connection:
            sealed = connection.execute(
                select(
                    func.coalesce(func.sum(SEGMENTS.c.readings), 0),
                    func.count(SEGMENTS.c.id),
                    func.coalesce(func.sum(SEGMENTS.c.bytes), 0),
                )
            ).one()
            waiting = connection.execute(select(func.coalesce(func.sum(BATCHES.c.readings), 0))).scalar_one()
            events = connection.execute(select(func.count(EVENTS.c.id))).scalar_one()
            rejected = connection.execute(select(func.count(REJECTS.c.id))).scalar_one()
        return StoreCounts(
            int(sealed[0] + waiting), events, rejected, sealed[1], int(sealed[2]) + self._database.size()
        )

    def find_damage(self) -> list[Damage]:
        """Read all that lies on disk, and return what is not as it was written."""
        return [*find_damage(self._database, self._lake), *find_strays(self._lake)]

    def set_aside(self, damages: Sequence[Damage]) -> str:
        """Take damaged parts out of the store, and say where they are now."""
        return set_aside(self._database, self._lake, list(damages), self.folder / "damaged")

    def parts(self) -> StoredParts:
        """Return of how many parts the readings consist that ``find_damage`` looks at."""
        with self._database.read() as connection:
            files, sealed = connection.execute(
                select(func.count(SEGMENTS.c.id), func.coalesce(func.sum(SEGMENTS.c.rows), 0))
            ).one()
            batches, waiting = connection.execute(
                select(func.count(BATCHES.c.id), func.coalesce(func.sum(BATCHES.c.rows), 0))
            ).one()
        return StoredParts(files, batches, int(sealed + waiting))

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()


def _in_order(kept: Sequence[Delivery], held: Mapping[str, Held]) -> list[Readings]:
    """Return the readings of deliveries, replayed ones without what something newer stands for."""
    return [
        held[each.machine_class].without_newer(each) if delivery.replayed and each.table.num_rows else each
        for delivery in kept
        for each in delivery.readings
    ]


def _set_notes(connection: Connection, source: str, notes: Mapping[str, str]) -> None:
    if notes:
        statement = insert_into(connection, POSITIONS)
        statement = statement.on_conflict_do_update(
            index_elements=["source", "position"], set_={"note": statement.excluded.note}
        )
        rows = [{"source": source, "position": position, "note": note} for position, note in notes.items()]
        connection.execute(statement, rows)


def _plain(table: pa.Table, signals: Sequence[str]) -> pa.Table:
    """Return the table with machines as text, as everybody outside knows it."""
    return table.cast(readings_schema(tuple(signals)))
