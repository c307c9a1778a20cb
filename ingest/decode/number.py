"""Columns to numbers; what is not a number is turned away cell by cell."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.decode.reject import Rejects

NOTHING = ("", "nan", "NaN", "NAN", "-nan", "null", "NULL", "None", "none", "NA", "N/A", "n/a", "#N/A", "-", "--")
DECIMAL_KEY = "; write decimal = ',' if it is the decimal mark"
"""How a reason ends that names the setting of a plant file for commas."""

_CAST_AT_ONCE = 10_000
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"


def numbers(column: pa.ChunkedArray, name: str, rejects: Rejects, decimal: str = ".") -> NDArray[np.float64]:
    """Return a column as float64, NaN where there is no usable number.

    Empty cells, and the usual spellings of "nothing" such as ``NaN`` or ``NULL``, are no mistakes; text
    and infinity are.

    Parameters
    ----------
    column : of any type; shape (n_rows,)
    """
    kind = column.type
    if is_text(kind):
        values = _from_text(column, name, rejects, decimal)
    elif pa.types.is_boolean(kind):
        values = _plain(column.cast(pa.int8()))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = _plain(column)
    else:
        values = np.full(len(column), np.nan)
        rejects.add(np.flatnonzero(present(column)), name, column, f"not a number but {kind}")
    infinite = np.isinf(values)
    if infinite.any():
        rejects.add(np.flatnonzero(infinite), name, column, "infinite; a reading is a finite number, or empty")
        values = np.where(infinite, np.nan, values)
    return values


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def present(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which cells hold anything."""
    return column.is_valid().to_numpy()


def empty(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which cells hold nothing, or a spelling of nothing."""
    if is_text(column.type):
        return texts(column).is_null().to_numpy()
    return column.is_null(nan_is_null=pa.types.is_floating(column.type)).to_numpy()


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text column without blanks around, null where it spells "nothing"."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, pa.array(NOTHING, trimmed.type)), pa.scalar(None, trimmed.type), trimmed)


def cast_whole(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Return texts as another type; ``None`` if any of them is no such thing."""
    parts: list[pa.Array] = []
    # A part at a time: a cast goes on to its end, and each text that cannot be cast takes microseconds.
    for offset in range(0, len(column), _CAST_AT_ONCE):
        try:
            parts += column.slice(offset, _CAST_AT_ONCE).cast(kind).chunks
        except pa.ArrowInvalid:
            return None
    return pa.chunked_array(parts, kind)


def _plain(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return column.cast(pa.float64(), safe=False).to_numpy()


def _from_text(column: pa.ChunkedArray, name: str, rejects: Rejects, decimal: str) -> NDArray[np.float64]:
    if decimal == "." and (cast := cast_whole(column, pa.float64())) is not None:
        return cast.to_numpy()
    words = texts(column)
    bad = np.zeros(len(words), np.bool_)
    if decimal == ",":
        bad = pc.fill_null(pc.match_substring(words, "."), False).to_numpy()
        rejects.add(np.flatnonzero(bad), name, column, "a point in a number, although decimal = ','")
        words = pc.replace_substring(words, ",", ".")
    wrong = ~pc.fill_null(pc.match_substring_regex(words, _NUMBER), True).to_numpy() & ~bad
    comma = pc.fill_null(pc.match_substring_regex(words, r"^[+-]?\d+,\d+$"), False).to_numpy() & wrong
    rejects.add(np.flatnonzero(comma), name, column, f"a comma in a number{DECIMAL_KEY}")
    as_json = pc.fill_null(pc.starts_with(words, "{"), False).to_numpy() & wrong
    rejects.add(np.flatnonzero(as_json), name, column, "text where a number should be (it looks like JSON)")
    rejects.add(np.flatnonzero(wrong & ~comma & ~as_json), name, column, "text where a number should be")
    usable = pc.if_else(pa.array(wrong | bad), pa.scalar(None, words.type), words)
    return _plain(usable)
