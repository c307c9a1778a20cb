"""Times as kernels and panes take them: whole microseconds since 1970-01-01 UTC (int64)."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = 3_600_000_000


def microseconds(span: timedelta) -> int:
    """Return a span as whole microseconds."""
    return span // MICROSECOND


def moment(time: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def time_of(microseconds: int) -> datetime:
    """Return the UTC time of microseconds since 1970: ``moment`` backwards."""
    return EPOCH + microseconds * MICROSECOND
