"""How much of each window a machine spends in each of its declared regimes."""

import numpy as np
from numpy.typing import NDArray

from features.column import REGIME_SHARE, Column
from features.excluded import excluded_time
from features.microsecond import Times, microseconds
from features.moments import Floats
from features.recipe import Recipe
from features.regimes import Regimes
from features.samples import Past
from features.span import expected_every, portions
from features.timeline import Spans, Timeline, timelines


def regime_columns(
    recipe: Recipe, history: Past, machine: str, restarts: Times, ends: Times, cells: int
) -> tuple[slice, Floats]:
    """Return where the shares of regimes stand in the recipe's columns, and their values, (n_ends, n_columns).

    Parameters
    ----------
    cells : about how many readings may be held at once
    """
    if recipe.regimes is None:
        raise ValueError("the recipe has no regimes")
    first = recipe.names.index(
        Column(feature=REGIME_SHARE, part=recipe.regimes.names[0], window=recipe.windows[0]).name
    )
    of_stride = max(int(recipe.stride / expected_every(recipe)) * max(len(recipe.regimes.signals), 1), 1)
    most = max(cells // of_stride - recipe.lookback // recipe.stride, recipe.lookback // recipe.stride, 1)
    shares = regime_shares(recipe, recipe.regimes, history, machine, restarts, ends, most)
    values = shares.transpose(0, 2, 1).reshape(len(ends), len(recipe.regimes.parts) * len(recipe.windows))
    return slice(first, first + values.shape[1]), values


def regime_shares(
    recipe: Recipe, regimes: Regimes, history: Past, machine: str, restarts: Times, ends: Times, most: int
) -> Floats:
    """Return the share of each window that a machine spends in each regime and in none of them.

    While it is not known whether an expression holds, the machine is in the first later regime whose
    expression is known to hold, and in none at all if there is no such one: the shares add up to 1 at most.
    A window does not reach back over a failure, as those of all features, and time that is left out because
    the machine is off or settles counts for no regime.

    Parameters
    ----------
    restarts : when the machine's failures were over, ascending
    ends : window ends, ascending; all times in microseconds since 1970
    most : how many window ends are taken at once

    Returns
    -------
    array of shape (n_ends, n_lengths, n_regimes + 1), 0 to 1; NaN where nothing is known of the window
    """
    lengths = [microseconds(each) for each in recipe.windows]
    found = np.full((len(ends), len(lengths), len(regimes.parts)), np.nan)
    for begin, stop in portions(0, len(ends), 1, most):
        own = ends[begin:stop]
        start, last = int(own[0]) - max(lengths), int(own[-1])
        spans = _spans(recipe, regimes, history, machine, start, last)
        since = np.concatenate([[np.iinfo(np.int64).min], restarts])[np.searchsorted(restarts, own, side="right")]
        for place, length in enumerate(lengths):
            begins = np.minimum(np.maximum(own - length, since), own - 1)
            share = np.stack([each.within(begins, own) for each in spans], axis=-1) / (own - begins)[:, np.newaxis]
            found[begin:stop, place] = np.where(share.sum(axis=-1, keepdims=True) > 0, share, np.nan)
    return found


def declared_spans(regimes: Regimes, line: Timeline) -> list[Spans]:
    """Return when a machine is in each regime, and when it is known to be in none."""
    truths = [each.truth(line.given) for each in regimes.read()]
    taken: NDArray[np.bool_] = np.zeros(len(line.moments), np.bool_)
    found = []
    for truth in truths:
        found.append(line.where(truth.yes & ~taken))
        taken = taken | truth.yes
    return [*found, line.where(np.logical_and.reduce([each.no for each in truths]))]


def _spans(recipe: Recipe, regimes: Regimes, history: Past, machine: str, start: int, end: int) -> list[Spans]:
    ages, of = [microseconds(each) for each in regimes.holds], recipe.machine_class
    states = any(each.uses_state for each in regimes.read())
    (line,) = timelines(regimes.signals, ages, history, of, [machine], start, end, states=states)
    spans = declared_spans(regimes, line)
    if recipe.running is None:
        return spans
    (excluded,) = excluded_time(recipe.running, history, of, [machine], start, end)
    return [each.without(excluded) for each in spans]
