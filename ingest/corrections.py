"""Corrections: the last arrival of a reading wins, and the value before it is kept here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, func, select

from ingest.catalogue import CORRECTIONS, to_microseconds
from ingest.checksum import checksum
from ingest.database import Database
from ingest.errors import DamagedError
from ingest.reading import TIME

_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")
_ROWS_AT_ONCE = 1_000
_NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "machine": _NAMES,
        "signal": _NAMES,
        "time": TIME,
        "earlier": pa.float64(),
        "earlier_arrived": TIME,
        "value": pa.float64(),
        "arrived": TIME,
    }
)
"""One value that was replaced: ``earlier`` and when its row had come, ``value`` and when it came."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Corrections that one sealing found, of one machine class; ``table`` as ``SCHEMA`` has it."""

    number: int
    machine_class: str
    table: pa.Table


class Place(NamedTuple):
    """Where a row of corrections stands: the number of its entry, and how many rows it has up to this one.

    Rows are counted among those that are asked for.
    """

    number: int
    row: int = 0


BEGINNING = Place(0)


class Corrections:
    """All corrections of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self,
        *machine_classes: str,
        machines: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        after: int = 0,
    ) -> Iterator[Corrected]:
        """Yield corrections of readings in (start, end], in the order in which they were sealed.

        Parameters
        ----------
        after : only those with a higher number

        Raises
        ------
        DamagedError
            When a part is not what was written.
        """
        wanted: list[ColumnElement[bool]] = [CORRECTIONS.c.machine_class.in_(machine_classes)]
        if start is not None:
            wanted.append(CORRECTIONS.c.newest > to_microseconds(start))
        if end is not None:
            wanted.append(CORRECTIONS.c.first <= to_microseconds(end))
        while True:
            following = select(CORRECTIONS).where(CORRECTIONS.c.id > after, *wanted).order_by(CORRECTIONS.c.id).limit(1)
            with self._database.read() as connection:
                row = connection.execute(following).first()
            if row is None:
                return
            after = row.id
            found = entry_of(row)
            table = _selected(found.table, machines, start, end)
            if table.num_rows:
                yield replace(found, table=table)

    def rows(
        self,
        machine_classes: Sequence[str],
        *,
        machines: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        after: Place = BEGINNING,
    ) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield what ``read`` finds, as one mapping for each row with the names of ``SCHEMA``, and its place.

        Parameters
        ----------
        after : only rows behind this place; no entry before it is read
        """
        # An entry that was read to some row is begun again.
        for each in self.read(*machine_classes, machines=machines, start=start, end=end, after=after.number - 1):
            begin = after.row if each.number == after.number else 0
            for first in range(begin, each.table.num_rows, _ROWS_AT_ONCE):
                for place, row in enumerate(each.table.slice(first, _ROWS_AT_ONCE).to_pylist(), start=first + 1):
                    yield Place(each.number, place), row

    def counts(self) -> dict[str, int]:
        """Return how many values of each machine class were ever replaced."""
        totals = select(CORRECTIONS.c.machine_class, func.sum(CORRECTIONS.c.rows)).group_by(CORRECTIONS.c.machine_class)
        with self._database.read() as connection:
            return {name: int(rows) for name, rows in sorted(map(tuple, connection.execute(totals)))}


def entry_of(row: Row[Any]) -> Corrected:
    """Return what a row of ``CORRECTIONS`` holds; raises ``DamagedError`` if it is not what was written."""
    if checksum(row.body, *row[1:5]) != row.sum:
        raise DamagedError(
            f"corrections {row.id} of class {row.machine_class!r}: damaged, their content is not what was written;"
            " restore the data folder from a backup, and look after the disk"
        )
    with pa.ipc.open_stream(pa.py_buffer(row.body)) as reader:
        return Corrected(row.id, row.machine_class, reader.read_all())


def replaced(table: pa.Table, pairs: Mapping[str, NDArray[np.int64]]) -> Iterator[pa.Table]:
    """Yield what merging a table replaced, one signal after the other.

    Parameters
    ----------
    table : what was merged
    pairs : ``Merged.replaced``
    """
    for signal, (earlier, later) in pairs.items():
        old, new = table.take(pa.array(earlier)), table.take(pa.array(later))
        names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(later), np.int32)), pa.array([signal]))
        columns = [new["machine"], names, new["time"], old[signal], old["arrived"], new[signal], new["arrived"]]
        yield pa.table(columns, schema=SCHEMA)


def keep(connection: Connection, machine_class: str, found: Sequence[pa.Table]) -> None:
    """Keep what sealing replaced."""
    if not found:
        return
    table = pa.concat_tables(found).unify_dictionaries().combine_chunks()
    times = pc.min_max(table["time"].cast(pa.int64()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=_ZSTD) as writer:
        writer.write_table(table)
    about = {
        "machine_class": machine_class,
        "rows": table.num_rows,
        "first": times["min"].as_py(),
        "newest": times["max"].as_py(),
    }
    body = sink.getvalue().to_pybytes()
    connection.execute(CORRECTIONS.insert(), {**about, "body": body, "sum": checksum(body, *about.values())})


def _selected(
    table: pa.Table, machines: Sequence[str] | None, start: datetime | None, end: datetime | None
) -> pa.Table:
    if machines is not None:
        table = table.filter(pc.is_in(table["machine"].cast(pa.string()), pa.array(machines, pa.string())))
    if start is not None:
        table = table.filter(pc.greater(table["time"], pa.scalar(start, TIME)))
    if end is not None:
        table = table.filter(pc.less_equal(table["time"], pa.scalar(end, TIME)))
    return table
