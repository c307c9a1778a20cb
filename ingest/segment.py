"""One file of the lake: written whole and synced before anybody may know of it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ingest.catalogue import to_microseconds
from ingest.checksum import Sums, damaged, metadata_of, sums_of, verify_footer, verify_groups
from ingest.decimals import Kinds, kind_for_all, packed, unpacked
from ingest.envelope_part import Envelopes
from ingest.merge import conform, wide_schema
from ingest.place import Opened

ROWS_IN_A_GROUP = (4_096, 65_536)
CELLS_IN_A_GROUP = 2_000_000
_SAMPLE = 4_096
_REMEMBERED = 128


@dataclass(frozen=True, slots=True)
class Segment:
    """A row of the catalogue of segments; times in microseconds since 1970, ``sums`` as in ``sums_of``."""

    id: int
    machine_class: str
    path: str
    sequence: int
    rows: int
    readings: int
    bytes: int
    first: int
    newest: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: columns, machines (all when ``None``) and times from ``first`` to ``newest``, both within.

    Attributes
    ----------
    spoken : leave out rows that hold none of the columns, so that who reads a slow signal beside a waveform does
        not hold a row for each of its samples
    """

    signals: tuple[str, ...]
    machines: tuple[str, ...] | None = None
    first: int | None = None
    newest: int | None = None
    spoken: bool = False

    def keep(self, table: pa.Table) -> pa.Table:
        """Return the rows that are selected."""
        if self.spoken:
            table = _spoken(table, self.signals)
        if table.num_rows == 0 or (self.machines is None and self.first is None and self.newest is None):
            return table
        keep = np.ones(table.num_rows, np.bool_)
        if self.machines is not None:
            machines = table["machine"].unify_dictionaries().combine_chunks()
            keep = np.isin(np.array(machines.dictionary.to_pylist(), object), self.machines)[machines.indices]
        if self.first is not None or self.newest is not None:
            times = table["time"].cast(pa.int64()).to_numpy()
            keep &= (times >= self._low) & (times <= self._high)
        return table if keep.all() else table.filter(pa.array(keep))

    def touching(self, index: "Index") -> list[int]:
        """Return the row groups that can have selected rows, by their lowest and highest machine and time."""
        may = (index.first <= self._high) & (index.newest >= self._low)
        if self.machines is not None:
            may &= np.logical_or.reduce([(index.lowest <= each) & (each <= index.highest) for each in self.machines])
        return np.flatnonzero(may).tolist()

    @property
    def _low(self) -> int:
        return -(2**63) if self.first is None else self.first

    @property
    def _high(self) -> int:
        return 2**63 - 1 if self.newest is None else self.newest


def _spoken(table: pa.Table, signals: Sequence[str]) -> pa.Table:
    """Return the rows that hold any of the signals."""
    columns = [table[name] for name in signals if name in table.column_names]
    if not all(column.null_count for column in columns):
        return table
    held = np.zeros(table.num_rows, np.bool_)
    for column in columns:
        held |= column.is_valid().to_numpy()
    return table if held.all() else table.filter(pa.array(held))


def write_segment(path: Path, tables: Iterable[pa.Table], kinds: Kinds) -> Segment | None:
    """Write sorted tables one behind the other as one file and sync it; ``None`` if they are all empty.

    Parameters
    ----------
    kinds : the type in which each signal is kept, in the order of the tables; it must hold all their values

    Returns
    -------
    Segment with ``id`` and ``sequence`` 0 and an empty class: those are the catalogue's to give
    """
    filled = (table for table in tables if table.num_rows)
    head = next(filled, None)
    if head is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = readings = 0
    first, newest = 2**62, -(2**62)
    envelopes = Envelopes(tuple(kinds))
    with path.open("wb") as sink:
        with pq.ParquetWriter(sink, _kept_schema(kinds), **_encoding(head, kinds)) as writer:
            for table in chain([head], filled):
                kept = _kept(table, kinds)
                for offset, length in row_groups(table):
                    writer.write_table(kept.slice(offset, length), row_group_size=length)
                    envelopes.add(table.slice(offset, length))
                times = pc.min_max(table["time"].cast(pa.int64()))
                first, newest = min(first, times["min"].as_py()), max(newest, times["max"].as_py())
                rows += table.num_rows
                readings += sum(table.num_rows - table[name].null_count for name in kinds)
            writer.add_key_value_metadata(envelopes.write(sink))
        sink.flush()
        os.fsync(sink.fileno())
    return Segment(0, "", path.name, 0, rows, readings, path.stat().st_size, first, newest, sums_of(path))


