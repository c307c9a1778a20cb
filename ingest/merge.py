"""One row for each machine and time, however often it came: the last arrival of each signal wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.reading import TIME

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merged:
    """Readings merged, and what became of each row that went in.

    Attributes
    ----------
    table : one row for each (machine, time), sorted so
    newly : shape (rows of ``table``,): whether an input row at or after ``fresh`` changed this row
    repeated, corrected : shape (rows in,): input rows that brought nothing new; that changed a value
    replaced : of each signal, pairs of input rows, shape (2, n): the row whose value went, and the row at
        or after ``fresh`` whose value took its place
    """

    table: pa.Table
    newly: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    corrected: NDArray[np.bool_]
    replaced: dict[str, Integers]


def wide_schema(signals: Sequence[str]) -> pa.Schema:
    """Return the schema inside the store: as ``readings_schema``, with machines as a dictionary."""
    keys = [pa.field("machine", pa.dictionary(pa.int32(), pa.string())), pa.field("time", TIME)]
    return pa.schema([*keys, pa.field("arrived", TIME), *(pa.field(name, pa.float64()) for name in signals)])


def conform(table: pa.Table, signals: Sequence[str]) -> pa.Table:
    """Return the table with exactly these signals; those that it lacks are null."""
    schema = wide_schema(signals)
    have = set(table.column_names)
    columns = [
        _cast(table[each.name], each.type) if each.name in have else pa.nulls(table.num_rows, each.type)
        for each in schema
    ]
    return pa.table(columns, schema=schema)


def merge(table: pa.Table, fresh: int = 0) -> Merged:
    """Merge rows of one machine and time, column by column; a null does not overwrite.

    Parameters
    ----------
    table : rows in the order of their arrival, as ``wide_schema`` has it
    fresh : rows before this one were known already; it matters for ``newly`` and ``replaced`` alone
    """
    table = unified(table)
    count = table.num_rows
    key = _keys(table)
    order = _order(key)
    ordered = key if order is None else key[order]
    same = ordered[1:] == ordered[:-1]
    repeated, corrected = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    original = np.arange(count) if order is None else order
    if not same.any():
        sorted_table = table if order is None else table.take(pa.array(order))
        return Merged(sorted_table, original >= fresh, repeated, corrected, {})
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    groups = _Groups(starts, np.diff(np.append(starts, count)))
    columns = [table["machine"].take(pa.array(original[groups.last])), table["time"].take(pa.array(original[starts]))]
    columns.append(pa.array(np.maximum.reduceat(table["arrived"].cast(pa.int64()).to_numpy()[original], starts)))
    columns[-1] = columns[-1].cast(table["arrived"].type)
    members = original[groups.members]
    found = _Found.none(groups, known=members < fresh)
    replaced: dict[str, Integers] = {}
    for name in table.column_names[3:]:
        values = table[name].to_numpy()[original]
        picked, pairs = groups.pick(values, found)
        columns.append(pa.array(picked, from_pandas=True))
        pairs = members[pairs]
        if (pairs := pairs[:, pairs[1] >= fresh]).size:
            replaced[name] = pairs
    again = members[groups.follows]
    brought = (found.changed | found.added) & np.repeat(found.moved, groups.lengths)
    repeated[again] = ~brought[groups.follows]
    corrected[again] = (found.changed & brought)[groups.follows]
    brings = ~repeated
    brings[:fresh] = False
    newly = np.logical_or.reduceat(brings[original], starts)
    return Merged(pa.table(columns, schema=table.schema), newly, repeated, corrected, replaced)


def unified(table: pa.Table) -> pa.Table:
    """Return the table in one piece, with one dictionary of machines."""
    return table.unify_dictionaries().combine_chunks()


@dataclass(slots=True)
class _Found:
    """What comparing the rows of one key found, over all columns so far.

    Attributes
    ----------
    known : whether a member was known already, shape (members,)
    changed, added : whether a member changed a value or added one, shape (members,)
    moved : whether the rows of a key came out other than what was known of it, shape (groups,)
    """

    known: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    added: NDArray[np.bool_]
    moved: NDArray[np.bool_]

    @classmethod
    def none(cls, groups: "_Groups", known: NDArray[np.bool_]) -> Self:
        """Return that nothing was found yet."""
        count = len(groups.members)
        return cls(known, np.zeros(count, np.bool_), np.zeros(count, np.bool_), np.zeros(len(groups.lengths), np.bool_))


class _Groups:
    """Runs of rows with one key, in sorted order; the work is done on runs longer than one only."""

    def __init__(self, starts: Integers, lengths: Integers) -> None:
        self.last = starts + lengths - 1
        self._several = np.flatnonzero(lengths > 1)
        self.lengths = long = lengths[self._several]
        self._begin = np.concatenate(([0], np.cumsum(long)[:-1])).astype(np.int64)
        self.members = np.repeat(starts[self._several] - self._begin, long) + np.arange(long.sum())
        self._begin_of = np.repeat(self._begin, long)
        self.follows = np.arange(len(self.members)) > self._begin_of

    def pick(self, values: NDArray[np.float64], so_far: _Found) -> tuple[NDArray[np.float64], Integers]:
        """Return the last value of each run, and note what was found on the way.

        Returns
        -------
        array of shape (runs,), array of shape (2, n)
            The values; and pairs of members, the second of which changed the value of the first.
        """
        picked = values[self.last]
        inside = values[self.members]
        present = ~np.isnan(inside)
        here = np.where(present, np.arange(len(inside)), -1)
        latest = np.maximum.accumulate(here)
        before = np.concatenate(([-1], latest[:-1]))
        has_before = before >= self._begin_of
        changed = present & has_before & (inside != inside[before])
        so_far.changed |= changed
        so_far.added |= present & ~has_before
        found = np.maximum.reduceat(here, self._begin)
        held = np.maximum.reduceat(np.where(so_far.known, here, -1), self._begin)
        so_far.moved |= (found >= 0) & ((held < 0) | (inside[found] != inside[held]))
        picked[self._several] = np.where(found >= 0, inside[found], np.nan)
        later = np.flatnonzero(changed)
        return picked, np.stack([before[later], later])


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        return column.cast(pa.string()).dictionary_encode()
    return column.cast(kind)


def _keys(table: pa.Table) -> Integers:
    """Return one number for each row that sorts as (machine, time) does."""
    if table.num_rows == 0:
        return np.zeros(0, np.int64)
    machines = table["machine"].combine_chunks()
    names = np.asarray(machines.dictionary.to_pylist(), dtype=object)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(names)] = np.arange(len(names))
    codes = rank[machines.indices.to_numpy()]
    times = table["time"].cast(pa.int64()).to_numpy()
    low = int(times.min())
    width = int(times.max()) - low + 1
    if len(names) * width < 2**62:
        return codes * width + (times - low)
    _, dense = np.unique(times, return_inverse=True)
    return codes * (int(dense.max()) + 1) + dense


def _order(key: Integers) -> Integers | None:
    """Return the stable order of the keys, or ``None`` where they are in order."""
    return None if bool((key[1:] >= key[:-1]).all()) else np.argsort(key, kind="stable")
