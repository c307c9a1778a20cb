"""Times ahead of their own arrival: nobody can have seen yet what they tell of."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.reject import Rejects
from ingest.event import EventKind
from ingest.reading import TIME

ALLOWANCE = timedelta(minutes=15)
"""How far a clock may run ahead of ours before its times are not believed."""

PLANNED: frozenset[EventKind] = frozenset({"maintenance", "inspection", "order", "shift"})
"""Kinds of events that are known before they happen."""

AHEAD = "ahead of its arrival"
"""How the reason begins why such a time is turned away."""

Booleans = NDArray[np.bool_]


def latest_believed(arrival: datetime) -> datetime:
    """Return the latest time that something may bear which was seen before it arrived."""
    return arrival + ALLOWANCE


def why_ahead(arrival: datetime) -> str:
    """Say what is wrong with a time ahead of its arrival."""
    came = arrival.astimezone(UTC)
    return f"{AHEAD} at {came:%Y-%m-%d %H:%M} UTC; is the clock, time_zone or time_format right?"


def turn_ahead_away(
    stamps: NDArray[np.int64],
    chosen: Booleans,
    arrival: datetime,
    column: str,
    cells: pa.ChunkedArray,
    rejects: Rejects,
) -> Booleans:
    """Return which of the chosen rows can have been seen by then; the others are turned away.

    Parameters
    ----------
    stamps : microseconds since 1970 UTC, shape (n_rows,); undefined where not ``chosen``
    """
    early = chosen & (stamps > pa.scalar(latest_believed(arrival), TIME).value)
    if early.any():
        rejects.add(np.flatnonzero(early), column, cells, why_ahead(arrival))
    return chosen & ~early
