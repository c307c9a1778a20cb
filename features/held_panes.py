"""Moments of the newest panes of one machine, in one array that panes are put behind and let go of in front."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.moments import Moments

FIELDS = Moments._fields[:-1]
"""Rows of the array; ``cut`` is kept beside it, because it is one for all signals."""
LANES = 8
"""Compiled code works on so many signals at once; places beyond the last signal hold no samples."""
ROOM = 2
"""Panes for which there is room beyond those that are held, and beyond an eighth of them."""


class HeldPanes:
    """Neighbouring panes of one machine.

    Putting one behind takes no more than writing it. Memory is about an eighth more than what is held.

    Attributes
    ----------
    fields : shape (len(FIELDS), room, n_signals rounded up to ``LANES``)
    cut : shape (room,)
    begin, stop : places of the first pane that is held, and behind the last one
    """

    def __init__(self, signals: int) -> None:
        self._signals = signals
        self.begin = self.stop = 0
        self.fields = np.zeros((len(FIELDS), 0, -(-signals // LANES) * LANES))
        self.cut: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return self.stop - self.begin

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return self.fields.nbytes + self.cut.nbytes

    def keep(self, first: int, stop: int) -> None:
        """Let go of all panes but some, counted from the first one that is held."""
        self.begin, self.stop = self.begin + first, self.begin + stop

    def room_for(self, count: int) -> int:
        """Return the place behind the last pane, from which on there is room for some more."""
        if self.stop + count > self.fields.shape[1]:
            held, kept = slice(self.begin, self.stop), len(self)
            fields = np.zeros((self.fields.shape[0], kept + max(kept // 8, count) + ROOM, self.fields.shape[2]))
            cut = np.zeros(fields.shape[1], np.bool_)
            fields[:, :kept], cut[:kept] = self.fields[:, held], self.cut[held]
            self.fields, self.cut = fields, cut
            self.begin, self.stop = 0, kept
        return self.stop

    def lengthen(self, count: int) -> None:
        """Take panes as held that were written behind the last one."""
        self.cut[self.stop : self.stop + count] = False
        self.stop += count

    def put(self, panes: Moments) -> None:
        """Put panes behind the last one, shape (n_signals, 1, n_panes)."""
        count = panes.samples.shape[-1]
        place = self.room_for(count)
        for field, own in zip(self.fields, panes, strict=False):
            field[place : place + count, : self._signals] = own[:, 0].T
        self.cut[place : place + count] = panes.cut[0, 0] if self._signals else False
        self.stop = place + count

    def moments(self, first: int, stop: int) -> Moments:
        """Return some panes, counted from the first one that is held, shape (n_signals, 1, n_panes)."""
        some = slice(self.begin + first, self.begin + stop)
        held = np.ascontiguousarray(self.fields[:, some, : self._signals].transpose(0, 2, 1))[:, :, np.newaxis]
        fields: list[Any] = [*held, np.broadcast_to(self.cut[some], held.shape[1:])]
        return Moments(*fields)
