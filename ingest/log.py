"""The log: batches of readings, each made durable before it is acknowledged."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select

from ingest import late
from ingest.catalogue import BATCHES, POSITIONS, SIGNALS
from ingest.checksum import checksum
from ingest.errors import DamagedError
from ingest.reading import Readings, readings_schema
from ingest.statement import Many, Query, pieces

CELLS_IN_A_BATCH = 4_000_000
CELLS_AT_A_TIME = 2_000_000
"""Cells of the batches that are looked at together."""

_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
"""Handing a small batch to other threads costs more than packing it."""


_ABOUT = ("source", "position", "machine_class", "rows", "cells", "readings", "first", "newest")
_IDS = Query(
    select(BATCHES.c.id)
    .where(
        BATCHES.c.machine_class == bindparam("of"),
        BATCHES.c.newest >= bindparam("since"),
        BATCHES.c.first <= bindparam("until"),
    )
    .order_by(BATCHES.c.id)
)
_CLAIM = Many(POSITIONS, ("source", "position", "note"), lambda statement: statement.on_conflict_do_nothing())
_BATCH = Many(BATCHES, (*_ABOUT, "body", "sum"))
_SIGNAL = Many(SIGNALS, ("machine_class", "signal"), lambda statement: statement.on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch in the log; ``id`` grows with its arrival."""

    id: int
    source: str
    position: str
    table: pa.Table


