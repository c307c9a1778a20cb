"""Panes that were made of readings once, for the next windows that look back on them.

A round asks for the newest window only, which may look back on a hundred times its stride. The panes of that time are
the same as they were for the window before.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.microsecond import EPOCH, MICROSECOND, Times
from features.moments import Moments, no_samples
from features.recipe import Recipe
from features.summary import Group, Summary, features_of, fill_panes, summarise
from features.window import Grid
from ingest.history import History

PANES_TOGETHER = 12
"""Panes that are remembered as one; the newest of them, which are not complete, are made anew each time."""

_FEWEST_BLOCKS = 3
_FIELDS = Moments._fields[:-1]


def summarise_newest(recipe: Recipe, history: History, group: Group, ends: Times, cells: int) -> Summary:
    """Return what ``summarise`` returns, to the bit; panes that pay are remembered."""
    if not recipe.signals or not worth_remembering(recipe, grid := Grid.of(recipe, ends)):
        return summarise(recipe, history, group, ends, cells)
    return features_of(recipe, history, group, grid, remembered_panes(recipe, history, group, grid, cells), cells)


def worth_remembering(recipe: Recipe, grid: Grid) -> bool:
    """Say whether the windows of a grid look back on many more panes than they bring.

    Where machines are left out while they are off, that may be known later than the readings are.
    """
    brought = grid.panes - grid.lengths[-1] + 1
    return recipe.running is None and brought <= PANES_TOGETHER and grid.panes >= (_FEWEST_BLOCKS + 1) * PANES_TOGETHER


def remembered_panes(recipe: Recipe, history: History, group: Group, grid: Grid, cells: int) -> Moments:
    """Return what ``fill_panes`` returns, to the bit; only what is not remembered is read."""
    step = PANES_TOGETHER * grid.pane
    # Blocks lie at multiples since 1970; the pane grid of a recipe does, too.
    first, stop = grid.origin // step * step, (grid.origin + grid.panes * grid.pane) // step * step
    panes = no_samples((len(recipe.signals), len(group.machines), grid.panes))
    for begin in range(first, stop, step):
        _take(panes, _block(recipe, history, group, grid, begin, cells), (begin - grid.origin) // grid.pane)
    if (rest := grid.panes - (stop - grid.origin) // grid.pane) > 0:
        newest = Grid(stop, grid.pane, rest, np.array([stop + rest * grid.pane]), grid.lengths)
        found = fill_panes(recipe, history, group, newest, cells)
        for into, field in zip(panes[:-1], found, strict=False):
            into[..., grid.panes - rest :] = field
    for machine, restarts in enumerate(group.restarts):
        pane = grid.pane_of(restarts)
        panes.cut[:, machine, pane[(pane >= 0) & (pane < grid.panes)]] = True
    return panes


def _take(panes: Moments, blocks: Sequence[NDArray[np.float64]], place: int) -> None:
    """Write blocks, one of each machine, into panes from a place on; what lies before the first pane is left."""
    before = max(0, -place)
    together = np.stack(blocks, axis=2)[..., before:]
    for into, field in zip(panes[:-1], together, strict=True):
        into[..., place + before : place + before + field.shape[-1]] = field


def _block(
    recipe: Recipe, history: History, group: Group, grid: Grid, begin: int, cells: int
) -> list[NDArray[np.float64]]:
    """Return ``PANES_TOGETHER`` panes of each machine, shape (n_fields, n_signals, n_panes)."""
    end = begin + PANES_TOGETHER * grid.pane
    lives = [tuple(each[(each > begin) & (each <= end)].tolist()) for each in group.restarts]
    keys = [
        ("panes", recipe.signals, grid.pane, machine, life) for machine, life in zip(group.machines, lives, strict=True)
    ]
    work = partial(_made, recipe, history, group, grid, begin, cells)
    start, stop = (EPOCH + each * MICROSECOND for each in (begin, end))
    return history.derived(recipe.machine_class, start, stop, keys, work)


def _made(
    recipe: Recipe, history: History, group: Group, grid: Grid, begin: int, cells: int, which: Sequence[int]
) -> list[NDArray[np.float64]]:
    some = Group(
        tuple(group.machines[place] for place in which),
        tuple(group.restarts[place] for place in which),
        group.normal,
        group.normal_from,
        group.normal_ran,
    )
    end = begin + PANES_TOGETHER * grid.pane
    block = Grid(begin, grid.pane, PANES_TOGETHER, np.array([end]), grid.lengths)
    found = np.stack(fill_panes(recipe, history, some, block, cells)[:-1])
    return [np.ascontiguousarray(found[:, :, place]) for place in range(len(which))]
