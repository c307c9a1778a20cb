"""The snapshots of a waveform signal over a span, each measured once; a day of one machine at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.align import newest_place
from features.excluded import excluded_time
from features.measures import MEASURE
from features.microsecond import EPOCH, MICROSECOND, Times, microseconds, moment
from features.moments import Floats
from features.order import Speed
from features.recipe import Recipe
from features.run import LONGEST, SECOND, gap, runs
from features.samples import Samples, samples_of
from features.snapshot import Snapshot
from features.waveform import Waveform
from ingest.history import History

DAY = microseconds(timedelta(days=1))
FIRST_PORTION = microseconds(timedelta(minutes=1))
GROWTH = 8
"""How many times as long as the last one a portion may be, by what that one held."""

Named = tuple[tuple[str, str], ...]
"""Measures and their parts, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Snapshots of one waveform of one machine.

    Attributes
    ----------
    begin : time of each one's first sample, in microseconds since 1970, ascending, shape (n_snapshots,)
    over : time from which it is known that it is over: its last sample and one and a half more
    values : shape (n_snapshots, n_measures), NaN where a number cannot be said
    """

    begin: Times
    over: Times
    values: Floats


def measured(
    recipe: Recipe, waveform: Waveform, names: Named, history: History, machine: str, span: tuple[int, int], cells: int
) -> Measured:
    """Return the snapshots of a machine that begin in some time, measured.

    What was made of a day is remembered as long as its readings stay as they are, if a round of the monitor
    will ask again: within a lookback of the machine's newest reading.

    Parameters
    ----------
    names : what to measure
    span : first and last moment, in microseconds since 1970
    cells : about how many readings may be held at once
    """
    first, newest = history.spans(recipe.machine_class)[machine]
    again = moment(newest - recipe.lookback - timedelta(days=1))
    span = max(span[0], moment(first)), min(span[1], moment(newest))
    known = recipe.running is None or not recipe.running.read().uses_state
    found = [Measured(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, len(names))))]
    for day in range(span[0] // DAY, span[1] // DAY + 1):
        begin, end = day * DAY, (day + 1) * DAY
        work = partial(_work, recipe, waveform, names, history, machine, (begin, end), cells)
        if known and end > again:
            start, stop = (EPOCH + each * MICROSECOND for each in (begin - _before(waveform), end + _after()))
            key = ("snapshots", waveform, names, recipe.running, machine)
            found += history.derived(recipe.machine_class, start, stop, [key], work)
        else:
            found += work([0])
    return Measured(
        np.concatenate([each.begin for each in found]),
        np.concatenate([each.over for each in found]),
        np.concatenate([each.values for each in found]),
    )


def _before(waveform: Waveform) -> int:
    """Return how long before a span must be read, to see whether a run goes on and how fast the shaft turned."""
    return max(2 * gap(waveform.rate), microseconds(waveform.speed_hold))


def _after() -> int:
    """Return how long after a span must be read, to see the end of a run that began in it."""
    return microseconds(LONGEST) + 1


def _work(
    recipe: Recipe,
    waveform: Waveform,
    names: Named,
    history: History,
    machine: str,
    span: tuple[int, int],
    cells: int,
    which: Sequence[int],
) -> list[Measured]:
    """Measure the snapshots that begin in first ≤ t < stop; one result, for the one key that is asked for."""
    del which
    begins, overs, rows = [], [], []
    late = gap(waveform.rate)
    for samples, portion in _portions(recipe, waveform, history, machine, span, cells):
        known = ~np.isnan(samples.values[0])
        times, values = samples.time[known], samples.values[0, known]
        for first, stop in runs(times, waveform.rate, waveform.length):
            if portion[0] <= times[first] < portion[1]:
                own = slice(int(times[first]), int(times[stop - 1]))
                snapshot = Snapshot(waveform, values[first:stop], _speed(waveform, samples, own.start, own.stop))
                begins.append(own.start)
                overs.append(own.stop + late)
                rows.append(_measure(snapshot, names))
    values = np.array(rows).reshape(-1, len(names))
    return [Measured(np.array(begins, np.int64), np.array(overs, np.int64), values)]


def _portions(
    recipe: Recipe, waveform: Waveform, history: History, machine: str, span: tuple[int, int], cells: int
) -> Iterator[tuple[Samples, tuple[int, int]]]:
    """Read a span in portions of about as many readings as may be held, by how many the last one held."""
    begin, length = span[0], FIRST_PORTION
    while begin < span[1]:
        end = min(begin + length, span[1])
        start, stop = begin - _before(waveform), end + _after()
        samples = samples_of(history, recipe.machine_class, waveform.signals, [machine], start - 1, stop)
        held = len(samples.time) * len(waveform.signals)
        if recipe.running is not None:
            (off,) = excluded_time(recipe.running, history, recipe.machine_class, [machine], start - 1, stop)
            samples = samples.where(~off.holds(samples.time) | np.isnan(samples.values[0]))
        yield samples, (begin, end)
        fits = int(length * min(cells / max(held, 1), GROWTH))
        begin, length = end, max(fits, FIRST_PORTION)


def _speed(waveform: Waveform, samples: Samples, begin: int, end: int) -> Speed | None:
    """Return the speed during a snapshot by readings at or before its end; ``None`` where none holds."""
    if not waveform.speed_signal:
        return None if waveform.speed is None else Speed(np.zeros(1), np.array([waveform.speed]))
    hold = microseconds(waveform.speed_hold)
    near = slice(*np.searchsorted(samples.time, [begin - hold, end + 1]))
    times, speeds = samples.time[near], samples.values[1, near]
    known = ~np.isnan(speeds)
    times, speeds = times[known], speeds[known]
    if not len(times):
        return None
    held = newest_place(times, np.array([begin]), hold)[0]
    return Speed((times[max(held, 0) :] - begin) / SECOND, np.abs(speeds[max(held, 0) :]) * waveform.speed_unit)


def _measure(snapshot: Snapshot, names: Named) -> Floats:
    with np.errstate(all="ignore"):
        return np.array([MEASURE[name].of(snapshot, part) for name, part in names])


def windows_of(found: Measured, begins: Times, ends: Times) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places first … stop − 1 of the snapshots that lie wholly in each window (begin, end]."""
    first = np.searchsorted(found.begin, begins, side="right")
    stop = np.searchsorted(found.over, ends, side="right")
    return first, np.maximum(stop, first)
