"""Compiled: the newest readings of one machine to the moments of panes, to the bits of ``features.pane``."""

from typing import Any

import numpy as np

from features.kernels.jit import jit
from features.kernels.pairwise import total_of
from features.kernels.stretch import ANCHOR, FIELDS, HIGH, LAST, LOW, M2, M3, M4, MEAN, SAMPLES, TIME, TT, TX

HOUR = 3_600_000_000


@jit
def _no_samples(held: Any, place: int) -> None:
    for field in range(FIELDS):
        held[field, place, :] = 0.0
    held[LOW, place, :] = np.inf
    held[HIGH, place, :] = -np.inf


@jit
def _sum_pane(times: Any, rows: Any, end: int, signals: int, held: Any, place: int, work: Any) -> None:
    """Write the moments of the rows of one pane, as ``features.pane.add_samples`` does.

    Parameters
    ----------
    times, rows : of the pane alone, at least one
    end : of the pane
    work : shape (4, at least as many as there are rows)
    """
    count = len(times)
    apart, square, clock, each = work[0], work[1], work[2], work[3]
    for signal in range(signals):
        known, smallest, largest, last = 0, np.inf, -np.inf, 0.0
        for i in range(count):
            x = rows[i, signal] + 0.0
            if not np.isnan(x):
                known += 1
                smallest, largest, last = min(smallest, x), max(largest, x), x
        if not known:
            continue
        for i in range(count):
            x = rows[i, signal] + 0.0
            there = not np.isnan(x)
            apart[i] = x - smallest if there else 0.0
            clock[i] = (times[i] - end) / HOUR if there else 0.0
        mean, time = total_of(apart, count) / known, total_of(clock, count) / known
        for i in range(count):
            there = not np.isnan(rows[i, signal])
            apart[i] = apart[i] - mean if there else 0.0
            clock[i] = clock[i] - time if there else 0.0
            square[i] = apart[i] * apart[i]
        held[SAMPLES, place, signal] = known
        held[ANCHOR, place, signal] = smallest
        held[MEAN, place, signal] = mean
        held[LOW, place, signal] = smallest
        held[HIGH, place, signal] = largest
        held[LAST, place, signal] = last
        held[TIME, place, signal] = time
        held[M2, place, signal] = total_of(square, count)
        for i in range(count):
            each[i] = square[i] * apart[i]
        held[M3, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = square[i] * square[i]
        held[M4, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = clock[i] * clock[i]
        held[TT, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = clock[i] * apart[i]
        held[TX, place, signal] = total_of(each, count)


@jit
def _spoken(times: Any, rows: Any, signals: int) -> Any:
    """Return times and rows in which one of the signals was read, as ``features.samples`` reads no others."""
    count = 0
    known = np.empty(len(times), np.int64)
    for i in range(len(times)):
        for signal in range(signals):
            if not np.isnan(rows[i, signal]):
                known[count] = i
                count += 1
                break
    if count == len(times):
        return times, rows
    return times[known[:count]], rows[known[:count]]


@jit
def add_panes(readings: Any, fresh: Any, signals: int, held: Any) -> None:
    """Write the moments of some panes behind those that are held; see ``newest_windows``."""
    times, rows = readings.times, readings.rows
    count = fresh.stop - fresh.place
    begin, until = readings.begin, fresh.since + count * fresh.length
    last = readings.stop
    while last > begin and times[last - 1] > until:
        last -= 1
    oldest = last
    while oldest > begin and times[oldest - 1] > fresh.since:
        oldest -= 1
    work = np.empty((4, last - oldest))
    for number in range(count - 1, -1, -1):
        since, place = fresh.since + number * fresh.length, fresh.place + number
        first = last
        while first > oldest and times[first - 1] > since:
            first -= 1
        _no_samples(held, place)
        if first < last:
            known, values = _spoken(times[first:last], rows[first:last], signals)
            if len(known):
                _sum_pane(known, values, since + fresh.length, signals, held, place, work)
        last = first
