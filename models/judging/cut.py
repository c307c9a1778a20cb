"""Where the training part of a history ends: by the time in which machines were read, not by the calendar."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.history import History
from models.moment import as_datetime, instant, span

TRAINING_SHARE = 0.6
MOST_PIECES = 50
_HOUR = int(span(timedelta(hours=1)).astype(np.int64))


def cut(history: History, machine_class: str, machines: Sequence[str], first: datetime, newest: datetime) -> datetime:
    """Return the full hour by which ``TRAINING_SHARE`` of the hours that hold readings have passed.

    An hour counts once for each machine that was read in it. So neither a hole nor a reading of a clock
    that was wrong by years moves the cut, and a machine that is read more often has no more say in it.
    Only times are read, piece by piece.

    Parameters
    ----------
    first, newest : readings reach from the one to the other
    """
    begin, stop = (int(_full_hours(np.array([instant(each)]))[0]) for each in (first, newest))
    edges = np.unique(np.linspace(begin - 1, stop, MOST_PIECES + 1).astype(np.int64))
    hours, machines_read = [], []
    moments = [as_datetime(np.datetime64(int(edge), "h")) for edge in edges]
    for start, end in pairwise(moments):
        table = history.read(machine_class, machines=machines, signals=(), start=start, end=end).table
        held, count = np.unique(_hours_read(table), return_counts=True)
        hours.append(held)
        machines_read.append(count)
    passed = np.cumsum(np.concatenate(machines_read))
    at = np.searchsorted(passed, TRAINING_SHARE * passed[-1])
    return as_datetime(np.datetime64(int(np.concatenate(hours)[at]), "h"))


def _hours_read(table: pa.Table) -> NDArray[np.int64]:
    """Return the full hours up to which each machine was read, one after the other."""
    hour = _full_hours(table["time"].to_numpy())
    machine = table["machine"].combine_chunks().dictionary_encode().indices.to_numpy()
    fresh = np.ones(len(hour), np.bool_)
    fresh[1:] = (hour[1:] != hour[:-1]) | (machine[1:] != machine[:-1])
    return hour[fresh]


def _full_hours(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the first full hour at or after each moment, counted since 1970."""
    return -(-time.astype("datetime64[us]").astype(np.int64) // _HOUR)
