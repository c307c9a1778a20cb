"""The windows of one group of machines, all at once: panes, then windows, then features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.feature import LARGEST, Feature
from features.filled import Shares, filled_share
from features.microsecond import HOUR, Times, microseconds
from features.moments import Floats, Moments, no_samples, over_windows
from features.one_by_one import one_by_one
from features.pane import add_samples
from features.recipe import Recipe
from features.samples import Past
from features.span import expected_every, portions, read_samples, running_shares
from features.window import Grid

CACHE_PANES = 16_000
"""Panes that are combined at once: some dozen arrays of 128 kB, so that they stay in the cache."""


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that are summarised together.

    Attributes
    ----------
    machines : names, ascending
    restarts : for each machine, the ascending moments at which a failure was over
    normal : moments of their own normal, shape (n_signals, n_machines, 1); no samples if not known
    normal_from : time from which each machine's normal is known, shape (n_machines,)
    normal_ran : share of that time in which each machine ran, shape (n_machines,)
    """

    machines: tuple[str, ...]
    restarts: tuple[Times, ...]
    normal: Moments
    normal_from: Times
    normal_ran: Floats


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of one length: their moments and whether they hold enough, shape (n_signals, n_machines, n_ends)."""

    moments: Moments
    enough: NDArray[np.bool_]


class Summary(NamedTuple):
    """The features of all signals of some machines at some window ends, and what they rest on.

    Attributes
    ----------
    values : shape (n_machines, n_ends, n_columns of signals), columns in the recipe's order
    filled : share of the shortest window that readings cover, shape (n_machines, n_ends)
    ran : share of the shortest window in which the machine ran, shape (n_machines, n_ends)
    spoken : whether the longest window holds a reading or time that is left out, shape (n_machines, n_ends)
    shares : of the expected readings that each signal's own window holds, shape (n_machines, n_ends, n_signals)
    """

    values: Floats
    filled: Floats
    ran: Floats
    spoken: NDArray[np.bool_]
    shares: Shares


def summarise(recipe: Recipe, history: Past, group: Group, ends: Times, cells: int) -> Summary:
    """Return the features of all signals at some window ends, as ``features_of`` does.

    Parameters
    ----------
    ends : neighbouring multiples of the recipe's stride
    cells : about how many readings may be held at once
    """
    if not recipe.signals:
        ran = running_shares(recipe, history, group.machines, ends, [microseconds(each) for each in recipe.windows])
        none = np.empty((*ran[0].shape, 0))
        return Summary(none, np.zeros(ran[0].shape), ran[0], ran[-1] < 1, none.astype(np.float32))
    grid = Grid.of(recipe, ends)
    return features_of(recipe, history, group, grid, fill_panes(recipe, history, group, grid, cells), cells)


def features_of(recipe: Recipe, history: Past, group: Group, grid: Grid, panes: Moments, cells: int) -> Summary:
    """Return the features of all signals at the window ends of a grid, given the moments of its panes.

    Parameters
    ----------
    panes : shape (n_signals, n_machines, n_panes)
    cells : about how many readings may be held at once
    """
    ends = grid.ends
    of_signal = recipe.columns_of(recipe.signals[0])
    sampled = [BY_NAME[name] for name in recipe.features if BY_NAME[name].one_by_one]
    values = np.empty((len(group.machines), len(ends), len(recipe.signals), len(of_signal)))
    filled = np.zeros(values.shape[:2])
    shares = np.empty((*filled.shape, len(recipe.signals)), np.float32)
    ran = running_shares(recipe, history, group.machines, ends, [microseconds(each) for each in recipe.windows])
    spoken = ran[-1] < 1
    with np.errstate(all="ignore"):
        of_rows = one_by_one(recipe, history, group.machines, group.restarts, ends, sampled, cells) if sampled else {}
        for part in _parts(panes.samples.shape):
            signals, machines = part
            windows = _windows(recipe, group, grid, panes.part(part), ran, part)
            filled[machines] = np.maximum(filled[machines], _filled(recipe, windows[recipe.windows[0]], signals))
            _shares(recipe, windows, ran, part, shares)
            spoken[machines] |= (windows[recipe.lookback].moments.samples > 0).any(axis=0)
            for place, column in enumerate(of_signal):
                feature, length = BY_NAME[column.feature], column.window or recipe.lookback
                given = of_rows[feature.name, length][part] if feature.one_by_one else None
                found = _feature(feature, windows[length], windows.get(column.against), given)
                values[machines, :, signals, place] = found.transpose(1, 2, 0)
    offered = [recipe.offers(column) for signal in recipe.signals for column in recipe.columns_of(signal)]
    flat = values.reshape(*values.shape[:2], -1)
    return Summary(flat if all(offered) else flat[..., np.array(offered)], filled, ran[0], spoken, shares)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Cut signals and machines so that the panes of a part stay in the processor's cache."""
    signals, machines, panes = shape
    rows = max(CACHE_PANES // panes, 1)
    together = max(rows // machines, 1)
    for signal in range(0, signals, together):
        for machine in range(0, machines, rows):
            yield slice(signal, min(signal + together, signals)), slice(machine, min(machine + rows, machines))


def _feature(feature: Feature, window: Windows, other: Windows | None, given: Floats | None) -> Floats:
    """Return a feature of some windows, NaN where they hold too little, or it is no number or too large a one."""
    enough = window.enough
    if given is not None:
        found = given
    elif feature.of_moments:
        found = feature.of_moments(window.moments)
    elif feature.of_two and other:
        enough = enough & other.enough
        found = feature.of_two(window.moments, other.moments)
    else:
        raise ValueError(f"feature '{feature.name}' is not one of signals")
    return np.where(enough & (np.abs(found) <= LARGEST), found, np.nan)


def fill_panes(recipe: Recipe, history: Past, group: Group, grid: Grid, cells: int) -> Moments:
    """Return the moments of all panes of a grid, shape (n_signals, n_machines, n_panes)."""
    shape = (len(recipe.signals), len(group.machines), grid.panes)
    panes = no_samples(shape)
    flat = panes.joined()
    cut_at = np.full(shape[1:], np.iinfo(np.int64).min)
    for machine, restarts in enumerate(group.restarts):
        pane = grid.pane_of(restarts)
        inside = (pane >= 0) & (pane < grid.panes)
        np.maximum.at(cut_at[machine], pane[inside], restarts[inside])
        panes.cut[:, machine, pane[inside]] = True
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
    return panes


def _windows(
    recipe: Recipe, group: Group, grid: Grid, panes: Moments, ran: Sequence[Floats], part: tuple[slice, slice]
) -> dict[timedelta | None, Windows]:
    """Return the windows of each length, and under ``None`` the machines' own normal."""
    found: dict[timedelta | None, Windows] = {}
    of_all = over_windows(panes, grid.lengths, grid.end_panes, grid.pane_hours)
    for length, moments, share in zip(recipe.windows, of_all, ran, strict=True):
        found[length] = Windows(moments, _enough(recipe, length, moments, part[0], share[part[1]]))
    normal = group.normal.part(part)
    known = grid.ends >= group.normal_from[part[1], np.newaxis]
    share = group.normal_ran[part[1], np.newaxis]
    enough = _enough(recipe, recipe.baseline or timedelta(0), normal, part[0], share)
    found[None] = Windows(normal, known & enough)
    return found


def _enough(recipe: Recipe, length: timedelta, moments: Moments, signals: slice, ran: Floats) -> NDArray[np.bool_]:
    """Return whether windows hold enough samples for the time in which the machine ran."""
    least = recipe.min_fill * _expected(recipe, length, signals) * ran
    return moments.samples >= np.maximum(recipe.least_samples, least)


def least_samples(recipe: Recipe, length: timedelta) -> Floats:
    """Return how many samples a window needs in which the machine always ran, shape (n_signals,)."""
    least = recipe.min_fill * _expected(recipe, length, slice(None)) * 1.0
    return np.maximum(recipe.least_samples, least)[:, 0, 0]


def samples_expected(recipe: Recipe) -> Floats:
    """Return how many samples fill the shortest window of each signal, shape (n_signals,)."""
    return _filling(recipe, slice(None))[:, 0, 0]


def own_expected(recipe: Recipe) -> Floats:
    """Return how many samples each signal's own window promises, shape (n_signals,)."""
    own = list(recipe.own_windows[: len(recipe.signals)])
    return np.array([_expected(recipe, length, slice(place, place + 1))[0, 0, 0] for place, length in enumerate(own)])


def _expected(recipe: Recipe, length: timedelta, signals: slice) -> Floats:
    """Return how many samples a full window of each signal holds, shape (n_signals, 1, 1)."""
    counts = [length / every for every in recipe.every] or [float(recipe.least_samples)] * len(recipe.signals)
    return np.array(counts[signals])[:, np.newaxis, np.newaxis]


def _filling(recipe: Recipe, signals: slice) -> Floats:
    # The few readings that a slow signal promises a short window do not fill it.
    return np.maximum(_expected(recipe, recipe.windows[0], signals), recipe.least_samples)


def _filled(recipe: Recipe, shortest: Windows, signals: slice) -> Floats:
    return np.minimum(shortest.moments.samples / _filling(recipe, signals), 1.0).max(axis=0)


def _shares(
    recipe: Recipe,
    windows: Mapping[timedelta | None, Windows],
    ran: Sequence[Floats],
    part: tuple[slice, slice],
    shares: Shares,
) -> None:
    """Write the filled shares of a part, each signal by its own window; ``shares`` as ``features_of`` returns them."""
    signals, machines = part
    own = recipe.own_windows[signals]
    for length, share in zip(recipe.windows, ran, strict=True):
        places = [place for place, each in enumerate(own) if each == length]
        if places:
            expected = _expected(recipe, length, signals)[places]
            found = filled_share(windows[length].moments.samples[places], expected, share[machines])
            shares[machines, :, [signals.start + place for place in places]] = found.transpose(1, 2, 0)
