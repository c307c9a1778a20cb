"""JSON bodies: a list of rows, or one object of columns; wide or long."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from ingest.decode.batch import decode_batch, refuse_body, refuse_many_columns
from ingest.decode.reject import MOST_IN_A_BODY, Rejects
from ingest.decode.rows import Decoded
from ingest.plant import Plant

MOST_CELLS = 2_000_000
MOST_ROWS = 400_000
"""More than a body has room for, where each row has a machine, a time and a value."""
_LONGEST_NUMBER = 400


def decode_json(body: bytes, plant: Plant, *, now: datetime, time_format: str = "iso") -> Decoded:
    """Decode a JSON body.

    Rows are ``[{"machine": …, "time": …, "signal": value, …}, …]``, or with ``"signal"`` and ``"value"``
    one signal a row; columns are the same as one object of lists. ``{"readings": …}`` around either is fine.

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
        When the body is no JSON, or holds no rows, machine or time.

    Examples
    --------
    >>> from datetime import UTC
    >>> from ingest.plant import Machine, MachineClass, Signal
    >>> press = MachineClass(name="press", signals=[Signal(name="force")])
    >>> plant = Plant(classes=[press], machines=[Machine(name="p1", machine_class="press")])
    >>> body = b'[{"machine": "p1", "time": "2026-01-01T00:00:00Z", "force": 12}]'
    >>> decode_json(body, plant, now=datetime(2026, 1, 1, tzinfo=UTC)).readings[0].count
    1
    """
    if body.count(b"{") > MOST_ROWS:
        raise refuse_body(f"has more than {MOST_ROWS:,} objects")
    try:
        content = parse_json(body)
    except (ValueError, RecursionError) as error:
        raise refuse_body(f"is not JSON ({error})") from error
    strange = Rejects(most=MOST_IN_A_BODY)
    places: list[int] = []
    if isinstance(content, Mapping):
        columns = _of_columns(content)
    else:
        columns, places = _of_rows(content, strange)
    table = pa.table({encodable(name): column(cells) for name, cells in columns.items()})
    line_of = places.__getitem__ if strange.count else lambda row: row + 1
    decoded = decode_batch(table, plant, now=now, time_format=time_format, line_of=line_of)
    if not strange.count:
        return decoded
    return replace(
        decoded,
        rejections=sorted([*strange.kept, *decoded.rejections], key=lambda each: each.line),
        rejected=decoded.rejected + strange.count,
        rows=decoded.rows + strange.count,
    )


def parse_json(body: bytes) -> Any:
    """Return what a body holds, without the wrapping; numbers that are too long to be any stay text.

    Raises
    ------
    ValueError, RecursionError
        When it is no JSON.
    """
    try:
        content = json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        content = json.loads(body, parse_int=lambda text: int(text) if len(text) <= _LONGEST_NUMBER else text)
    if isinstance(content, Mapping) and isinstance(content.get("readings"), (list, dict)):
        return content["readings"]
    return content


def json_rows(body: bytes) -> list[Mapping[str, Any]]:
    """Return the rows of a body: one object, a list of objects, or an object of columns.

    Raises
    ------
    SourceError
        When it is no JSON, or something in it is no row.
    """
    try:
        content = parse_json(body)
    except (ValueError, RecursionError) as error:
        raise refuse_body(f"is not JSON ({error})") from error
    if isinstance(content, Mapping):
        columns = _of_columns(content)
        refuse_many_columns(len(columns))
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise refuse_body("is not a list of rows")
    refuse_many_columns(len({name for row in content for name in row}))
    return content


def table_of(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pa.Table:
    """Return rows as a table with these columns, empty where a row has no such key."""
    distinct = list(dict.fromkeys(names))
    refuse_many_columns(len(distinct))
    if len(distinct) * len(rows) > MOST_CELLS:
        raise refuse_body(f"has {len(distinct):,} different names in {len(rows):,} rows")
    return pa.table({encodable(name): column([row.get(name) for row in rows]) for name in distinct})


def _of_columns(content: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    if not all(isinstance(cells, list) for cells in content.values()):
        return _of_rows([content], Rejects())[0]
    lengths = {name: len(cells) for name, cells in content.items()}
    if len(set(lengths.values())) > 1:
        raise refuse_body(f"has columns of different lengths ({lengths})"[:300])
    return dict(content)


def _of_rows(content: object, strange: Rejects) -> tuple[dict[str, Sequence[Any]], list[int]]:
    """Return the columns and each row's place from 1; what is no row is turned away."""
    if not isinstance(content, list):
        raise refuse_body("is not a list of rows")
    if not content:
        return {"machine": [], "time": [], "signal": [], "value": []}, []
    places = [place for place, row in enumerate(content, 1) if isinstance(row, Mapping)]
    if not places:
        raise refuse_body("is not a list of rows")
    if len(places) < len(content):
        for place, row in enumerate(content, 1):
            if not isinstance(row, Mapping):
                strange.add_line(
                    place, encodable(str(row)[:80]), "not a row, which is an object with machine, time and values"
                )
        content = [content[place - 1] for place in places]
    names = dict.fromkeys(name for row in content for name in row)
    refuse_many_columns(len(names))
    if len(names) * len(content) > MOST_CELLS:
        raise refuse_body(f"has {len(names):,} different names in {len(content):,} rows")
    return {name: [row.get(name) for row in content] for name in names}, places


def column(cells: Sequence[Any]) -> pa.ChunkedArray:
    """Return cells as numbers if all are, else as text, so that one wrong cell does not spoil the others."""
    if all(cell is None or (isinstance(cell, (int, float)) and not isinstance(cell, bool)) for cell in cells):
        whole = all(isinstance(cell, int) and abs(cell) < 2**63 for cell in cells if cell is not None)
        kind = pa.int64() if whole else pa.float64()
        return pa.chunked_array([pa.array(cells if whole else [_real(cell) for cell in cells], kind)])
    return pa.chunked_array([pa.array([_text(cell) for cell in cells], pa.string())])


def _real(cell: float | None) -> float | None:
    try:
        return None if cell is None else float(cell)
    except OverflowError:
        return float("inf")


def _text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, str):
        return encodable(cell)
    try:
        return repr(cell) if isinstance(cell, float) else json.dumps(cell)
    except RecursionError:  # it could just be read, a few calls nearer to the bottom of the stack
        return "a value that is nested too deeply"


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: JSON may escape half a character, which Arrow refuses."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
