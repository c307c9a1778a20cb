"""The readings of one machine as arrays, and the hours at which they are looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingest.store import History
from models.moment import instant
from models.rows import machine_rows

Hours = NDArray[np.datetime64]
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOUR = np.timedelta64(3_600_000_000, "us")


@dataclass(frozen=True)
class Block:
    """Readings of one machine.

    Attributes
    ----------
    time : datetime64[us] in UTC, ascending, shape (n,)
    values : shape (n_signals, n), NaN where a signal was not read
    """

    time: Hours
    values: Values

    @cached_property
    def changes(self) -> Values:
        """How far each reading is from the one before of its signal; shape (n_signals, n), NaN where there is none."""
        changes = np.full(self.values.shape, np.nan)
        for own, values in zip(changes, self.values, strict=True):
            read = np.flatnonzero(~np.isnan(values))
            own[read[1:]] = np.abs(np.diff(values[read]))
        return changes


def hours_in(start: datetime, end: datetime) -> Hours:
    """Return the whole hours in (start, end].

    Examples
    --------
    >>> hours_in(datetime(2026, 1, 1, 5, 30), datetime(2026, 1, 1, 7)).astype("datetime64[h]").tolist()
    [datetime.datetime(2026, 1, 1, 6, 0), datetime.datetime(2026, 1, 1, 7, 0)]
    """
    first, last = (instant(moment).astype("datetime64[h]") for moment in (start, end))
    return np.arange(first + 1, last + 1).astype("datetime64[us]")


def read_blocks(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> Iterator[tuple[str, Block]]:
    """Yield the readings of each machine that has any in (start, end]."""
    readings = history.read(machine_class, machines=machines, signals=signals, start=start, end=end)
    table = readings.table
    time = table["time"].cast("int64").to_numpy().astype("datetime64[us]")
    values = np.stack([table[name].to_numpy() for name in signals])
    for machine, rows in machine_rows(table["machine"].to_numpy()).items():
        yield machine, Block(time[rows], values[:, rows])
