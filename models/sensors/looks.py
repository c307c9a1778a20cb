"""How readings look at an hour: one number for each kind of sensor fault, higher is worse.

Each looks at the readings of the last two hours, eight at least, and at what the machine's other signals
did meanwhile: what most of them do at once is the machine.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import CLOSE, Block, Flags, Hours, Values
from models.sensors.usual import LOOKS_BACK, Usual

_BESIDE = 5
_ALIVE = 0.1
_SPIKES_WIDTHS = 3


class Around:
    """The readings of one machine around hours.

    Parameters
    ----------
    usual : of each signal; ``None`` where it is not known
    """

    def __init__(self, block: Block, usual: Sequence[Usual | None], hours: Hours) -> None:
        self.block, self.usual, self.hours = block, usual, hours

    def read(self, signal: int) -> NDArray[np.intp]:
        """Return the rows at which a signal was read."""
        return np.flatnonzero(~np.isnan(self.block.values[signal]))

    def newest(self, series: Values, rows: NDArray[np.intp], width: int) -> Values:
        """Return the last ``width`` values of a series before each hour; shape (n_hours, width).

        NaN where there are not so many within two days.

        Parameters
        ----------
        rows : row of each value, shape (n,)
        """
        time = self.block.time[rows]
        ends = np.searchsorted(time, self.hours, side="right")[:, np.newaxis]
        begins = np.searchsorted(time, self.hours - np.timedelta64(LOOKS_BACK), side="right")[:, np.newaxis]
        places = ends - 1 - np.arange(width)
        padded = np.append(series, np.nan)
        return padded[np.where(places >= begins, places, len(series))]

    def close(self, rows: NDArray[np.intp], back: int) -> Flags:
        """Say which rows come soon after the row so many places before; shape (n,) to (n − back,).

        What is made of rows that are not close is not known, so that nothing depends on how far back a block reaches.
        """
        return self.block.time[rows[back:]] - self.block.time[rows[:-back]] <= CLOSE

    def others(self, signal: int, flags: Flags) -> Flags:
        """Say where at least half of the other signals have a flag; shape (n_signals, n) to (n,)."""
        if len(flags) == 1:
            return np.zeros(flags.shape[1], np.bool_)
        beside = flags.sum(axis=0) - flags[signal]
        return 2 * beside >= len(flags) - 1

    @cached_property
    def alive(self) -> Flags:
        """Where each signal moves as it does while the machine works; shape (n_signals, n)."""
        least = np.array([0.0 if each is None else _ALIVE * each.change for each in self.usual])
        return self.block.changes > least[:, np.newaxis]

    @cached_property
    def jumps(self) -> Flags:
        """Where each signal changes by more than it usually does; shape (n_signals, n)."""
        most = np.array([np.inf if each is None else each.change for each in self.usual])
        return self.block.changes > most[:, np.newaxis]


class Look(Protocol):
    """Returns one number for each hour, shape (n_hours,); NaN where too little was read."""

    def __call__(self, around: Around, signal: int) -> Values:
        """Look at one signal."""


def missing(around: Around, signal: int) -> Values:
    """Share of the machine's rows of the last two hours in which the signal was not read."""
    usual = around.usual[signal]
    width = 0 if usual is None else usual.width
    rows = np.arange(len(around.block.time))
    absent = np.isnan(around.block.values[signal]).astype(np.float64)
    return np.asarray(around.newest(absent, rows, width).mean(axis=1))


def stuck(around: Around, signal: int) -> Values:
    """How many readings in a row had one value, of those at which half of the other signals moved.

    Counted over two days at most; as a multiple of the longest run of this value that was usual before.
    """
    usual, rows = around.usual[signal], around.read(signal)
    if usual is None or not len(rows):
        return np.full(len(around.hours), np.nan)
    values, time = around.block.values[signal, rows], around.block.time[rows]
    lone = len(around.block.values) == 1
    lively = np.ones(len(rows)) if lone else around.others(signal, around.alive)[rows].astype(np.float64)
    counted = np.concatenate(([0.0], np.cumsum(lively)))
    begins = np.maximum.accumulate(np.where(np.diff(values, prepend=np.nan) != 0, np.arange(len(rows)), 0))
    last = np.searchsorted(time, around.hours, side="right") - 1
    first = np.searchsorted(time, around.hours - np.timedelta64(LOOKS_BACK), side="right")
    at = np.maximum(last, 0)
    run = counted[at + 1] - counted[np.maximum(begins[at], np.minimum(first, at))]
    usual_there = np.array([usual.rests.get(value, 0) for value in values[at].tolist()])
    return np.where(last >= first, np.where(2 * usual_there >= run, 0.0, run), np.nan)


def spikes(around: Around, signal: int) -> Values:
    """Second largest jump there and back of the last six hours, in the signal's unit.

    The smaller of a reading's distances from the median of the five before and from the one after.
    """
    usual, rows = around.usual[signal], around.read(signal)
    if usual is None or len(rows) <= _BESIDE + 1:
        return np.full(len(around.hours), np.nan)
    values = around.block.values[signal, rows]
    before = np.median(sliding_window_view(values[:-2], _BESIDE), axis=1)
    there, back = values[_BESIDE:-1] - before, values[_BESIDE:-1] - values[_BESIDE + 1 :]
    jump = np.where(np.sign(there) == np.sign(back), np.minimum(np.abs(there), np.abs(back)), 0.0)
    jump[around.others(signal, around.jumps)[rows[_BESIDE:-1]]] = 0.0
    jump[~around.close(rows, _BESIDE + 1)] = np.nan
    newest = around.newest(jump, rows[_BESIDE + 1 :], _SPIKES_WIDTHS * usual.width)
    return np.asarray(np.partition(newest, -2, axis=1)[:, -2])


def noise(around: Around, signal: int) -> Values:
    """Median distance of the readings of the last two hours from the middle between their neighbours.

    A ramp has none. Zero while the level is not a usual one: noise that comes with another level is the
    machine's.
    """
    usual, rows = around.usual[signal], around.read(signal)
    if usual is None or len(rows) < _BESIDE:
        return np.full(len(around.hours), np.nan)
    values = around.block.values[signal, rows]
    rough = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2)
    jumps = around.others(signal, around.jumps)[rows]
    rough[jumps[1:-1] | jumps[2:]] = 0.0
    rough[~around.close(rows, 2)] = np.nan
    level = np.median(around.newest(values, rows, usual.width), axis=1)
    size = np.median(around.newest(rough, rows[2:], usual.width - 2), axis=1)
    return np.where((level < usual.low) | (level > usual.high), 0.0, size)


LOOKS: Mapping[str, Look] = {"missing": missing, "stuck": stuck, "noise": noise, "spikes": spikes}
"""The look for each kind of fault, in the order in which a fault is named."""
