"""The windows of one group of machines, all at once: panes, then windows, then features."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME, LEAST_SAMPLES, LEAST_SHARE, Feature
from features.moments import Floats, Moments, no_samples, over_windows
from features.pane import add_samples
from features.recipe import Recipe
from features.span import Samples, expected_every, portions, read_samples
from features.window import HOUR, Grid, Times, floors_at, gather, microseconds
from ingest.store import History


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that are summarised together.

    Attributes
    ----------
    machines : names, ascending
    restarts : for each machine, the ascending moments at which a failure was over
    normal : moments of their own normal, shape (n_signals, n_machines, 1); ``None`` without baseline
    normal_from : time from which each machine's normal is known, shape (n_machines,)
    """

    machines: tuple[str, ...]
    restarts: tuple[Times, ...]
    normal: Moments | None
    normal_from: Times


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of one length: their moments and whether they hold enough, shape (n_signals, n_machines, n_ends)."""

    moments: Moments
    enough: NDArray[np.bool_]


def summarise(recipe: Recipe, history: History, group: Group, ends: Times, cells: int) -> tuple[Floats, Floats]:
    """Return the features of all signals at some window ends.

    Parameters
    ----------
    ends : neighbouring multiples of the recipe's stride
    cells : about how many readings may be held at once

    Returns
    -------
    values : shape (n_machines, n_ends, n_columns of signals), columns in the recipe's order
    filled : share of the shortest window that readings cover, shape (n_machines, n_ends)
    """
    grid = Grid.of(recipe, ends)
    of_signal = [column for column in recipe.columns if column.signal == recipe.signals[0]]
    one_by_one = [BY_NAME[name] for name in recipe.features if BY_NAME[name].of_rows]
    panes, samples = _fill_panes(recipe, history, group, grid, cells, keep=bool(one_by_one))
    windows = _windows(recipe, grid, panes)
    values = np.empty((len(group.machines), len(ends), len(recipe.signals), len(of_signal)))
    with np.errstate(all="ignore"):
        of_rows = _one_by_one(recipe, group, grid, samples, one_by_one) if one_by_one else {}
        for place, column in enumerate(of_signal):
            feature, length = BY_NAME[column.feature], column.window or recipe.lookback
            window = windows[length]
            enough = window.enough
            if feature.of_moments:
                found = feature.of_moments(window.moments)
            elif feature.of_rows:
                found = of_rows[feature.name, length]
            else:
                other = windows[column.against] if column.against else _normal_windows(recipe, group, ends)
                enough = enough & other.enough
                found = _of_two(feature, window.moments, other.moments)
            values[..., place] = np.where(enough & np.isfinite(found), found, np.nan).transpose(1, 2, 0)
    return values.reshape(*values.shape[:2], -1), _filled(recipe, windows[recipe.windows[0]].moments)


def _fill_panes(
    recipe: Recipe, history: History, group: Group, grid: Grid, cells: int, *, keep: bool
) -> tuple[Moments, list[Samples]]:
    shape = (len(recipe.signals), len(group.machines), grid.panes)
    panes = no_samples(shape)
    flat = panes.joined()
    cut_at = np.full(shape[1:], np.iinfo(np.int64).min)
    for machine, restarts in enumerate(group.restarts):
        pane = grid.pane_of(restarts)
        inside = (pane >= 0) & (pane < grid.panes)
        np.maximum.at(cut_at[machine], pane[inside], restarts[inside])
        panes.cut[:, machine, pane[inside]] = True
    kept = []
    most = cells * microseconds(expected_every(recipe)) // (shape[0] * shape[1])
    for start, end in portions(grid.origin, int(grid.ends[-1]), grid.pane, most):
        samples = read_samples(recipe, history, group.machines, start, end)
        pane = grid.pane_of(samples.time)
        hours = (samples.time - (grid.origin + (pane + 1) * grid.pane)) / HOUR
        pane = samples.machine * grid.panes + pane
        alive = samples.time > cut_at.reshape(-1)[pane]
        if alive.all():
            add_samples(flat, samples.values, hours, pane)
        else:
            add_samples(flat, samples.values[:, alive], hours[alive], pane[alive])
        if keep:
            kept.append(samples)
    return panes, kept


def _windows(recipe: Recipe, grid: Grid, panes: Moments) -> dict[timedelta, Windows]:
    found = {}
    of_all = over_windows(panes, grid.lengths, grid.end_panes, grid.pane_hours)
    for length, moments in zip(recipe.windows, of_all, strict=True):
        found[length] = Windows(moments, _enough(recipe, length, moments))
    return found


def _enough(recipe: Recipe, length: timedelta, moments: Moments) -> NDArray[np.bool_]:
    return moments.samples >= np.maximum(LEAST_SAMPLES, LEAST_SHARE * _expected(recipe, length))


def _expected(recipe: Recipe, length: timedelta) -> Floats:
    """Return how many samples a full window of each signal holds, shape (n_signals, 1, 1)."""
    counts = [length / every for every in recipe.every] or [float(LEAST_SAMPLES)] * len(recipe.signals)
    return np.array(counts)[:, np.newaxis, np.newaxis]


def _filled(recipe: Recipe, shortest: Moments) -> Floats:
    return np.minimum(shortest.samples / _expected(recipe, recipe.windows[0]), 1.0).max(axis=0)


def _normal_windows(recipe: Recipe, group: Group, ends: Times) -> Windows:
    if group.normal is None or recipe.baseline is None:
        raise ValueError("the recipe has no baseline")
    known = ends >= group.normal_from[:, np.newaxis]
    return Windows(group.normal, known & _enough(recipe, recipe.baseline, group.normal))


def _of_two(feature: Feature, window: Moments, other: Moments) -> Floats:
    if feature.of_two is None:
        raise ValueError(f"feature '{feature.name}' is not one of signals")
    return feature.of_two(window, other)


def _one_by_one(
    recipe: Recipe, group: Group, grid: Grid, samples: list[Samples], features: Sequence[Feature]
) -> dict[tuple[str, timedelta], Floats]:
    shape = (len(recipe.signals), len(group.machines), len(grid.ends))
    found = {(feature.name, length): np.full(shape, np.nan) for feature in features for length in recipe.windows}
    for machine, restarts in enumerate(group.restarts):
        lives = floors_at(restarts, grid.ends)
        for signal in range(shape[0]):
            times, values = _of_signal(samples, machine, signal)
            for length in recipe.windows:
                begins = np.maximum(grid.ends - microseconds(length), lives)
                for block, rows in gather(times, values, begins, grid.ends):
                    ordered = np.sort(rows, axis=1) if any(each.kind == "ordered" for each in features) else rows
                    for feature in features:
                        if feature.of_rows:
                            of = ordered if feature.kind == "ordered" else rows
                            found[feature.name, length][signal, machine, block] = feature.of_rows(of)
    return found


def _of_signal(samples: list[Samples], machine: int, signal: int) -> tuple[Times, Floats]:
    times, values = [], []
    for each in samples:
        rows = slice(*np.searchsorted(each.machine, [machine, machine + 1]))
        known = ~np.isnan(each.values[signal, rows])
        times.append(each.time[rows][known])
        values.append(each.values[signal, rows][known])
    return np.concatenate(times), np.concatenate(values)
