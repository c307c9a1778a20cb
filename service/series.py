"""Series: one machine's signals over a span, thinned so that no spike is lost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.envelope import Cells
from ingest.history import History
from ingest.plant import MachineClass
from ingest.store import Store

_PARTS = 32
LONGEST_SILENCE = timedelta(days=90)
"""How far back the newest value of a signal is looked for."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one signal, or levels of one model, in the order of time.

    Attributes
    ----------
    time : array of datetime64[us] in UTC, shape (n,)
    value : float64 array of shape (n,), never NaN
    """

    time: NDArray[np.datetime64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


EMPTY = Series(np.empty(0, dtype="datetime64[us]"), np.empty(0))


def thin(series: Series, start: datetime, end: datetime, bins: int) -> Series:
    """Keep the lowest and the highest value of each of ``bins`` equal parts of the span.

    A spike of one sample survives, whatever the length of the span. Where a part holds at most two
    values nothing is lost.

    Parameters
    ----------
    bins : parts of (start, end]; the result has at most twice as many values

    Examples
    --------
    >>> time = np.datetime64("2026-01-01T00:00", "us") + np.arange(1, 101).astype("timedelta64[m]")
    >>> value = np.zeros(100)
    >>> value[42] = 9.0
    >>> begin = datetime(2026, 1, 1, tzinfo=UTC)
    >>> thinned = thin(Series(time, value), begin, begin + timedelta(minutes=100), bins=5)
    >>> len(thinned), float(thinned.value.max())
    (6, 9.0)
    """
    if len(series) <= 2 * bins:
        return series
    begin, width = _naive(start), max(1, int((end - start) / timedelta(microseconds=1)))
    offset = (series.time - begin).astype(np.int64)
    part = np.clip((offset * 1.0 * bins / width).astype(np.int64), 0, bins - 1)
    order = np.lexsort((series.value, part))
    bounds = np.flatnonzero(np.diff(part[order], prepend=-1))
    lowest = order[bounds]
    highest = order[np.append(bounds[1:], len(order)) - 1]
    constant = series.value[lowest] == series.value[highest]
    kept = np.unique(np.concatenate([lowest, np.where(constant, lowest, highest)]))
    return Series(series.time[kept], series.value[kept])


def signal_series(
    history: History,
    machine: str,
    machine_class: str,
    signals: tuple[str, ...],
    span: tuple[datetime, datetime],
    bins: int,
) -> dict[str, Series]:
    """Read a machine's signals over a span and thin each; memory follows ``bins``, not the span.

    Of a fast signal over a long span only the envelopes are read, see ``Store.extremes``.

    Parameters
    ----------
    span : (start, end], aware
    bins : parts of the span, as for ``thin``

    Returns
    -------
    one series for each signal, in the order of ``signals``; empty where it was not read
    """
    start, end = span
    if isinstance(history, Store):
        cells = history.extremes(machine_class, machine, signals, start, end, bins)
        if cells is not None:
            few = [signal for signal, each in cells.items() if each.count.sum() <= 2 * bins]
            # Where all of it can be shown, nothing is left out.
            whole = {}
            if few:
                table = history.read(machine_class, machines=[machine], signals=few, start=start, end=end).table
                whole = {signal: column_series(table, signal) for signal in few}
            return {
                signal: whole[signal] if signal in whole else _extremes_series(each) for signal, each in cells.items()
            }
    parts = 1 if end - start <= timedelta(days=8) else _PARTS
    edges = [start + (end - start) * index / parts for index in range(parts + 1)]
    pieces: dict[str, list[Series]] = {signal: [] for signal in signals}
    for low, high in pairwise(edges):
        table = history.read(machine_class, machines=[machine], signals=list(signals), start=low, end=high).table
        for signal in signals:
            pieces[signal].append(thin(column_series(table, signal), low, high, max(1, -(-bins // parts))))
    return {signal: joined(parts_of) for signal, parts_of in pieces.items()}


def _extremes_series(cells: Cells) -> Series:
    several = cells.high != cells.low
    time = np.concatenate([cells.low_at, cells.high_at[several]])
    value = np.concatenate([cells.low, cells.high[several]])
    order = np.argsort(time, kind="stable")
    return Series(time[order].astype("datetime64[us]"), value[order])


def column_series(table: pa.Table, signal: str) -> Series:
    """Return the known values of one signal of a readings table; empty if there is no such column."""
    if signal not in table.column_names:
        return EMPTY
    value = table[signal].to_numpy().astype(np.float64)
    known = ~np.isnan(value)
    return Series(table["time"].to_numpy().astype("datetime64[us]")[known], value[known])


def newest_values(
    history: History, machine: str, machine_class: MachineClass, newest: datetime | None
) -> dict[str, tuple[datetime, float]]:
    """Return the newest value of each slow signal and its time; those without one in ``LONGEST_SILENCE`` are left out.

    Parameters
    ----------
    newest : time of the machine's newest reading; a signal that was silent then is looked for further back
    """
    found: dict[str, tuple[datetime, float]] = {}
    if newest is None:
        return found
    edges = [newest - back for back in (timedelta(0), timedelta(days=1), timedelta(days=8), LONGEST_SILENCE)]
    for end, start in pairwise(edges):
        signals = [each.name for each in machine_class.slow_signals if each.name not in found]
        if not signals:
            break
        table = history.read(machine_class.name, machines=[machine], signals=signals, start=start, end=end).table
        for signal in signals:
            series = column_series(table, signal)
            if len(series):
                found[signal] = (utc(series.time[-1:])[0], float(series.value[-1]))
    return found


def utc(time: NDArray[np.datetime64]) -> list[datetime]:
    """Return times as aware ``datetime``."""
    return [each.replace(tzinfo=UTC) for each in time.astype("datetime64[us]").tolist()]


def joined(pieces: list[Series]) -> Series:
    """Put series that follow one another end to end."""
    if not pieces:
        return EMPTY
    return Series(np.concatenate([each.time for each in pieces]), np.concatenate([each.value for each in pieces]))


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
