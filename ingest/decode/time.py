"""Columns of times, however they are written, to microseconds since 1970."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.decode.number import cast_whole, is_text, numbers, present, texts
from ingest.decode.reject import Rejects

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EARLIEST = np.datetime64("1900-01-01", "us").astype(np.int64)
LATEST = np.datetime64("2200-01-01", "us").astype(np.int64)
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)? ?(Z|z|[+-]\d{2}(:?\d{2})?)?)?$"
_ZONED = r"[T ]\d{2}.*(Z|z|[+-]\d{2}(:?\d{2})?)$"
_GUESSES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y.%m.%d")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


@dataclass(frozen=True, slots=True)
class Times:
    """Times as they stood in a column.

    Attributes
    ----------
    microseconds : since 1970, UTC or on the wall clock, shape (n_rows,); any number where not ``usable``
    usable : whether a time was there and could be read, shape (n_rows,)
    local : whether the time names no zone, shape (n_rows,)
    """

    microseconds: Integers
    usable: Booleans
    local: Booleans


def times(column: pa.ChunkedArray, name: str, rejects: Rejects, time_format: str = "iso") -> Times:
    """Read a column of times; cells that hold anything else are turned away with the reason.

    Parameters
    ----------
    column : timestamps, dates, numbers or text, shape (n_rows,)
    time_format : as in the plant file; timestamps and dates need none
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        read = _from_stamps(column)
    elif time_format in PER_SECOND:
        read = _from_epoch(column, name, rejects, time_format)
    elif not is_text(kind) and not (pa.types.is_integer(kind) and "%" in time_format):
        read = _none(column)
        rejects.add(np.flatnonzero(present(column)), name, column, _no_text(column, time_format))
    elif time_format == "iso":
        read = _from_iso(column, name, rejects)
    else:
        read = _from_pattern(column, name, rejects, time_format)
    odd = read.usable & ((read.microseconds < EARLIEST) | (read.microseconds >= LATEST))
    if odd.any():
        rejects.add(
            np.flatnonzero(odd), name, column, f"before 1900 or after 2199; is time_format {time_format!r} right?"
        )
    return Times(read.microseconds, read.usable & ~odd, read.local)


def _from_stamps(column: pa.ChunkedArray) -> Times:
    zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
    if pa.types.is_timestamp(column.type) and (per := {"s": 1_000_000, "ms": 1_000}.get(column.type.unit)):
        # A cast would let what is too large begin anew, at a time that looks right.
        micros = np.clip(_whole(column.cast(pa.int64())), -(2**62) // per, 2**62 // per) * per
    else:
        stamps = column.cast(pa.timestamp("us", tz="UTC") if zoned else pa.timestamp("us"), safe=False)
        micros = _whole(stamps.cast(pa.int64()))
    return Times(micros, present(column), np.full(len(column), not zoned))


def _from_epoch(column: pa.ChunkedArray, name: str, rejects: Rejects, unit: str) -> Times:
    count = len(column)
    cast = cast_whole(column, pa.int64()) if is_text(column.type) else None
    whole = column if cast is None else cast
    if pa.types.is_integer(whole.type):
        values, usable = _whole(whole.cast(pa.int64())), present(whole)
        per = PER_SECOND[unit]
        limit = 2**62 // max(1, 1_000_000 // per)
        values = np.clip(values, -limit, limit)
        micros = values // 1_000 if unit == "ns" else values * (1_000_000 // per)
    else:
        numeric = numbers(column, name, rejects)
        usable = ~np.isnan(numeric)
        scaled = np.where(usable, numeric, 0.0) * (1_000_000 / PER_SECOND[unit])
        micros = np.rint(np.clip(scaled, -(2.0**62), 2.0**62)).astype(np.int64)
    return Times(micros, usable, np.zeros(count, np.bool_))


def _from_iso(column: pa.ChunkedArray, name: str, rejects: Rejects) -> Times:
    for kind, local in ((pa.timestamp("us"), True), (pa.timestamp("us", tz="UTC"), False)):
        stamps = cast_whole(column, kind)
        if stamps is not None:
            return Times(_whole(stamps.cast(pa.int64())), present(column), np.full(len(column), local))
    words = texts(column)
    is_iso = pc.fill_null(pc.match_substring_regex(words, _ISO), False).to_numpy()
    zoned = pc.fill_null(pc.match_substring_regex(words, _ZONED), False).to_numpy() & is_iso
    micros, usable = _parse(words, is_iso, "ISO8601")
    _turn_away(column, words, usable, name, rejects, "an ISO time such as 2026-01-31T06:00:00")
    return Times(micros, usable, ~zoned)


def _from_pattern(column: pa.ChunkedArray, name: str, rejects: Rejects, pattern: str) -> Times:
    words = texts(column if is_text(column.type) else column.cast(pa.string()))
    micros, usable = _parse(words, present(words), pattern)
    _turn_away(column, words, usable, name, rejects, f"a time as {pattern!r}")
    return Times(micros, usable, np.full(len(column), "%z" not in pattern))


def _parse(words: pa.ChunkedArray, which: Booleans, pattern: str) -> tuple[Integers, Booleans]:
    """Read the chosen cells, those that name no zone as if they were UTC."""
    # Only those: to turn what is no time into one takes longer than all else.
    encoded = pc.if_else(pa.array(which), words, pa.scalar(None, words.type)).combine_chunks().dictionary_encode()
    distinct = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
    stamps = pd.to_datetime(distinct, format=pattern, errors="coerce", utc=True).astype("datetime64[us, UTC]")
    known = np.append(stamps.notna().to_numpy(), False)
    values = np.append(stamps.to_numpy(dtype="datetime64[us]").astype(np.int64), 0)
    codes = pc.fill_null(encoded.indices, len(distinct)).to_numpy()
    usable = known[codes] & which
    return np.where(usable, values[codes], 0), usable


def _turn_away(
    column: pa.ChunkedArray, words: pa.ChunkedArray, usable: Booleans, name: str, rejects: Rejects, wanted: str
) -> None:
    bad = np.flatnonzero(present(words) & ~usable)
    if len(bad) == 0:
        return
    looks = _guess(str(words[int(bad[0])].as_py()))
    if usable.any():
        reason = f"not {wanted}; the column has two time formats" if looks else f"not {wanted}"
    else:
        reason = f"not {wanted}"
    rejects.add(bad, name, column, reason + (f"; it looks like time_format = {looks!r}" if looks else ""))


def _guess(text: str) -> str | None:
    """Return a time format that this text has, if it is a common one."""
    if text.isdigit() and len(text) in (10, 13, 16, 19):
        return {10: "s", 13: "ms", 16: "us", 19: "ns"}[len(text)]
    for day in ("%Y-%m-%d", *_GUESSES):
        for clock in _CLOCKS:
            try:
                datetime.strptime(text, day + clock)  # noqa: DTZ007 - only the shape is asked for
            except ValueError:
                continue
            return day + clock
    return None


def _no_text(column: pa.ChunkedArray, time_format: str) -> str:
    largest = pc.max(column).as_py() if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) else None
    unit = None if largest is None else _guess(str(int(abs(largest)))) if np.isfinite(largest) else None
    reason = f"a number, not a time as {time_format!r}"
    return f"{reason}; it looks like time_format = {unit!r}" if unit else reason


def _none(column: pa.ChunkedArray) -> Times:
    return Times(np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_), np.ones(len(column), np.bool_))


def _whole(column: pa.ChunkedArray) -> Integers:
    return pc.fill_null(column, 0).to_numpy()
