"""Late readings: those of a time that had been used already when they came.

Whoever uses readings says first up to when, for each machine: that time is *settled*. A batch that
holds an earlier time is noted as it arrives, and when it is sealed the rows of it that brought
something new are listed, so that what was made of the time before can be made again. Rows that come
later than the allowance are kept as readings and counted, but not listed.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, bindparam, case, delete, func, select, update

from ingest.catalogue import BATCHES, LATE, SETTLED, SUSPECTS
from ingest.checksum import checksum
from ingest.database import Database
from ingest.errors import DamagedError
from ingest.merge import unified
from ingest.statement import Insert, Many, Query

Settled = dict[str, tuple[int, int]]
"""Of each machine: the settled time, and the earliest time that is not too late."""

_MICROSECOND = timedelta(microseconds=1)
_SUM = struct.Struct("<4sQ")
_WITH_SUM = b"LATE"
_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")


def _further(statement: Insert) -> Insert:
    new, old = statement.excluded, SETTLED.c
    return statement.on_conflict_do_update(
        index_elements=["machine_class", "machine"],
        set_={"until": case((new.until > old.until, new.until), else_=old.until), "allowance": new.allowance},
    )


_SETTLE = Many(SETTLED, ("machine_class", "machine", "until", "allowance", "late", "too_late"), _further)
_SETTLED_FROM = Query(
    select(SETTLED.c.machine, SETTLED.c.until, SETTLED.c.allowance).where(
        SETTLED.c.machine_class == bindparam("of"), SETTLED.c.until >= bindparam("first")
    )
)


@dataclass(frozen=True, slots=True)
class LateRows:
    """Rows that came late, of one machine class.

    Attributes
    ----------
    number : grows with the time of sealing
    table : ``machine``, ``time`` (microseconds since 1970) and, for each signal, whether the row brought
        a value of it
    too_late : rows sealed with them that came later than the allowance
    """

    number: int
    table: pa.Table
    too_late: int

    def times(self, signals: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the late times of each machine at which any of these signals was read, ascending."""
        read = np.zeros(self.table.num_rows, np.bool_)
        for signal in set(signals) & set(self.table.column_names):
            read |= self.table[signal].to_numpy()
        if not read.any():
            return {}
        machines = self.table["machine"].combine_chunks().filter(pa.array(read))
        codes, times = machines.indices.to_numpy(), self.table["time"].to_numpy()[read]
        order = np.lexsort((times, codes))
        present, starts = np.unique(codes[order], return_index=True)
        names = machines.dictionary.to_pylist()
        parts = np.split(times[order], starts[1:])
        return {names[code]: np.unique(part) for code, part in zip(present.tolist(), parts, strict=True)}


@dataclass(frozen=True, slots=True)
class LateCounts:
    """How many rows of one machine came late and brought something; ``too_late`` later than the allowance."""

    late: int
    too_late: int


@dataclass(frozen=True, slots=True)
class Found:
    """What sealing found late: counts of each machine, and the rows within the allowance."""

    counts: Mapping[str, LateCounts]
    table: pa.Table


