"""The newest readings of one machine, in memory, as many as its newest windows may need."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.microsecond import Times
from features.moments import Floats

ROOM = 32
"""Rows for which there is room beyond those that are held, and beyond an eighth of them."""


class Ring:
    """Rows of readings, ascending by time: all that came after ``floor``.

    Adding a row at the end takes no more than writing it. Memory is about an eighth more than what is held.

    Attributes
    ----------
    floor : all rows later than this are held, in microseconds since 1970
    """

    def __init__(self, floor: int, times: Times, rows: Floats) -> None:
        self.floor = floor
        self._begin, self._stop = 0, len(times)
        self._times, self._rows = times, rows

    def __len__(self) -> int:
        return self._stop - self._begin

    @property
    def bytes(self) -> int:
        """How much memory the rows take."""
        return self._times.nbytes + self._rows.nbytes

    @property
    def held(self) -> tuple[Times, Floats, int, int]:
        """Times and rows, and the places of the first row that is held and behind the last one; not to be kept."""
        return self._times, self._rows, self._begin, self._stop

    def append(self, time: int, row: Sequence[float] | Floats) -> None:
        """Add a row that is later than all others; NaN where a signal was not read."""
        place = self._stop
        if place == len(self._times):
            place = self._make_room(1)
        self._times[place] = time
        self._rows[place] = row
        self._stop = place + 1

    def extend(self, times: Times, rows: Floats) -> None:
        """Add rows that ascend and are later than all others.

        Parameters
        ----------
        rows : shape (n_rows, n_signals)
        """
        count, place = len(times), self._stop
        if place + count > len(self._times):
            place = self._make_room(count)
        self._times[place : place + count] = times
        self._rows[place : place + count] = rows
        self._stop = place + count

    def put(self, time: int, row: Floats) -> bool:
        """Add a row at its place; where there is one of its time, what was read now takes the place of what was.

        Returns
        -------
        bool
            ``False`` where this changed nothing.
        """
        if self._stop == len(self._times):
            self._make_room(1)
        place = self._begin + int(np.searchsorted(self._times[self._begin : self._stop], time))
        if place < self._stop and self._times[place] == time:
            known = self._rows[place]
            differs = ~np.isnan(row) & (row != known)
            known[differs] = row[differs]
            return bool(differs.any())
        self._times[place + 1 : self._stop + 1] = self._times[place : self._stop]
        self._rows[place + 1 : self._stop + 1] = self._rows[place : self._stop]
        self._times[place], self._rows[place] = time, row
        self._stop += 1
        return True

    def between(self, start: int, end: int) -> tuple[Times, Floats]:
        """Return the rows in (start, end], the second array of shape (n_rows, n_signals); views, not to be kept."""
        held = self._times[self._begin : self._stop]
        first, last = (int(held.searchsorted(each, side="right")) for each in (start, end))
        rows = slice(self._begin + first, self._begin + last)
        return self._times[rows], self._rows[rows]

    def forget(self, until: int) -> None:
        """Let go of rows at or before a moment."""
        if until > self.floor:
            self.floor = until
            held = self._times[self._begin : self._stop]
            self._begin += int(held.searchsorted(until, side="right"))

    def _make_room(self, count: int) -> int:
        """Move the rows that are held to the front of larger arrays, and return the place after the last one."""
        held = slice(self._begin, self._stop)
        kept = self._stop - self._begin
        times: NDArray[np.int64] = np.empty(kept + max(kept // 8, count) + ROOM, np.int64)
        rows = np.empty((len(times), self._rows.shape[1]))
        times[:kept], rows[:kept] = self._times[held], self._rows[held]
        self._times, self._rows = times, rows
        self._begin, self._stop = 0, kept
        return kept
