"""A recipe applied to a span of readings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from features.baseline import own_normal
from features.catalogue import BY_NAME
from features.microsecond import EPOCH, MICROSECOND, Times, microseconds, moment
from features.moments import no_samples
from features.recipe import Recipe
from features.reference import ReferredHistory
from features.regime_share import regime_columns
from features.remembered_panes import summarise_newest
from features.snapshot_windows import of_waveform
from features.span import expected_every, portions
from features.summary import Group
from features.table import FeatureTable
from features.usage import MachineEvents, usage
from features.window import window_ends
from ingest.history import History

CELLS = 4_000_000
"""About how many readings are held at once (32 MB); intermediate arrays take a few times that."""

_NEVER = np.iinfo(np.int64).max
PANE_FIELDS = 12
FOREIGN_ENDS = 2
"""Machines are taken together while at most every second of their common window ends is no machine's own."""


def extract(
    recipe: Recipe, history: History, machines: Sequence[str], start: datetime, end: datetime, *, cells: int = CELLS
) -> FeatureTable:
    """Return one row per machine and window end in (start, end].

    Window ends are multiples of the recipe's stride since 1970-01-01 UTC. A machine has a row where
    its longest window holds a reading; while it falls silent ``filled`` sinks to 0, and when the
    longest window is empty, too, the rows end until it speaks again. What was read while the machine was
    off or settled is left out, and ``off`` says how much; rows go on while the longest window holds such
    time. A row uses readings and events at or before its time and nothing later, and no reading from
    before the machine's last failure.

    Memory is bounded: machines are taken in groups and long spans in pieces, and neither changes a
    bit of the result.

    Parameters
    ----------
    cells : about how many readings may be held at once
    """
    if recipe.reference is not None:
        history = ReferredHistory(history, recipe.reference)
    ends = window_ends(recipe.stride, start, end)
    tracks = _tracks(recipe, history, machines, ends)
    count = sum(track.count for track in tracks)
    table = FeatureTable(
        machine=np.repeat(np.array([each.machine for each in tracks], object), [each.count for each in tracks]),
        time=np.concatenate([ends[:0], *(ends[each.begin : each.stop] for each in tracks)]).view("datetime64[us]"),
        names=recipe.names,
        values=np.full((count, len(recipe.names)), np.nan),
        filled=np.zeros(count),
        off=None if recipe.running is None else np.zeros(count),
        signals=recipe.summarised,
        filled_by_signal=np.zeros((count, len(recipe.summarised)), np.float32),
    )
    alive = np.zeros(count, np.bool_)
    for together in _groups(recipe, tracks, cells):
        _summaries(recipe, history, together, ends, cells, table, alive)
    for track in tracks if recipe.waveforms else ():
        _waveforms(recipe, history, track, ends, cells, table, alive)
    for track in tracks:
        rows, own = track.rows(track.begin, track.stop), ends[track.begin : track.stop]
        for place, column in enumerate(recipe.columns):
            if column.of_events:
                table.values[rows, place] = usage(column, track.events, track.first, own)
        if recipe.regimes is not None:
            places, shares = regime_columns(recipe, history, track.machine, track.events.restarts, own, cells)
            table.values[rows, places] = shares
    return table if alive.all() else table.where(alive)


@dataclass(frozen=True, slots=True)
class _Track:
    """A machine's place in the table: window ends ``begin`` … ``stop`` − 1, from row ``offset`` on."""

    machine: str
    first: int
    begin: int
    stop: int
    offset: int
    events: MachineEvents

    @property
    def count(self) -> int:
        """How many rows it has."""
        return self.stop - self.begin

    def rows(self, begin: int, end: int) -> slice:
        """Return the rows of window ends begin … end − 1."""
        return slice(self.offset + begin - self.begin, self.offset + end - self.begin)


def _tracks(recipe: Recipe, history: History, machines: Sequence[str], ends: Times) -> list[_Track]:
    spans = history.spans(recipe.machine_class)
    names = [
        name for name in sorted(set(machines)) if name in spans and len(ends) and moment(spans[name][0]) <= ends[-1]
    ]
    if not names:
        return []
    events = history.events(
        machines=names, kinds=("failure", "maintenance", "error"), end=EPOCH + int(ends[-1]) * MICROSECOND
    )
    of_machine = MachineEvents.of(events, names)
    tracks, offset = [], 0
    for name in names:
        first, newest = moment(spans[name][0]), moment(spans[name][1])
        silent = newest + microseconds(recipe.lookback)
        # A machine may be known to be off without a reading that says so.
        begin, stop = (
            int(np.searchsorted(ends, each)) for each in (first, silent if recipe.running is None else _NEVER)
        )
        if begin < stop:
            tracks.append(_Track(name, first, begin, stop, offset, of_machine[name]))
            offset += stop - begin
    return tracks


