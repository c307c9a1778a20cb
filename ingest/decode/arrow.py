"""Arrow bodies: one IPC stream, wide or long."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from ingest.decode.batch import decode_batch, refuse_body
from ingest.decode.rows import Decoded
from ingest.plant import Plant

MOST_CELLS = 10_000_000
UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, NotImplementedError, MemoryError)
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
    """Return a body as a table; raises ``SourceError`` when it is no stream, or unpacks to too much."""
    try:
        table = table_in(body)
    except UNREADABLE as error:
        raise refuse_body(f"is not an Arrow IPC stream ({_first_line(error)})") from error
    if len(set(table.column_names)) < table.num_columns:
        raise refuse_body("names a column twice")
    return table


def table_in(body: bytes) -> pa.Table:
    """Return what a stream holds; raises as ``batches_in``."""
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        return pa.Table.from_batches(_checked(reader), reader.schema)


def batches_in(body: bytes) -> list[pa.RecordBatch]:
    """Return the batches of a stream.

    Raises
    ------
    SourceError
        When it unpacks to too much.
    UNREADABLE
        When the bytes are no such stream.
    """
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        return list(_checked(reader))


def _checked(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    cells = 0
    for batch in reader:
        # An offset that points outside its buffer would be read later on, and end the process.
        batch.validate(full=True)
        # Compressed buffers and runs may unpack to far more than came.
        cells += batch.num_rows * batch.num_columns
        if cells > MOST_CELLS:
            raise refuse_body(f"has more than {MOST_CELLS:,} cells")
        yield batch


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
