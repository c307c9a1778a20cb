"""Times of rows that count cycles, or readings within cycles, in place of a time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.number import empty, numbers
from ingest.decode.reject import Rejects
from ingest.decode.time import Times
from ingest.plant import Source

_CYCLE_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

NOT_READ = -(2**62)
"""Stands for the newest reading of a machine that has none."""


def cycle_times(
    table: pa.Table,
    source: Source,
    before: int,
    zone: ZoneInfo,
    rejects: Rejects,
    newest: NDArray[np.int64] | None = None,
) -> Times:
    """Return the time of each row: start + cycle × its length + step × its length.

    Parameters
    ----------
    before : rows of the file before this table; where the source counts no cycles, the row is the cycle
    zone : of a start that names none
    newest : the newest reading of each row's machine, where that is what its cycles are counted from, shape
        (n_rows,); ``NOT_READ`` where it has none
    """
    start = source.cycle_start or _CYCLE_ZERO
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    if source.cycle is None:
        cycles = np.arange(before, before + table.num_rows, dtype=np.float64)
    else:
        cycles = numbers(table[source.cycle], source.cycle, rejects)
    away = cycles * ((source.cycle_length or timedelta(hours=1)) // _MICROSECOND)
    if source.step is not None:
        cells = table[source.step]
        rejects.add(np.flatnonzero(empty(cells) & ~np.isnan(cycles)), source.step, "", "no step is given")
        away = away + numbers(cells, source.step, rejects) * ((source.step_length or timedelta(0)) // _MICROSECOND)
    usable = np.abs(away) < 2.0**60
    zero: int | NDArray[np.int64] = (start - _EPOCH) // _MICROSECOND
    if newest is not None:
        silent = newest == NOT_READ
        column = source.cycle or ""
        rejects.add(np.flatnonzero(silent), column, table[column], "its machine has no reading to count from")
        zero, usable = np.where(silent, 0, newest), usable & ~silent
    return Times(zero + np.rint(np.where(usable, away, 0)).astype(np.int64), usable, np.zeros(table.num_rows, np.bool_))