def _groups(recipe: Recipe, tracks: Sequence[_Track], cells: int) -> Iterator[Sequence[_Track]]:
    """Take machines together that were read at about the same time, as many as fit, at least one."""
    of_stride = max(recipe.stride // expected_every(recipe), PANE_FIELDS * (recipe.stride // recipe.pane))
    lookback = recipe.lookback // recipe.stride
    together: list[_Track] = []
    for track in sorted(tracks, key=lambda each: (each.begin, each.stop, each.machine)):
        members = [*together, track]
        span = max(each.stop for each in members) - members[0].begin
        foreign = span * len(members) > FOREIGN_ENDS * sum(each.count for each in members)
        if together and (foreign or (span + lookback) * len(members) * of_stride * len(recipe.signals) > cells):
            yield sorted(together, key=lambda each: each.machine)
            together = []
        together.append(track)
    if together:
        yield sorted(together, key=lambda each: each.machine)


def _summaries(
    recipe: Recipe,
    history: History,
    tracks: Sequence[_Track],
    ends: Times,
    cells: int,
    table: FeatureTable,
    alive: NDArray[np.bool_],
) -> None:
    """Write the features of signals of some machines into the table, one piece of time after the other.

    Parameters
    ----------
    alive : set for each row of the table whose longest window holds a reading or time that is left out
    """
    names = tuple(track.machine for track in tracks)
    restarts = tuple(track.events.restarts for track in tracks)
    firsts = {track.machine: track.first for track in tracks}
    baseline = recipe.baseline or timedelta(0)
    normal_from = np.array([track.first for track in tracks]) + microseconds(baseline)
    normal, normal_ran = no_samples((len(recipe.signals), len(tracks), 1)), np.ones(len(tracks))
    compared = recipe.signals and any(BY_NAME[name].kind == "baseline" for name in recipe.features)
    if compared and normal_from.min() <= ends[-1]:
        normal, normal_ran = own_normal(recipe, history, names, firsts, cells)
    group = Group(names, restarts, normal, normal_from, normal_ran)
    of_signals = [place for place, column in enumerate(recipe.columns) if column.signal in recipe.signals]
    lookback, step = recipe.lookback // recipe.pane, recipe.stride // recipe.pane
    most = max(cells // (PANE_FIELDS * max(len(recipe.signals), 1) * len(tracks)) - lookback, lookback)
    first, last = min(track.begin for track in tracks), max(track.stop for track in tracks)
    for begin, end in portions(first, last, 1, max(most // step, 1)):
        found = summarise_newest(recipe, history, group, ends[begin:end], cells)
        for place, track in enumerate(tracks):
            late, soon = max(track.begin, begin), min(track.stop, end)
            if late < soon:
                rows, own = track.rows(late, soon), slice(late - begin, soon - begin)
                table.values[rows, : len(of_signals)] = found.values[place, own]
                table.filled[rows] = found.filled[place, own]
                if table.filled_by_signal is not None:
                    table.filled_by_signal[rows, : len(recipe.signals)] = found.shares[place, own]
                alive[rows] = found.spoken[place, own]
                if table.off is not None:
                    table.off[rows] = 1 - found.ran[place, own]


def _waveforms(
    recipe: Recipe,
    history: History,
    track: _Track,
    ends: Times,
    cells: int,
    table: FeatureTable,
    alive: NDArray[np.bool_],
) -> None:
    """Write the features of the waveforms of one machine into the table."""
    rows = track.rows(track.begin, track.stop)
    for place, waveform in enumerate(recipe.waveforms, start=len(recipe.signals)):
        found = of_waveform(
            recipe, waveform, history, track.machine, track.events.restarts, ends[track.begin : track.stop], cells
        )
        table.values[rows, found.places] = found.values
        table.filled[rows] = np.maximum(table.filled[rows], found.filled)
        if table.filled_by_signal is not None:
            table.filled_by_signal[rows, place] = found.share
        alive[rows] |= found.spoken
