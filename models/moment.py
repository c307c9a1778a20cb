"""Moments and lengths of time: as arrays hold them and as nouns hold them."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def instants(column: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    """Return a UTC time column as a naive datetime64[us] array, NaT kept."""
    return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")


def instant(moment: datetime) -> np.datetime64:
    """Return a moment as datetime64[us] in UTC; a naive moment is taken to be UTC already.

    Examples
    --------
    >>> instant(datetime(2026, 1, 1, 6))
    np.datetime64('2026-01-01T06:00:00.000000')
    """
    stamp = pd.Timestamp(moment)
    naive = stamp if stamp.tz is None else stamp.tz_convert("UTC").tz_localize(None)
    return naive.to_datetime64().astype("datetime64[us]")


def span(length: timedelta) -> np.timedelta64:
    """Return a length of time as timedelta64[us]."""
    return np.timedelta64(length // timedelta(microseconds=1), "us")


def is_over(time: NDArray[np.datetime64], horizon: timedelta, known_until: np.datetime64 | None) -> NDArray[np.bool_]:
    """Say of which moments the whole (t, t + horizon] was observed, whatever happened in it.

    Only these are judged. If the others counted where an event came soon, the newest horizon would hold
    nothing but events.

    Parameters
    ----------
    known_until : up to when (inclusive) all events are known; ``None`` when they all are
    """
    if known_until is None:
        return np.ones(len(time), np.bool_)
    return time + span(horizon) <= known_until


def as_datetime(moment: np.datetime64) -> datetime:
    """Return a UTC instant as an aware datetime."""
    return pd.Timestamp(moment, tz="UTC").to_pydatetime()
