"""The looks of ``models.sensors.looks``, one signal at a time and with numpy's own medians: slow, and easy to check."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import CLOSE, Block, Flags, Hours, Values
from models.sensors.usual import LOOKS_BACK, Usual


class SlowLooks:
    """Looks at one signal of a machine at some hours; each method returns what the look of its name does."""

    def __init__(self, block: Block, usual: list[Usual], hours: Hours, signal: int) -> None:
        self.block, self.usual, self.hours, self.signal = block, usual, hours, signal
        self.own = usual[signal]
        self.rows = np.flatnonzero(~np.isnan(block.values[signal]))
        self.values = block.values[signal, self.rows]

    def missing(self) -> Values:
        absent = np.isnan(self.block.values[self.signal]).astype(np.float64)
        return np.asarray(self._newest(absent, np.arange(len(absent)), self.own.width).mean(axis=1))

    def stuck(self) -> Values:
        found = np.full(len(self.hours), np.nan)
        alive = self.block.changes > np.array([[0.1 * each.change] for each in self.usual])
        lively = self._others(alive)[self.rows] if len(self.usual) > 1 else np.ones(len(self.rows))
        time = self.block.time[self.rows]
        for place, hour in enumerate(self.hours):
            within = np.flatnonzero((time <= hour) & (time > hour - np.timedelta64(LOOKS_BACK)))
            if len(within):
                value = self.values[within[-1]]
                other = np.flatnonzero(self.values[within] != value)
                run = lively[within[other[-1] + 1 if len(other) else 0] : within[-1] + 1].sum()
                found[place] = 0.0 if 2 * self.own.rests.get(float(value), 0) >= run else run
        return found

    def spikes(self) -> Values:
        values, jumps = self.values, self._others(self._jumps())[self.rows]
        if len(values) <= 6:
            return np.full(len(self.hours), np.nan)
        before = np.median(sliding_window_view(values[:-2], 5), axis=1)
        there, back = values[5:-1] - before, values[5:-1] - values[6:]
        jump = np.where(np.sign(there) == np.sign(back), np.minimum(np.abs(there), np.abs(back)), 0.0)
        jump[jumps[5:-1]] = 0.0
        jump[~self._close(6)] = np.nan
        return np.asarray(np.partition(self._newest(jump, self.rows[6:], 3 * self.own.width), -2, axis=1)[:, -2])

    def noise(self) -> Values:
        values, jumps = self.values, self._others(self._jumps())[self.rows]
        if len(values) < 5:
            return np.full(len(self.hours), np.nan)
        rough = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2)
        rough[jumps[1:-1] | jumps[2:]] = 0.0
        rough[~self._close(2)] = np.nan
        level = np.median(self._newest(values, self.rows, self.own.width), axis=1)
        size = np.median(self._newest(rough, self.rows[2:], self.own.width - 2), axis=1)
        return np.where((level < self.own.low) | (level > self.own.high), 0.0, size)

    def _newest(self, series: Values, rows: NDArray[np.intp], width: int) -> Values:
        time = self.block.time[rows]
        ends = np.searchsorted(time, self.hours, side="right")[:, np.newaxis]
        begins = np.searchsorted(time, self.hours - np.timedelta64(LOOKS_BACK), side="right")[:, np.newaxis]
        places = ends - 1 - np.arange(width)
        return np.append(series, np.nan)[np.where(places >= begins, places, len(series))]

    def _close(self, back: int) -> Flags:
        time = self.block.time[self.rows]
        return time[back:] - time[:-back] <= CLOSE

    def _others(self, flags: Flags) -> Flags:
        if len(flags) == 1:
            return np.zeros(flags.shape[1], np.bool_)
        return 2 * (flags.sum(axis=0) - flags[self.signal]) >= len(flags) - 1

    def _jumps(self) -> Flags:
        return self.block.changes > np.array([[each.change] for each in self.usual])
