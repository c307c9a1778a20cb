"""JSON bodies whose rows all have the same keys and values of the types that readings have."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from ingest.decode.clean.columns import Columns, iso_stamps
from ingest.decode.clean.layout import LAYOUTS_KEPT, Layouts
from ingest.decode.json import MOST_CELLS

_BLANK = b" \t\n\r"


def json_columns(body: bytes, head: Mapping[str, str], layouts: Layouts) -> Columns | None:
    """Return the columns of a body; ``None`` if they are not clean."""
    del head
    names = _names(body)
    values = tuple(name for name in names if name not in ("machine", "time"))
    long = layouts.long(names)
    if len(names) - len(values) != 2 or not (long or layouts.of(values)):
        return None
    try:
        rows = _decoder(names).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if len(rows) * len(names) > MOST_CELLS:
        return None
    columns = dict(zip(names, zip(*map(msgspec.structs.astuple, rows), strict=True), strict=True))
    stamps = iso_stamps(columns["time"])
    if stamps is None:
        return None
    if long:
        return Columns(columns["machine"], stamps, columns["signal"], np.array(columns["value"], np.float64), long=True)
    return Columns(columns["machine"], stamps, values, np.array([columns[name] for name in values], np.float64))


def _names(body: bytes) -> tuple[str, ...]:
    """Return the keys of the first row of a list; empty if there is none."""
    begin, end = body.find(b"{"), body.find(b"}")
    if begin < 0 or end < 0 or body[:begin].strip(_BLANK) != b"[":
        return ()
    try:
        row = msgspec.json.decode(body[begin : end + 1], type=dict[str, str | float | None])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()
    return tuple(row)


@lru_cache(LAYOUTS_KEPT)
def _decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    """Return what reads a list of rows with just these keys: text, and numbers or null."""
    fields = {f"column_{place}": name for place, name in enumerate(names)}
    long = "signal" in names and "value" in names
    texts = {"machine", "time", "signal"} if long else {"machine", "time"}
    kinds = [(field, str if name in texts else float | None) for field, name in fields.items()]
    row = msgspec.defstruct("Row", kinds, rename=fields, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
