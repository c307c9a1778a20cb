"""Times long before their own arrival: a clock that lost the time says 1970, 1980 or 2000."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.reject import Rejects
from ingest.decode.time import EARLIEST
from ingest.duration import format_duration

OLD = "long before its arrival"
"""How the reason begins why such a time is turned away."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Booleans = NDArray[np.bool_]


def earliest_believed(arrival: datetime, old_after: timedelta) -> int:
    """Return the earliest time, in microseconds since 1970, that something may bear which is no file of the past.

    Parameters
    ----------
    old_after : as the plant file says it

    Examples
    --------
    >>> earliest_believed(datetime(1970, 1, 11, tzinfo=UTC), timedelta(days=10))
    0
    """
    return max(int(EARLIEST), (arrival - _EPOCH) // _MICROSECOND - old_after // _MICROSECOND)


def why_old(arrival: datetime, old_after: timedelta) -> str:
    """Say what is wrong with a time long before its arrival."""
    came = arrival.astimezone(UTC)
    return (
        f"{OLD} at {came:%Y-%m-%d %H:%M} UTC, by more than {format_duration(old_after)}; did the clock lose the time?"
        " History is read from files, or with a longer old_after in the plant file"
    )


def turn_old_away(
    stamps: NDArray[np.int64],
    chosen: Booleans,
    arrival: datetime,
    old_after: timedelta,
    column: str,
    cells: pa.ChunkedArray,
    rejects: Rejects,
) -> Booleans:
    """Return which of the chosen rows are not older than is believed; the others are turned away.

    Parameters
    ----------
    stamps : microseconds since 1970 UTC, shape (n_rows,); undefined where not ``chosen``
    """
    old = chosen & (stamps < earliest_believed(arrival, old_after))
    if old.any():
        rejects.add(np.flatnonzero(old), column, cells, why_old(arrival, old_after))
    return chosen & ~old
