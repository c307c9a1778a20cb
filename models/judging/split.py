"""Keep what a model learns from and what it is judged on apart: by time or by machine, at random only when asked."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from models.moment import instants, span
from models.rows import by_machine, machine_rows

MOST_FOLDS = 5
EVENTS_PER_FOLD = 3
EVENTS_FOR_TIME_FOLDS = 30
_SEED = 20_013
HORIZONS_FOR_TIME_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows to learn from and rows to be judged on.

    Attributes
    ----------
    train, test : sorted row numbers of the feature table; disjoint
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def choose_folds(table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, split: str | None) -> list[Fold]:
    """Return the folds that suit the events that there are.

    By machine when the backtest is by machine. By time otherwise, with ``EVENTS_PER_FOLD`` events a
    fold and at most ``MOST_FOLDS``; but as long as there are fewer than ``EVENTS_FOR_TIME_FOLDS``
    events and they lie on enough machines, by machine all the same: a chain of folds in time spends
    its first events on learning alone, and with nine events none is to spare.

    Parameters
    ----------
    targets : table of ``target_events``, of the training part only

    Returns
    -------
    list of Fold; empty when nothing can be held out
    """
    counts = _event_counts(table, targets)
    events, machines = sum(counts.values()), sum(count > 0 for count in counts.values())
    few = 0 < events < EVENTS_FOR_TIME_FOLDS and machines >= EVENTS_PER_FOLD
    if split == "machine" or few:
        return machine_folds(table, targets, min(MOST_FOLDS, max(machines, 2) if events else MOST_FOLDS))
    if events == 0:
        return time_folds(table, targets, horizon, MOST_FOLDS)
    return time_folds(table, targets, horizon, min(MOST_FOLDS, events // EVENTS_PER_FOLD))


def choose_row_folds(table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, split: str | None) -> list[Fold]:
    """Return folds for what is judged by rows and not by events: a probability within a horizon that may be long.

    As ``choose_folds``, but a cut tears episodes: to leave out what lies in an episode at a cut would leave out
    most of what a long horizon has events for, and nothing is learnt from it before the cut anyway. And where the
    history holds fewer than ``HORIZONS_FOR_TIME_FOLDS`` horizons by machine, since gaps of one horizon would take
    most of it.
    """
    counts = _event_counts(table, targets)
    events, machines = sum(counts.values()), sum(count > 0 for count in counts.values())
    short = len(table) > 0 and table.time.max() - table.time.min() < HORIZONS_FOR_TIME_FOLDS * span(horizon)
    few = 0 < events < EVENTS_FOR_TIME_FOLDS
    if split == "machine" or ((few or short) and machines >= EVENTS_PER_FOLD):
        return machine_folds(table, targets, min(MOST_FOLDS, max(machines, 2)))
    return time_folds(table, targets, horizon, min(MOST_FOLDS, max(1, events // EVENTS_PER_FOLD)), torn=True)


def time_folds(
    table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, count: int, *, torn: bool = False
) -> list[Fold]:
    """Return forward-chaining folds: learn from what was, be judged on what came next.

    The table is cut at ``count`` moments that share the events evenly (or the time, when there are
    none). Fold k learns from rows whose whole (t, t + horizon] lies before cut k and is judged on the
    rows from cut k to the next, so that a gap of one horizon lies between. Where a cut falls into an
    episode (begin − horizon, end] of some machine, that machine's part begins after the episode: an
    episode is never torn in two, unless it may be ``torn``.
    """
    if count < 1 or not len(table):
        return []
    cuts = _cuts(table, targets, count)
    whole = targets.iloc[:0] if torn else targets
    starts = np.stack([_own_cut(table, whole, horizon, cut) for cut in cuts])
    folds = []
    for number, cut in enumerate(cuts):
        train = np.flatnonzero(table.time + span(horizon) <= cut)
        test = table.time > starts[number]
        if number + 1 < len(cuts):
            test &= table.time <= starts[number + 1]
        if len(train) and test.any():
            folds.append(Fold(train, np.flatnonzero(test)))
    return folds


def machine_folds(table: FeatureTable, targets: pd.DataFrame, count: int) -> list[Fold]:
    """Return folds of whole machines, the events dealt out evenly.

    Machines are sorted by their number of events and by name and dealt out to and fro, so the folds
    depend on nothing but the data.

    Returns
    -------
    list of at most ``count`` folds; empty with fewer than two machines
    """
    counts = _event_counts(table, targets)
    order = sorted(counts, key=lambda machine: (-counts[machine], machine))
    count = min(count, len(order))
    if count < 2:
        return []
    deal = [*range(count), *reversed(range(count))]
    group_of = {machine: deal[place % len(deal)] for place, machine in enumerate(order)}
    group = np.empty(len(table), dtype=np.intp)
    for machine, rows in machine_rows(table.machine).items():
        group[rows] = group_of[machine]
    return [Fold(np.flatnonzero(group != number), np.flatnonzero(group == number)) for number in range(count)]


def _event_counts(table: FeatureTable, targets: pd.DataFrame) -> dict[str, int]:
    counts = dict.fromkeys(machine_rows(table.machine), 0)
    for machine in targets["machine"]:
        if machine in counts:
            counts[machine] += 1
    return counts


def _cuts(table: FeatureTable, targets: pd.DataFrame, count: int) -> list[np.datetime64]:
    """Moments that leave the same number of events (or rows) before, between and after them."""
    first, last = table.time.min(), table.time.max()
    begins = np.sort(instants(targets["begin"]))
    begins = begins[(begins > first) & (begins <= last)]
    moments = begins if len(begins) > count else np.sort(table.time)
    places = np.arange(1, count + 1) * len(moments) // (count + 1)
    # Half-way between two moments, so that no cut lies on an event.
    cuts = moments[places - 1] + (moments[places] - moments[places - 1]) // 2
    return list(np.unique(cuts))


def _own_cut(
    table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, cut: np.datetime64
) -> NDArray[np.datetime64]:
    """Return for each row where its machine's part begins: the cut, or the end of the episode it falls into."""
    own = np.full(len(table), cut)
    rows = machine_rows(table.machine)
    for machine, group in by_machine(targets).items():
        if machine not in rows:
            continue
        begin, end = instants(group["begin"]), instants(group["end"])
        moved = cut
        for earliest, latest in zip(begin - span(horizon), end, strict=True):
            if earliest < moved <= latest:
                moved = latest
        own[rows[machine]] = moved
    return own


def random_folds(rows: int, count: int) -> list[Fold]:
    """Return folds of rows drawn at random: windows learnt from lie beside those that are judged, and tell of them.

    Nothing uses them by itself: they are there to show by how much such a split flatters.
    """
    number = np.random.default_rng(_SEED).permutation(rows) % count
    return [Fold(np.flatnonzero(number != each), np.flatnonzero(number == each)) for each in range(count)]