class LateList:
    """The list of late rows of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settle(self, machine_class: str, until: Mapping[str, int], allowance: timedelta) -> None:
        """Say, before readings are used, up to when they will be; the latest time said of a machine stands.

        Parameters
        ----------
        until : microseconds since 1970, of each machine
        allowance : how much earlier than that a row may be without being too late
        """
        earlier = allowance // _MICROSECOND
        rows = [(machine_class, machine, time, earlier, 0, 0) for machine, time in until.items()]
        if rows:
            with self._database.write() as connection:
                _SETTLE(connection, rows)

    def newest(self) -> int:
        """Return the number of the newest entry; 0 if there never was one."""
        with self._database.read() as connection:
            return connection.execute(select(func.coalesce(func.max(LATE.c.id), 0))).scalar_one()

    def after(self, machine_class: str, number: int) -> Iterator[LateRows]:
        """Yield the entries of a class that are newer than a number, oldest first, one in memory at a time.

        Raises
        ------
        DamagedError
            When an entry is not what was written.
        """
        following = select(LATE).where(LATE.c.machine_class == machine_class, LATE.c.id > bindparam("number"))
        while True:
            with self._database.read() as connection:
                row = connection.execute(following.order_by(LATE.c.id).limit(1), {"number": number}).first()
            if row is None:
                return
            yield entry_of(row)
            number = row.id

    def forget(self, number: int) -> None:
        """Remove the entries up to a number: whoever needed them has used them."""
        used = LATE.c.id <= number
        with self._database.read() as connection:
            if connection.execute(select(LATE.c.id).where(used).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(delete(LATE).where(used))

    def counts(self) -> dict[str, LateCounts]:
        """Return how many rows of each machine class ever came late."""
        totals = select(SETTLED.c.machine_class, func.sum(SETTLED.c.late), func.sum(SETTLED.c.too_late))
        with self._database.read() as connection:
            rows = connection.execute(totals.group_by(SETTLED.c.machine_class)).all()
        return {name: LateCounts(int(late), int(too_late)) for name, late, too_late in sorted(map(tuple, rows))}


def entry_of(row: Row[Any]) -> LateRows:
    """Return the entry that a row of ``LATE`` holds; raises ``DamagedError`` if it is not what was written."""
    body = bytes(row.body)
    # An entry that an earlier Andon wrote begins with the stream itself, and has no checksum.
    if body[: len(_WITH_SUM)] == _WITH_SUM:
        _, said = _SUM.unpack_from(body)
        body = body[_SUM.size :]
        if checksum(body, row.machine_class, row.too_late) != said:
            raise _damaged(row)
    try:
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            return LateRows(row.id, reader.read_all(), row.too_late)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(row) from error


def _damaged(row: Row[Any]) -> DamagedError:
    return DamagedError(
        f"late rows {row.id} of class {row.machine_class!r}: damaged, their content is not what was written;"
        " put them aside with 'andon check --storage --set-aside', and look after the disk"
    )


def suspect(connection: Connection, machine_class: str, table: pa.Table, first: int) -> None:
    """Note that the batch which came last may hold late rows, if it may.

    Parameters
    ----------
    first : earliest time in ``table``, the batch's rows
    """
    settled = _SETTLED_FROM(connection, of=machine_class, first=first)
    before = {machine: (until, until - allowance) for machine, until, allowance in settled}
    if before:
        here = set(table["machine"].unique().to_pylist())
        concerned = {machine: times for machine, times in before.items() if machine in here}
        if concerned:
            newest = select(func.max(BATCHES.c.id)).scalar_subquery()
            connection.execute(SUSPECTS.insert().values(batch=newest, settled=json.dumps(concerned)))


def suspects(connection: Connection, batches: Sequence[int]) -> dict[int, Settled]:
    """Return what was settled when those of the batches arrived that may hold late rows."""
    there = select(SUSPECTS).where(SUSPECTS.c.batch >= min(batches), SUSPECTS.c.batch <= max(batches))
    found = {row.batch: json.loads(row.settled) for row in connection.execute(there)}
    return {batch: found[batch] for batch in batches if batch in found}


def find(
    table: pa.Table, batch: NDArray[np.int64], brought: NDArray[np.bool_], settled: Mapping[int, Settled]
) -> Found:
    """Return which rows of batches were late and brought something.

    Parameters
    ----------
    table : rows as ``wide_schema`` has them
    batch : number of each row's batch, shape (n_rows,)
    brought : whether each row brought something that was not known, shape (n_rows,)
    settled : of the batches that may hold late rows
    """
    if not settled:
        return Found({}, table.slice(0, 0))
    table = unified(table)
    machines = table["machine"].chunk(0)
    names, codes = machines.dictionary.to_pylist(), machines.indices.to_numpy()
    times = table["time"].cast(pa.int64()).to_numpy()
    late, too_late = np.zeros(len(times), np.bool_), np.zeros(len(times), np.bool_)
    for number, said in settled.items():
        never = (-(2**63), -(2**63))
        until, earliest = np.array([said.get(name, never) for name in names], np.int64).T
        mine = brought & (batch == number)
        late |= mine & (times <= until[codes])
        too_late |= mine & (times < earliest[codes])
    of_each, too_late_of_each = (np.bincount(codes[which], minlength=len(names)) for which in (late, too_late))
    counts = {
        names[code]: LateCounts(int(of_each[code]), int(too_late_of_each[code]))
        for code in np.flatnonzero(of_each).tolist()
    }
    listed = table.filter(pa.array(late & ~too_late))
    marks = {name: listed[name].is_valid() for name in listed.column_names[3:]}
    return Found(counts, pa.table({"machine": listed["machine"], "time": listed["time"].cast(pa.int64()), **marks}))


def keep(connection: Connection, machine_class: str, found: Found) -> None:
    """List the late rows that sealing found, and count them."""
    if not found.counts:
        return
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.table.schema, options=_ZSTD) as writer:
        writer.write_table(found.table)
    too_late = sum(each.too_late for each in found.counts.values())
    stream = sink.getvalue().to_pybytes()
    body = _SUM.pack(_WITH_SUM, checksum(stream, machine_class, too_late)) + stream
    connection.execute(LATE.insert().values(machine_class=machine_class, too_late=too_late, body=body))
    more = update(SETTLED).where(SETTLED.c.machine_class == machine_class, SETTLED.c.machine == bindparam("of"))
    more = more.values(late=SETTLED.c.late + bindparam("more"), too_late=SETTLED.c.too_late + bindparam("too"))
    rows = [{"of": machine, "more": each.late, "too": each.too_late} for machine, each in found.counts.items()]
    connection.execute(more, rows)


def forget_batches(connection: Connection, batches: Sequence[int]) -> None:
    """Remove the notes on batches that have been sealed."""
    if batches:
        connection.execute(delete(SUSPECTS).where(SUSPECTS.c.batch.in_(batches)))
