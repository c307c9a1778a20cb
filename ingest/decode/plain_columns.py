"""Columns of Arrow as we read them: numbers, texts and times, each cell with bytes of its own.

Arrow can say more: a dictionary or a view lets a text of a megabyte stand in a million rows, which takes a terabyte
as soon as somebody looks at it. Such columns are laid out plainly here, after their size was counted.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.decode.batch import refuse_body

MOST_TEXT = 32_000_000
"""Bytes of all texts of one table; a body itself has half of that at most."""

_READ = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
)
_WIDTH_OF_VIEW = 16


def refuse_odd_columns(schema: pa.Schema) -> None:
    """Raise ``SourceError`` where a column holds neither numbers nor texts nor times."""
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(each(kind) for each in _READ):
            raise refuse_body(f"has a column {field.name[:80]!r} of {str(field.type)[:80]}")


def plain(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """Return a batch with plain columns only, every cell checked, and how many bytes its texts have.

    Raises
    ------
    SourceError
        When that would be more than ``MOST_TEXT``.
    pa.ArrowInvalid
        When a column is not what it says.
    """
    # To check the texts of a view takes as long as they are, and they may all be one and the same.
    size = sum(_bytes_of_views(each) for each in batch.columns if pa.types.is_string_view(each.type))
    _refuse_much_text(size)
    # An offset that points outside its buffer would be read later on, and end the process.
    batch.validate(full=True)
    columns = []
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            column, more = _laid_out(column, size)
        else:
            more = _bytes(column)
        size += more
        columns.append(_usual(column))
    _refuse_much_text(size)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names), size


def _laid_out(column: pa.DictionaryArray, before: int) -> tuple[pa.Array, int]:
    """Return a dictionary's values at their rows, and how many bytes their texts have."""
    words = column.dictionary
    if pa.types.is_string_view(words.type):
        _refuse_much_text(_bytes_of_views(words))
    words = _usual(words)
    size = 0
    if _is_text(words.type):
        size = pc.sum(pc.binary_length(words).take(column.indices)).as_py() or 0
        _refuse_much_text(before + size)
    return words.take(column.indices), size


def _usual(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC"):
        # A moment is the same in any zone; of zones we need to know none.
        return column.view(pa.int64()).view(pa.timestamp(kind.unit, "UTC"))
    return column


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _bytes(column: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(column)).as_py() or 0) if _is_text(column.type) else 0


def _bytes_of_views(column: pa.Array) -> int:
    views = column.buffers()[1]
    if views is None:
        return 0
    lengths = np.frombuffer(views, np.int32, count=views.size // _WIDTH_OF_VIEW * 4)[::4]
    return int(np.maximum(lengths, 0).sum(dtype=np.int64))


def _refuse_much_text(size: int) -> None:
    if size > MOST_TEXT:
        raise refuse_body(f"has texts of more than {MOST_TEXT:,} bytes")