def append(connection: Connection, readings: Readings, source: str, position: str) -> bool:
    """Put a batch behind all others; ``False`` and no change if the position is known.

    An empty position is never known: such batches are kept apart by their readings only.
    """
    if position and not claim(connection, source, position):
        return False
    table = readings.table
    if table.num_rows == 0:
        return True
    rows = max(1, CELLS_IN_A_BATCH // table.num_columns)
    for offset in range(0, table.num_rows, rows):
        part = Readings(readings.machine_class, table.slice(offset, rows))
        _insert(connection, part, source, position)
    note_signals(connection, readings.machine_class, readings.signals)
    return True


def append_together(connection: Connection, several: Sequence[Readings], source: str) -> None:
    """Put readings of many deliveries behind all others, those of one class as one batch.

    Raises
    ------
    TypeError
        When a table has not the schema of readings: it could never be sealed.
    """
    by_class: dict[str, list[pa.Table]] = {}
    for each in several:
        if not each.table.schema.equals(readings_schema(each.signals)):
            raise TypeError(f"readings of class {each.machine_class!r} have not the schema of readings")
        if each.table.num_rows:
            by_class.setdefault(each.machine_class, []).append(each.table)
    for machine_class, tables in by_class.items():
        together = pa.concat_tables(tables, promote_options="default")
        append(connection, Readings(machine_class, together), source, "")


def claim(connection: Connection, source: str, position: str, note: str = "") -> bool:
    """Remember a position; ``False`` if it is known."""
    return _CLAIM(connection, [(source, position, note)]) == 1


def batches(
    connection: Connection, machine_class: str, first: int | None = None, newest: int | None = None
) -> list[Batch]:
    """Return the batches of a class that may touch [first, newest], oldest arrival first."""
    statement = select(BATCHES).where(*_touching(machine_class, first, newest)).order_by(BATCHES.c.id)
    return [batch_of(row) for row in connection.execute(statement)]


def batch_ids(connection: Connection, machine_class: str, first: int, newest: int) -> tuple[int, ...]:
    """Return the numbers of the batches of a class that may touch [first, newest], ascending."""
    return tuple(row[0] for row in _IDS(connection, of=machine_class, since=first, until=newest))


def spans_of_batches(connection: Connection, machine_class: str, first: int, newest: int) -> list[tuple[int, int]]:
    """Return the first and the newest time of each batch of a class that may touch [first, newest]."""
    statement = select(BATCHES.c.first, BATCHES.c.newest).where(*_touching(machine_class, first, newest))
    return [(row.first, row.newest) for row in connection.execute(statement)]


def columns(
    connection: Connection, machine_class: str, names: Sequence[str], *, after: int
) -> Iterator[tuple[int, list[pa.Table]]]:
    """Give some columns of all batches of a class with a higher number than ``after``, many batches at a time.

    Yields
    ------
    The number of the last of them, and the columns of each; damaged batches have none.
    """
    sizes = select(BATCHES.c.id, BATCHES.c.cells).where(BATCHES.c.id > after, BATCHES.c.machine_class == machine_class)
    for numbers in _runs(connection.execute(sizes.order_by(BATCHES.c.id)).all(), CELLS_AT_A_TIME):
        between = BATCHES.c.id >= numbers[0], BATCHES.c.id <= numbers[-1], BATCHES.c.machine_class == machine_class
        tables = []
        for row in connection.execute(select(BATCHES).where(*between)):
            with contextlib.suppress(DamagedError):
                tables.append(batch_of(row, names).table)
        yield numbers[-1], tables


def _runs(sizes: Iterable[Row[int, int]], most: int) -> Iterator[list[int]]:
    """Give numbers in runs that hold at most so many cells together, or one number each."""
    run: list[int] = []
    held = 0
    for number, cells in sizes:
        if run and held + cells > most:
            yield run
            run, held = [], 0
        run.append(number)
        held += cells
    if run:
        yield run


def _touching(machine_class: str, first: int | None, newest: int | None) -> Iterator[ColumnElement[bool]]:
    yield BATCHES.c.machine_class == machine_class
    if first is not None:
        yield BATCHES.c.newest >= first
    if newest is not None:
        yield BATCHES.c.first <= newest


def newest(connection: Connection) -> int:
    """Return the number of the newest batch; 0 when none waits."""
    return int(connection.execute(select(func.coalesce(func.max(BATCHES.c.id), 0))).scalar_one())


def oldest(connection: Connection, until: int, cells: int) -> tuple[str, list[Batch]] | None:
    """Return the class of the oldest batch and its first batches, as many as hold ``cells``, at least one.

    Parameters
    ----------
    until : number of the last batch to look at
    """
    due = BATCHES.c.id <= until
    head = connection.execute(select(BATCHES.c.machine_class).where(due).order_by(BATCHES.c.id).limit(1)).scalar()
    if head is None:
        return None
    sizes = select(BATCHES.c.id, BATCHES.c.cells).where(BATCHES.c.machine_class == head, due).order_by(BATCHES.c.id)
    chosen = next(_runs(connection.execute(sizes), cells))
    statement = select(BATCHES).where(
        BATCHES.c.machine_class == head, BATCHES.c.id >= chosen[0], BATCHES.c.id <= chosen[-1]
    )
    return head, [batch_of(row) for row in connection.execute(statement.order_by(BATCHES.c.id))]


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Take sealed batches out of the log."""
    for some in pieces(ids):
        connection.execute(delete(BATCHES).where(BATCHES.c.id.in_(some)))
        late.forget_batches(connection, some)


def held_cells(connection: Connection) -> int:
    """Return how many cells wait in the log."""
    return int(connection.execute(select(func.coalesce(func.sum(BATCHES.c.cells), 0))).scalar_one())


def _insert(connection: Connection, readings: Readings, source: str, position: str) -> None:
    table = readings.table.combine_chunks()
    times = pc.min_max(table["time"].cast(pa.int64()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_LZ4) as writer:
        writer.write_table(table)
    about = (
        source,
        position,
        readings.machine_class,
        table.num_rows,
        table.num_rows * table.num_columns,
        readings.count,
        times["min"].as_py(),
        times["max"].as_py(),
    )
    body = sink.getvalue().to_pybytes()
    _BATCH(connection, [(*about, body, checksum(body, *about))])
    late.suspect(connection, readings.machine_class, table, times["min"].as_py())


def note_signals(connection: Connection, machine_class: str, signals: Sequence[str]) -> None:
    """Remember that a class has these signals, those that are new behind the others."""
    if signals:
        _SIGNAL(connection, [(machine_class, name) for name in signals])


def batch_of(row: Row[Any], columns: Sequence[str] | None = None) -> Batch:
    """Return a batch, or some columns of it, as it was written; raises ``DamagedError`` if it is not that any more."""
    if checksum(row.body, *(getattr(row, name) for name in _ABOUT)) != row.sum:
        raise DamagedError(
            f"batch {row.id} of the log, {row.rows:,} rows of class {row.machine_class!r}: damaged, its content is not"
            " what was written; restore the data folder from a backup, or put the batch aside with"
            " 'andon check --storage --set-aside', and look after the disk"
        )
    chosen = None if columns is None else [readings_schema(()).names.index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=chosen, use_threads=False)
    with pa.ipc.open_stream(pa.py_buffer(row.body), options=options) as reader:
        return Batch(row.id, row.source, row.position, reader.read_all())
