"""The envelope of a fast signal: its lowest and its highest reading in each cell of time, exact in value and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000
GRIDS = tuple(each * SECOND for each in (10, 60, 300, 3600))
"""Lengths of cells, in microseconds; each is a whole number of the one before, so that cells join to wider ones."""
ROWS_IN_A_CELL = 100
"""Fewer are no fast signal, and an envelope of them would save little."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one signal that have readings, each once, in the order of time.

    Attributes
    ----------
    grid : length of a cell in microseconds; cell ``k`` holds what was read from ``k * grid`` on and before
        ``(k + 1) * grid``
    number : int64 array of shape (n,)
    low, high : float64 arrays of shape (n,)
    low_at, high_at : int64 arrays of shape (n,), microseconds since 1970: the first time of the lowest reading, and
        the last time of the highest
    count : int64 array of shape (n,), readings in the cell
    """

    grid: int
    number: Integers
    low: Floats
    low_at: Integers
    high: Floats
    high_at: Integers
    count: Integers

    def __len__(self) -> int:
        return len(self.number)

    def between(self, first: int, newest: int) -> "Cells":
        """Return the cells that lie wholly in [first, newest], in microseconds."""
        if not len(self) or (self.number[0] * self.grid >= first and (self.number[-1] + 1) * self.grid - 1 <= newest):
            return self
        kept = (self.number * self.grid >= first) & ((self.number + 1) * self.grid - 1 <= newest)
        return Cells(
            self.grid,
            self.number[kept],
            self.low[kept],
            self.low_at[kept],
            self.high[kept],
            self.high_at[kept],
            self.count[kept],
        )


def cells_of(times: Integers, values: Floats, grid: int) -> Cells:
    """Return the cells of readings.

    Parameters
    ----------
    times : microseconds since 1970, in any order
    values : NaN where nothing was read

    Examples
    --------
    >>> cells = cells_of(np.array([1, 4, 6, 9, 12]) * SECOND, np.array([3.0, 8.0, np.nan, 3.0, 5.0]), 10 * SECOND)
    >>> cells.low.tolist(), cells.high.tolist(), (cells.low_at // SECOND).tolist(), cells.count.tolist()
    ([3.0, 5.0], [8.0, 5.0], [1, 12], [3, 1])
    """
    known = ~np.isnan(values)
    times, values = times[known], values[known]
    return _folded(grid, times // grid, values, times, values, times, np.ones(len(times), np.int64))


def wider(several: Sequence[Cells], grid: int) -> Cells:
    """Return cells of a length that is a whole number of each of these, made of all of them together."""
    columns = [
        (each.number * each.grid // grid, each.low, each.low_at, each.high, each.high_at, each.count)
        for each in several
        if len(each)
    ]
    if not columns:
        nothing, none = np.empty(0, np.int64), np.empty(0)
        return Cells(grid, nothing, none, nothing, none, nothing, nothing)
    return _folded(grid, *(np.concatenate(each) for each in zip(*columns, strict=True)))


def grid_for(first: int, newest: int, rows: int) -> int | None:
    """Return the shortest length of cells that have enough rows on average; ``None`` where the signal is slow.

    Parameters
    ----------
    first, newest : times of the rows, in microseconds

    Examples
    --------
    >>> grid_for(0, 86_399 * SECOND, 86_400) // SECOND, grid_for(0, 86_340 * SECOND, 1_440)
    (300, None)
    """
    for grid in GRIDS:
        if rows >= ROWS_IN_A_CELL * (newest // grid - first // grid + 1) * 0.9:
            return grid
    return None


def _folded(
    grid: int, number: Integers, low: Floats, low_at: Integers, high: Floats, high_at: Integers, count: Integers
) -> Cells:
    if not len(number):
        return Cells(grid, number, low, low_at, high, high_at, count)
    if (number[1:] < number[:-1]).any():
        order = np.argsort(number, kind="stable")
        number, low, high = number[order], low[order], high[order]
        low_at, high_at, count = low_at[order], high_at[order], count[order]
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    lengths = np.diff(np.append(starts, len(number)))
    lowest, highest = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    bounds = np.iinfo(np.int64)
    first = np.where(low == np.repeat(lowest, lengths), low_at, bounds.max)
    last = np.where(high == np.repeat(highest, lengths), high_at, bounds.min)
    return Cells(
        grid,
        number[starts],
        lowest,
        np.minimum.reduceat(first, starts),
        highest,
        np.maximum.reduceat(last, starts),
        np.add.reduceat(count, starts),
    )
