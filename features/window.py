"""When windows end, where they begin, and the panes that they are made of.

A window is the span (end − length, end]: by time, never by count. It never reaches back over the
machine's last failure, because a repaired machine is a new one. Times are whole microseconds since
1970-01-01 UTC (int64).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR, Times, microseconds, moment
from features.recipe import Recipe

BLOCK_CELLS = 500_000
"""Most samples that are laid out at once when windows are gathered one by one: 4 MB."""


def window_ends(stride: timedelta, start: datetime, end: datetime) -> Times:
    """Return the multiples of the stride since 1970 in (start, end].

    Examples
    --------
    >>> from datetime import UTC
    >>> half_past_midnight = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    >>> ends = window_ends(timedelta(hours=1), half_past_midnight, half_past_midnight + timedelta(hours=2))
    >>> (ends.view("datetime64[us]") - np.datetime64("2026-01-01")).astype("timedelta64[h]").astype(int).tolist()
    [1, 2]
    """
    step = microseconds(stride)
    return np.arange(moment(start) // step + 1, moment(end) // step + 1, dtype=np.int64) * step


@dataclass(frozen=True, slots=True)
class Grid:
    """Panes that cover some window ends and everything that their windows look back on.

    Attributes
    ----------
    origin : where the first pane begins; pane i is (origin + i × pane, origin + (i + 1) × pane]
    pane : length of a pane
    panes : how many there are
    ends : window ends, each of them the end of a pane
    lengths : window lengths in panes, shortest first
    """

    origin: int
    pane: int
    panes: int
    ends: Times
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, recipe: Recipe, ends: Times) -> "Grid":
        """Lay the panes of a recipe under some of its window ends."""
        pane = microseconds(recipe.pane)
        origin = int(ends[0]) - microseconds(recipe.lookback)
        lengths = tuple(microseconds(window) // pane for window in recipe.windows)
        return cls(origin, pane, (int(ends[-1]) - origin) // pane, ends, lengths)

    @property
    def end_panes(self) -> slice:
        """The panes in which the windows end."""
        step = 1 if len(self.ends) < 2 else int(self.ends[1] - self.ends[0]) // self.pane
        return slice(self.lengths[-1] - 1, self.panes, step)

    @property
    def pane_hours(self) -> float:
        """Length of a pane in hours."""
        return self.pane / HOUR

    def pane_of(self, times: Times) -> Times:
        """Return the pane of each time; times outside give numbers outside 0 … panes − 1."""
        return (times - self.origin - 1) // self.pane


def floors_at(restarts: Times, ends: Times) -> Times:
    """Return, for each window end, the machine's last restart at or before it; the earliest time if none.

    Parameters
    ----------
    restarts : ascending moments at which a failure was over
    """
    known = np.concatenate([[np.iinfo(np.int64).min], restarts])
    return known[np.searchsorted(restarts, ends, side="right")]


def gather(
    times: Times, begins: Times, ends: Times, series: int = 1
) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.bool_]]]:
    """Lay ragged windows out as rows of equal length, some windows at a time.

    Parameters
    ----------
    times : ascending times of the samples, shape (n_samples,)
    begins, ends : windows (begin, end], shape (n_windows,)
    series : how many of them are laid out at once

    Yields
    ------
    slice, two arrays of shape (windows of the slice, longest of them)
        The place of each sample, and which cells hold one: those of a row in their order, then none. At most
        ``BLOCK_CELLS`` cells of all series unless one window alone holds more. Blocks in which no window
        holds a sample are left out.
    """
    first = np.searchsorted(times, begins, side="right")
    counts = np.maximum(np.searchsorted(times, ends, side="right") - first, 0)
    begin = 0
    while begin < len(ends):
        longest = np.maximum.accumulate(counts[begin:])
        fits = int(np.count_nonzero(longest * np.arange(1, len(longest) + 1) <= BLOCK_CELLS // series))
        block = slice(begin, begin + max(fits, 1))
        column = np.arange(counts[block].max())
        inside = column < counts[block, np.newaxis]
        if inside.size:
            yield block, first[block, np.newaxis] + column, inside
        begin = block.stop