def row_groups(table: pa.Table) -> list[tuple[int, int]]:
    """Cut a sorted table where one machine ends and the next begins, so that one machine is read alone.

    Returns
    -------
    (offset, length) of each group; small machines share one, a large one has several
    """
    low, high = ROWS_IN_A_GROUP
    high = max(1, min(high, CELLS_IN_A_GROUP // table.num_columns))
    codes = table["machine"].combine_chunks().indices.to_numpy()
    ends = [*(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    groups: list[tuple[int, int]] = []
    begin = 0
    for end, following in zip(ends, [*ends[1:], None], strict=True):
        if following is not None and end - begin < min(low, high) and following - begin <= high:
            continue
        groups += [(offset, min(high, end - offset)) for offset in range(begin, end, high)]
        begin = end
    return groups


def schema_of(file: Opened, sums: Sums) -> pa.Schema:
    """Return the columns of a file and the types in which they are kept; raises as ``read_segment``."""
    return index_of(file, sums).metadata.schema.to_arrow_schema()


def kinds_in(schemas: Sequence[pa.Schema], signals: Sequence[str]) -> Kinds:
    """Return a type for each signal that holds what files of these schemas have of it."""
    return {name: kind_for_all(each.field(name).type for each in schemas if name in each.names) for name in signals}


def _kept_schema(kinds: Kinds) -> pa.Schema:
    schema = wide_schema(tuple(kinds))
    return pa.schema([each.with_type(kinds.get(each.name, each.type)) for each in schema])


def _kept(table: pa.Table, kinds: Kinds) -> pa.Table:
    names = table.column_names
    columns = [packed(table[name], kinds[name]) if name in kinds else table[name] for name in names]
    return pa.Table.from_arrays(columns, names=names)


def _encoding(head: pa.Table, kinds: Kinds) -> dict[str, Any]:
    """Choose how columns are written.

    Doubles that come again and again as the same eight bytes compress best as they are; decimals, and
    doubles of full precision, byte by byte.
    """
    sample = head.slice(0, _SAMPLE)
    encodings = {"time": "DELTA_BINARY_PACKED"} | dict.fromkeys(kinds, "BYTE_STREAM_SPLIT")
    for name, kind in kinds.items():
        if not pa.types.is_decimal(kind) and pc.count_distinct(sample[name]).as_py() < sample.num_rows // 2:
            encodings[name] = "PLAIN"
    return {
        "compression": "zstd",
        "store_decimal_as_integer": True,
        "use_dictionary": ["machine", "arrived"],
        "column_encoding": encodings,
        "write_statistics": ["machine", "time"],
    }


def read_segment(file: Opened, selection: Selection, sums: Sums) -> pa.Table:
    """Read the selected part of a file, a few row groups at a time; a column that it lacks is null.

    Parameters
    ----------
    sums : the file's checksums; what is read is verified first

    Raises
    ------
    FileNotFoundError
        When the file has been merged into another one meanwhile.
    DamagedError
        When the part is not what was written.
    """
    index = index_of(file, sums)
    try:
        with pq.ParquetFile(
            file.source, metadata=index.metadata, read_dictionary=["machine"], pre_buffer=False
        ) as opened:
            table = _read(file, opened, index, selection, sums)
    except pa.ArrowException as error:
        raise damaged(file) from error
    return conform(table, selection.signals)


@dataclass(frozen=True, slots=True)
class Index:
    """What a file says of itself: names of its columns; lowest and highest machine and time of each row group."""

    metadata: pq.FileMetaData
    names: frozenset[str]
    lowest: NDArray[np.object_]
    highest: NDArray[np.object_]
    first: NDArray[np.int64]
    newest: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file whose index is wanted; another file at its place would have other sums."""

    name: str
    sums: Sums
    file: Opened = field(compare=False)


def index_of(file: Opened, sums: Sums) -> Index:
    """Return the index of a file, once what the file says of itself is verified."""
    verify_footer(file, sums)
    try:
        return _index(_Wanted(file.name, sums, file))
    except pa.ArrowException as error:
        raise damaged(file) from error


@lru_cache(maxsize=_REMEMBERED)
def _index(wanted: _Wanted) -> Index:
    """Return the index of a file; parsed once, since that takes longer than to read one machine."""
    metadata = metadata_of(wanted.file)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    machines, times = ([each.column(place).statistics for each in groups] for place in (0, 1))
    return Index(
        metadata,
        frozenset(metadata.schema.names),
        np.array([each.min for each in machines], object),
        np.array([each.max for each in machines], object),
        np.array([_microseconds(each.min) for each in times], np.int64),
        np.array([_microseconds(each.max) for each in times], np.int64),
    )


def _read(file: Opened, opened: pq.ParquetFile, index: Index, selection: Selection, sums: Sums) -> pa.Table:
    schema, metadata = wide_schema(selection.signals), index.metadata
    columns = [name for name in schema.names if name in index.names]
    groups = selection.touching(index)
    several = max(1, CELLS_IN_A_GROUP // max(1, len(columns) * metadata.num_rows // metadata.num_row_groups))
    kept: list[pa.Table] = []
    for offset in range(0, len(groups), several):
        some = groups[offset : offset + several]
        verify_groups(file, metadata, sums, some, columns)
        kept.append(unpacked(selection.keep(opened.read_row_groups(some, columns=columns))))
    return pa.concat_tables(kept) if kept else schema.empty_table()


def _microseconds(moment: datetime) -> int:
    return to_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
