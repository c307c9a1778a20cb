"""Line protocol whose lines all have the same tags and fields in the same order."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.clean.columns import Columns
from ingest.decode.clean.layout import Layouts
from ingest.decode.line_protocol import MACHINE_TAG, MOST_CELLS, PER_SECOND

_MARKS = b",= \n"
_NO_MARKS = bytes(byte for byte in range(256) if byte not in _MARKS)
_TO_ONE_MARK = bytes.maketrans(_MARKS, b"\n" * len(_MARKS))
_ODD = (b'"', b"\\", b"#", b"\r")
"""Strings, escapes, comments and line ends of Windows are for the careful decoder."""

_WHOLE = b"0123456789-"
_NUMBER = _WHOLE + b"+.eE"


def line_columns(body: bytes, head: Mapping[str, str], layouts: Layouts) -> Columns | None:
    """Return the columns of a body; ``None`` if they are not clean."""
    if any(mark in body for mark in _ODD):
        return None
    text = body if body.endswith(b"\n") else body + b"\n"
    first = text[: text.index(b"\n") + 1]
    shape, lines = first.translate(None, _NO_MARKS), text.count(b"\n")
    tags, fields = _counts(shape)
    if not fields or text.translate(None, _NO_MARKS) != shape * lines or lines * fields > MOST_CELLS:
        return None
    # What stands between two marks, line by line: each line has as many of them as it has marks.
    tokens = text[:-1].translate(_TO_ONE_MARK).split(b"\n")
    columns = [tokens[place :: len(shape)] for place in range(len(shape))]
    values = columns[2 : 2 * tags + 1 : 2]
    keys = columns[1 : 2 * tags : 2] + columns[2 * tags + 1 : -1 : 2]
    if any(each.count(each[0]) != lines for each in keys) or not _words([columns[0], *keys, *values]):
        return None
    names = tuple(each[0].decode("utf-8", "replace") for each in keys)
    machines = _machines(values, names[:tags])
    stamps = _stamps(columns[-1], head.get("precision", "ns"))
    if layouts.of(names[tags:]) is None or machines is None or stamps is None:
        return None
    cells = _numbers([cell for each in columns[2 * tags + 2 : -1 : 2] for cell in each], _NUMBER, pa.float64())
    return None if cells is None else Columns(machines, stamps, names[tags:], cells.reshape(fields, lines))


def _counts(shape: bytes) -> tuple[int, int]:
    """Return how many tags and fields a line with these marks has, and no fields where it is of another form."""
    tags, fields = shape.count(b",=", 0, shape.find(b" ")), shape[shape.find(b" ") :].count(b"=")
    usual = b",=" * tags + b" =" + b",=" * (fields - 1) + b" \n"
    return (tags, fields) if tags and shape == usual else (0, 0)


def _words(columns: Sequence[Sequence[bytes]]) -> bool:
    """Say whether each text is one word: there is more white space than the blank."""
    text = b" ".join(set().union(*columns)).decode("utf-8", "replace")
    return text.split() == text.split(" ")


def _machines(values: Sequence[Sequence[bytes]], tags: Sequence[str]) -> list[str] | None:
    places = [place for place, tag in enumerate(tags) if tag == MACHINE_TAG]
    return [name.decode("utf-8", "replace") for name in values[places[-1]]] if places else None


def _stamps(texts: Sequence[bytes], precision: str) -> NDArray[np.int64] | None:
    counts = _numbers(texts, _WHOLE, pa.int64())
    if counts is None or precision == "ns":
        return None if counts is None else counts // 1_000
    each = 1_000_000 // PER_SECOND[precision]
    # Not by the absolute value: the lowest of all integers has none.
    return counts * each if max(-int(counts.min()), int(counts.max())) < 2**62 // each else None


def _numbers(texts: Sequence[bytes], letters: bytes, kind: pa.DataType) -> NDArray[Any] | None:
    """Return texts as numbers if each has only these letters and is one."""
    if b"".join(texts).translate(None, letters):
        return None
    try:
        return pa.array(texts, pa.binary()).cast(pa.string()).cast(kind).to_numpy()
    except pa.ArrowInvalid:
        return None
