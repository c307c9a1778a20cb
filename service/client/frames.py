"""DataFrames and what goes over the wire: readings as Arrow, events as rows, lists of documents as tables."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from ingest.errors import SourceError

ROWS_AT_ONCE = 50_000
EVENTS_AT_ONCE = 10_000
_EVENT = ("machine", "kind", "time", "end", "component", "code", "value", "note")


def readings_bodies(frame: pd.DataFrame) -> Iterator[bytes]:
    """Cut readings into Arrow streams, in the order of the frame.

    Parameters
    ----------
    frame : columns ``machine`` and ``time`` (with a time zone), and one column of numbers for each signal

    Raises
    ------
    SourceError
        When a column is missing or is no number, before anything is sent.
    """
    _need(frame, ("machine", "time"))
    if twice := frame.columns[frame.columns.duplicated()].tolist():
        raise SourceError(f"column {twice[0]!r} stands there twice; give each signal once")
    if not isinstance(frame["time"].dtype, pd.DatetimeTZDtype):
        raise SourceError(
            f"column 'time' is {frame['time'].dtype}, not times with a zone; write"
            " pd.to_datetime(frame['time']).dt.tz_localize('Europe/Berlin')"
        )
    signals = [str(name) for name in frame.columns if name not in ("machine", "time")]
    for name in signals:
        if not pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_complex_dtype(frame[name]):
            raise SourceError(f"column {name!r} is {frame[name].dtype}, not numbers; pd.to_numeric makes them so")
    if not signals:
        raise SourceError("there is no column besides 'machine' and 'time'; give one for each signal")
    table = pa.table(
        {
            "machine": pa.array(frame["machine"].astype(str)),
            "time": pa.array(frame["time"].dt.tz_convert("UTC").dt.as_unit("us")),
            **{name: pa.array(frame[name].astype("float64"), from_pandas=True) for name in signals},
        }
    )
    for begin in range(0, table.num_rows, ROWS_AT_ONCE):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.slice(begin, ROWS_AT_ONCE))
        yield sink.getvalue().to_pybytes()


def event_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return events as documents; what is missing is left out.

    Raises
    ------
    SourceError
        When a column is missing, or is none that an event has.
    """
    _need(frame, ("machine", "kind", "time"))
    if unknown := [str(name) for name in frame.columns if name not in _EVENT]:
        raise SourceError(f"column {unknown[0]!r} is none of an event; those are: {', '.join(_EVENT)}")
    return [
        {str(name): _plain(value) for name, value in row.items() if not _missing(value)}
        for row in frame.to_dict("records")
    ]


def readings_frame(pages: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the pages of one machine's readings as a table: times as its index, a column for each signal."""
    names = list(dict.fromkeys(name for page in pages for name in page["signals"]))
    columns = {
        name: pd.concat([_series(page["signals"][name]) for page in pages if name in page["signals"]]) for name in names
    }
    frame = pd.DataFrame(columns)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.index, utc=True), name="time")
    return frame


def documents_frame(items: Sequence[Mapping[str, Any]], times: Sequence[str]) -> pd.DataFrame:
    """Return documents as a table, one row each, with times as times."""
    frame = pd.DataFrame(list(items))
    for name in times:
        if name in frame.columns:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame


def name_of(body: bytes) -> str:
    """Return a key for a body: the same body is the same batch, and counts once however often it is sent."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _series(signal: Mapping[str, Any]) -> "pd.Series[float]":
    index = pd.DatetimeIndex(pd.to_datetime(signal["time"], utc=True, format="ISO8601"))
    return pd.Series(signal["value"], index=index, dtype="float64")


def _need(frame: pd.DataFrame, names: Sequence[str]) -> None:
    if lacking := [name for name in names if name not in frame.columns]:
        there = ", ".join(map(str, frame.columns)) or "none"
        raise SourceError(f"there is no column {lacking[0]!r}; the frame has: {there}")


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)) or value is pd.NA


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value.item() if hasattr(value, "item") else value
