"""One file of the lake: written whole and synced before anybody may know of it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ingest.merge import wide_schema

CELLS_IN_A_GROUP = 2_000_000
ROWS_IN_A_GROUP = 65_536
_FORMAT = ds.ParquetFileFormat(dictionary_columns=["machine"])


@dataclass(frozen=True, slots=True)
class Segment:
    """A row of the catalogue of segments; times in microseconds since 1970."""

    id: int
    machine_class: str
    path: str
    sequence: int
    rows: int
    readings: int
    bytes: int
    first: int
    newest: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: columns, machines (all when ``None``) and times from ``first`` to ``newest``, both within."""

    signals: tuple[str, ...]
    machines: tuple[str, ...] | None = None
    first: int | None = None
    newest: int | None = None

    @property
    def filter(self) -> pc.Expression | None:
        """The same as an expression over columns."""
        parts = []
        if self.machines is not None:
            parts.append(pc.field("machine").isin(pa.array(self.machines, pa.string())))
        if self.first is not None:
            parts.append(pc.field("time") >= _stamp(self.first))
        if self.newest is not None:
            parts.append(pc.field("time") <= _stamp(self.newest))
        whole = None
        for part in parts:
            whole = part if whole is None else whole & part
        return whole


def write_segment(path: Path, tables: Iterable[pa.Table], signals: Sequence[str]) -> Segment | None:
    """Write sorted tables one behind the other as one file and sync it; ``None`` if they are all empty.

    Returns
    -------
    Segment with ``id`` and ``sequence`` 0 and an empty class: those are the catalogue's to give
    """
    schema = wide_schema(signals)
    rows = readings = 0
    first, newest = 2**62, -(2**62)
    path.parent.mkdir(parents=True, exist_ok=True)
    group = max(1, min(ROWS_IN_A_GROUP, CELLS_IN_A_GROUP // len(schema)))
    with path.open("wb") as sink:
        with pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            use_dictionary=["machine", "arrived"],
            column_encoding={"time": "DELTA_BINARY_PACKED", **dict.fromkeys(signals, "BYTE_STREAM_SPLIT")},
            write_statistics=["machine", "time"],
        ) as writer:
            for table in tables:
                if table.num_rows == 0:
                    continue
                writer.write_table(table, row_group_size=group)
                times = pc.min_max(table["time"].cast(pa.int64()))
                first, newest = min(first, times["min"].as_py()), max(newest, times["max"].as_py())
                rows += table.num_rows
                readings += sum(table.num_rows - table[name].null_count for name in signals)
        sink.flush()
        os.fsync(sink.fileno())
    if rows == 0:
        path.unlink()
        return None
    return Segment(0, "", path.name, 0, rows, readings, path.stat().st_size, first, newest)


def scan(paths: Sequence[Path], selection: Selection) -> ds.Scanner:
    """Return a scanner over files in this order; a column that a file lacks is null.

    Raises
    ------
    FileNotFoundError
        When it is run, if a file has been merged away meanwhile.
    """
    schema = wide_schema(selection.signals)
    dataset = ds.dataset([str(each) for each in paths], schema=schema, format=_FORMAT)
    return dataset.scanner(columns=schema.names, filter=selection.filter, batch_readahead=2, fragment_readahead=2)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(microseconds: int) -> pa.Scalar:
    return pa.scalar(microseconds, pa.timestamp("us", tz="UTC"))
