"""Rows of machines of which all that their windows hold lies in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from features.live import HeldReadings, Live, Reach, group_of
from features.moments import Moments
from features.recipe import Recipe
from features.regime_share import regime_columns
from features.summary import features_of, fill_panes
from features.table import FeatureTable
from features.usage import usage
from features.window import Grid


def from_memory(
    recipe: Recipe,
    reach: Reach,
    held: HeldReadings,
    lives: Sequence[Live],
    span: tuple[int, int],
    cells: int,
) -> FeatureTable:
    """Return the rows of some machines, and hold the panes that became complete.

    Parameters
    ----------
    lives : machines whose panes were made up to the same moment
    span : window ends (begin, end], in microseconds since 1970, with at least one of them
    cells : about how many readings may be held at once
    """
    (begin, end), made = span, lives[0].made
    group = group_of(recipe, lives)
    if made < end:
        fresh = fill_panes(recipe, held, group, reach.grid(made, end), cells)
        for place, live in enumerate(lives):
            live.lengthen(fresh.part((slice(None), slice(place, place + 1))), begin, end, reach)
    ends = np.arange(begin + reach.stride, end + 1, reach.stride)
    grid = Grid.of(recipe, ends)
    found = features_of(recipe, held, group, grid, _panes(lives, grid), cells)
    alive = found.spoken & (ends >= np.array([[live.first] for live in lives]))
    clocks = [(place, column) for place, column in enumerate(recipe.columns) if column.of_events]
    values = np.empty((len(lives), len(ends), len(recipe.columns)))
    values[..., : found.values.shape[-1]] = found.values
    for row, live in enumerate(lives):
        for place, column in clocks:
            values[row, :, place] = usage(column, live.events, live.first, ends)
        if recipe.regimes is not None:
            places, of_time = regime_columns(recipe, held, live.machine, live.events.restarts, ends, cells)
            values[row, :, places] = of_time
    table = FeatureTable(
        machine=np.repeat(np.array(group.machines, object), len(ends)),
        time=np.tile(ends, len(lives)).view("datetime64[us]"),
        names=recipe.names,
        values=values.reshape(alive.size, -1),
        filled=found.filled.reshape(-1),
        off=None if recipe.running is None else (1 - found.ran).reshape(-1),
        signals=recipe.summarised,
        filled_by_signal=found.shares.reshape(alive.size, -1),
    )
    return table if alive.all() else table.where(alive.reshape(-1))


def _panes(lives: Sequence[Live], grid: Grid) -> Moments:
    """Return the panes of a grid of machines that have made them."""
    own = []
    for live in lives:
        first = (grid.origin - live.origin) // grid.pane
        own.append(live.panes.moments(first, first + grid.panes))
    if len(own) == 1:
        return own[0]
    fields: list[Any] = [np.concatenate(each, axis=1) for each in zip(*own, strict=True)]
    return Moments(*fields)
