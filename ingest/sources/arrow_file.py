"""Parquet and Arrow files in bounded memory."""

from collections.abc import Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import SourceError
from ingest.sources.chunk import Chunk, first_line

CELLS_IN_A_CHUNK = 1_500_000


def digest(path: Path) -> str:
    """Return a digest of a file's content."""
    running = blake2b(digest_size=16)
    try:
        with path.open("rb") as stream:
            while data := stream.read(1 << 20):
                running.update(data)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    return running.hexdigest()


class ParquetFile:
    """A Parquet file; raises ``SourceError`` when it is none, or is cut off."""

    def __init__(self, path: Path, cells: int = CELLS_IN_A_CHUNK) -> None:
        self.path = path
        self._cells = cells
        _refuse_empty(path)
        try:
            with pq.ParquetFile(path) as file:
                self.columns = tuple(file.schema_arrow.names)
                self.size = file.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{path}: not a Parquet file, or cut off: {first_line(error)}") from error

    def chunks(self, columns: tuple[str, ...]) -> Iterator[Chunk]:
        """Give the file part by part, with these columns."""
        key = digest(self.path)
        rows = max(1, self._cells // max(1, len(columns)))
        try:
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20) as file:
                batches = file.iter_batches(batch_size=rows, columns=list(columns))
                yield from _numbered(batches, key)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.path}: cannot be read to its end: {first_line(error)}") from error


class ArrowFile:
    """An Arrow IPC file or stream; raises ``SourceError`` when it is none, or is cut off."""

    def __init__(self, path: Path, cells: int = CELLS_IN_A_CHUNK) -> None:
        self.path = path
        self._cells = cells
        _refuse_empty(path)
        try:
            with path.open("rb") as raw, _reader(raw) as reader:
                self.columns = tuple(reader.schema.names)
                self.size = 0
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{path}: not an Arrow file, or cut off: {first_line(error)}") from error

    def chunks(self, columns: tuple[str, ...]) -> Iterator[Chunk]:
        """Give the file part by part, with these columns."""
        key = digest(self.path)
        rows = max(1, self._cells // max(1, len(columns)))
        try:
            with self.path.open("rb") as raw, _reader(raw) as reader:
                yield from _numbered(_sliced(_batches(reader), columns, rows), key)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.path}: cannot be read to its end: {first_line(error)}") from error


def _refuse_empty(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if size == 0:
        raise SourceError(f"{path}: the file is empty")


def _reader(raw: object) -> pa.RecordBatchReader | pa.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(raw)
    except pa.ArrowInvalid:
        raw.seek(0)  # type: ignore[attr-defined]
        return pa.ipc.open_stream(raw)


def _batches(reader: pa.RecordBatchReader | pa.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.RecordBatchFileReader):
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
    else:
        yield from reader


def _sliced(batches: Iterator[pa.RecordBatch], columns: tuple[str, ...], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        chosen = batch.select(list(columns))
        for offset in range(0, chosen.num_rows, rows):
            yield chosen.slice(offset, rows)


def _numbered(batches: Iterator[pa.RecordBatch], key: str) -> Iterator[Chunk]:
    done = 0
    for number, batch in enumerate(batches):
        before, done = done, done + batch.num_rows
        table = pa.Table.from_batches([batch])
        yield Chunk(table, f"{key}.{number}", done, partial(_row_number, before))


def _row_number(before: int, row: int) -> int:
    return before + row + 1
