"""Arrow bodies: one IPC stream, wide or long."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from ingest.decode.arrow_size import packed_bytes
from ingest.decode.batch import decode_batch, refuse_body, refuse_many_columns, refuse_twice
from ingest.decode.plain_columns import MOST_TEXT, plain, refuse_odd_columns
from ingest.decode.rows import Decoded
from ingest.plant import Plant

MOST_CELLS = 10_000_000
MOST_UNPACKED = 16 * 1024 * 1024
"""Bytes of all columns that are packed, as of any other body."""
UNREADABLE = (pa.ArrowException, OSError, EOFError, ValueError, TypeError, KeyError, NotImplementedError, MemoryError)
"""Bytes that somebody broke on purpose make pyarrow raise whatever its layers raise."""


def decode_arrow(body: bytes, plant: Plant, *, now: datetime, time_format: str = "iso") -> Decoded:
    """Decode an Arrow IPC stream; its columns are named as ``decode_batch`` wants them.

    Timestamps with a zone are moments; those without are local times of the plant.

    Parameters
    ----------
    now : time of arrival

    Returns
    -------
    Decoded
        Rows in its rejections are counted from 1.

    Raises
    ------
    SourceError
        When the body is no such stream, is cut off or unpacks to too much, or has no machine or time.
    """
    return decode_batch(arrow_table(body), plant, now=now, time_format=time_format)


def arrow_table(body: bytes) -> pa.Table:
    """Return a body as a table of plain columns; raises ``SourceError`` when it is no stream, or unpacks to too much.

    Plain columns are numbers, texts and times; those of other kinds are refused.
    """
    try:
        table = table_in(body)
    except UNREADABLE as error:
        raise refuse_body(f"is not an Arrow IPC stream ({_first_line(error)})") from error
    refuse_twice(table.column_names)
    return table


def table_in(body: bytes) -> pa.Table:
    """Return what a stream holds; raises as ``batches_in``."""
    return pa.Table.from_batches(batches_in(body))


def batches_in(body: bytes) -> list[pa.RecordBatch]:
    """Return the batches of a stream, at least one.

    Raises
    ------
    SourceError
        When it has columns that no reading has, or more than is taken.
    UNREADABLE
        When the bytes are no such stream.
    """
    if packed_bytes(body) > MOST_UNPACKED:
        raise refuse_body(f"unpacks to more than {MOST_UNPACKED:,} bytes")
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        refuse_many_columns(len(reader.schema.names))
        refuse_odd_columns(reader.schema)
        return list(_checked(reader)) or [pa.RecordBatch.from_pylist([], schema=reader.schema)]


def _checked(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    cells = size = 0
    for packed in reader:
        # Columns of nothing may have more rows than bytes came.
        cells += packed.num_rows * packed.num_columns
        if cells > MOST_CELLS:
            raise refuse_body(f"has more than {MOST_CELLS:,} cells")
        batch, more = plain(packed)
        size += more
        if size > MOST_TEXT:
            raise refuse_body(f"has texts of more than {MOST_TEXT:,} bytes")
        yield batch


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
