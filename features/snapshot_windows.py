"""Windows of snapshots: what their measures came to on average, and what the newest one says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.feature import LARGEST
from features.filled import Shares, filled_share
from features.microsecond import Times, microseconds
from features.moments import Floats
from features.recipe import Recipe
from features.snapshots import Measured, Named, measured, windows_of
from features.span import portions, running_shares
from features.waveform import Waveform
from features.window import floors_at
from ingest.history import History

ENDS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class OfWaveform:
    """The features of one waveform of one machine at some window ends.

    Attributes
    ----------
    places : columns of the table that it fills
    values : shape (n_ends, n_places)
    filled : share of the expected snapshots that the shortest window holds, shape (n_ends,)
    share : of those that were expected in its own window while the machine ran, shape (n_ends,)
    spoken : whether the longest window holds one, shape (n_ends,)
    """

    places: list[int]
    values: Floats
    filled: Floats
    share: Shares
    spoken: NDArray[np.bool_]


def of_waveform(
    recipe: Recipe, waveform: Waveform, history: History, machine: str, restarts: Times, ends: Times, cells: int
) -> OfWaveform:
    """Return the features of a waveform: a window has those of the snapshots that lie wholly in it.

    A window that holds less than the recipe's ``min_fill`` of the snapshots that it should, or none, says nothing.

    Parameters
    ----------
    restarts : ascending moments at which a failure was over
    ends : window ends, ascending, at least one
    """
    places = [place for place, column in enumerate(recipe.columns) if column.signal == waveform.signal]
    columns = [recipe.columns[place] for place in places]
    names: Named = tuple(dict.fromkeys((BY_NAME[each.feature].measure, each.part) for each in columns))
    found = measured(
        recipe, waveform, names, history, machine, (int(ends[0]) - microseconds(recipe.lookback), int(ends[-1])), cells
    )
    values = np.full((len(ends), len(places)), np.nan)
    filled, share, spoken = np.zeros(len(ends)), np.zeros(len(ends), np.float32), np.zeros(len(ends), np.bool_)
    own_window = recipe.own_windows[recipe.summarised.index(waveform.signal)]
    floors = floors_at(restarts, ends)
    lengths = [microseconds(length) for length in recipe.windows]
    shares = _shares(recipe, history, machine, ends, lengths)
    for window, length, ran in zip(recipe.windows, lengths, shares, strict=True):
        first, stop = windows_of(found, np.maximum(ends - length, floors), ends)
        count, expected = stop - first, window / waveform.every
        enough = count >= np.maximum(1, recipe.min_fill * expected * ran)
        if window == recipe.windows[0]:
            filled = np.minimum(count / max(expected, 1.0), 1.0)
        if window == own_window:
            share = filled_share(count.astype(np.float64), np.array(expected), ran)
        spoken = count > 0
        own = [(at, column) for at, column in enumerate(columns) if column.window == window]
        for newest in (False, True):
            at = [place for place, column in own if (BY_NAME[column.feature].kind == "newest_snapshot") == newest]
            which = [names.index((BY_NAME[columns[place].feature].measure, columns[place].part)) for place in at]
            if at:
                numbers = _newest(found, stop, which) if newest else _means(found, first, stop, which)
                values[:, at] = np.where(enough[:, np.newaxis], numbers, np.nan)
    return OfWaveform(places, np.where(np.abs(values) <= LARGEST, values, np.nan), filled, share, spoken)


def _shares(
    recipe: Recipe, history: History, machine: str, ends: Times, lengths: Sequence[int]
) -> list[NDArray[np.float64]]:
    if recipe.running is None:
        return [np.ones(len(ends)) for _ in lengths]
    parts = [
        running_shares(recipe, history, [machine], ends[begin:end], lengths)
        for begin, end in portions(0, len(ends), 1, ENDS_AT_ONCE)
    ]
    return [np.concatenate([part[place][0] for part in parts]) for place in range(len(lengths))]


def _newest(found: Measured, stop: NDArray[np.int64], which: list[int]) -> Floats:
    values = np.concatenate([np.full((1, len(which)), np.nan), found.values[:, which]])
    return values[stop]


def _means(found: Measured, first: NDArray[np.int64], stop: NDArray[np.int64], which: list[int]) -> Floats:
    """Return the mean over each window of what can be said; NaN where nothing can."""
    values = found.values[:, which]
    known = ~np.isnan(values)
    values = np.where(known, values, 0.0)
    means = np.full((len(first), len(which)), np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        for window, (begin, end) in enumerate(zip(first.tolist(), stop.tolist(), strict=True)):
            if begin < end:
                means[window] = values[begin:end].sum(axis=0) / known[begin:end].sum(axis=0)
    return means
