"""The log: batches of readings, each made durable before it is acknowledged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Row, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from ingest.catalogue import BATCHES, POSITIONS, SIGNALS, SPANS
from ingest.reading import Readings, readings_schema

CELLS_IN_A_BATCH = 4_000_000
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


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
    _note_signals(connection, readings)
    _note_spans(connection, readings)
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
    statement = insert(POSITIONS).values(source=source, position=position, note=note).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def batches(
    connection: Connection, machine_class: str, first: int | None = None, newest: int | None = None
) -> list[Batch]:
    """Return the batches of a class that may touch [first, newest], oldest arrival first."""
    statement = select(BATCHES).where(*_touching(machine_class, first, newest)).order_by(BATCHES.c.id)
    return [_batch(row) for row in connection.execute(statement)]


def batch_ids(connection: Connection, machine_class: str, first: int, newest: int) -> Sequence[int]:
    """Return the numbers of the batches of a class that may touch [first, newest]."""
    statement = select(BATCHES.c.id).where(*_touching(machine_class, first, newest)).order_by(BATCHES.c.id)
    return connection.execute(statement).scalars().all()


def _touching(machine_class: str, first: int | None, newest: int | None) -> Iterator[ColumnElement[bool]]:
    yield BATCHES.c.machine_class == machine_class
    if first is not None:
        yield BATCHES.c.newest >= first
    if newest is not None:
        yield BATCHES.c.first <= newest


def oldest(connection: Connection, cells: int) -> tuple[str, list[Batch]] | None:
    """Return the class of the oldest batch and its first batches, as many as hold ``cells``, at least one."""
    head = connection.execute(select(BATCHES.c.machine_class).order_by(BATCHES.c.id).limit(1)).scalar()
    if head is None:
        return None
    chosen: list[int] = []
    held = 0
    sizes = select(BATCHES.c.id, BATCHES.c.cells).where(BATCHES.c.machine_class == head).order_by(BATCHES.c.id)
    for row in connection.execute(sizes):
        if chosen and held + row.cells > cells:
            break
        chosen.append(row.id)
        held += row.cells
    statement = select(BATCHES).where(
        BATCHES.c.machine_class == head, BATCHES.c.id >= chosen[0], BATCHES.c.id <= chosen[-1]
    )
    return head, [_batch(row) for row in connection.execute(statement.order_by(BATCHES.c.id))]


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Take sealed batches out of the log."""
    for offset in range(0, len(ids), 500):
        connection.execute(delete(BATCHES).where(BATCHES.c.id.in_(ids[offset : offset + 500])))


def held_cells(connection: Connection) -> int:
    """Return how many cells wait in the log."""
    return connection.execute(select(func.coalesce(func.sum(BATCHES.c.cells), 0))).scalar_one()


def _insert(connection: Connection, readings: Readings, source: str, position: str) -> None:
    table = readings.table.combine_chunks()
    times = pc.min_max(table["time"].cast(pa.int64()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_LZ4) as writer:
        writer.write_table(table)
    connection.execute(
        BATCHES.insert(),
        {
            "source": source,
            "position": position,
            "machine_class": readings.machine_class,
            "rows": table.num_rows,
            "cells": table.num_rows * table.num_columns,
            "readings": readings.count,
            "first": times["min"].as_py(),
            "newest": times["max"].as_py(),
            "body": sink.getvalue().to_pybytes(),
        },
    )


def _note_signals(connection: Connection, readings: Readings) -> None:
    known = set(
        connection.execute(select(SIGNALS.c.signal).where(SIGNALS.c.machine_class == readings.machine_class)).scalars()
    )
    new = [name for name in readings.signals if name not in known]
    if new:
        connection.execute(
            insert(SIGNALS).on_conflict_do_nothing(),
            [{"machine_class": readings.machine_class, "signal": name} for name in new],
        )


def _note_spans(connection: Connection, readings: Readings) -> None:
    times = pa.table({"machine": readings.table["machine"], "time": readings.table["time"].cast(pa.int64())})
    spans = times.group_by("machine").aggregate([("time", "min"), ("time", "max")])
    statement = insert(SPANS)
    statement = statement.on_conflict_do_update(
        index_elements=["machine_class", "machine"],
        set_={
            "first": func.min(SPANS.c.first, statement.excluded.first),
            "newest": func.max(SPANS.c.newest, statement.excluded.newest),
        },
    )
    connection.execute(
        statement,
        [
            {
                "machine_class": readings.machine_class,
                "machine": row["machine"],
                "first": row["time_min"],
                "newest": row["time_max"],
            }
            for row in spans.to_pylist()
        ],
    )


def _batch(row: Row[Any]) -> Batch:
    with pa.ipc.open_stream(pa.py_buffer(row.body)) as reader:
        return Batch(row.id, row.source, row.position, reader.read_all())
