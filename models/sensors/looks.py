"""How readings look at an hour: one number for each kind of sensor fault, higher is worse.

Each looks at the readings of the last two hours, eight at least, and at what the machine's other signals
did meanwhile: what most of them do at once is the machine. Signals that are read together are looked at together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import CLOSE, Block, Flags, Hours, Values
from models.sensors.medians import median, medians_of_five
from models.sensors.usual import LOOKS_BACK, Usual

_BESIDE = 5
_ALIVE = 0.1
_SPIKES_WIDTHS = 3
_CELLS_AT_ONCE = 500_000
"""About how many values are laid out at once (4 MB); those of one signal always are."""

Signals = NDArray[np.intp]
"""Places of signals that were read at the same rows, and of which the same number of readings fills two hours."""


class Around:
    """The readings of one machine around hours.

    Parameters
    ----------
    usual : of each signal; ``None`` where it is not known
    """

    def __init__(self, block: Block, usual: Sequence[Usual | None], hours: Hours) -> None:
        self.block, self.usual, self.hours = block, usual, hours

    def alike(self) -> Iterator[Signals]:
        """Yield the signals of which it is known what is usual, those together that can be looked at together."""
        together: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        for signal, own in enumerate(self.usual):
            if own is not None:
                together[own.width, np.isnan(self.block.values[signal]).tobytes()].append(signal)
        for (width, _), signals in together.items():
            cells = max(1, len(self.block.time), len(self.hours) * _SPIKES_WIDTHS * width)
            at_once = max(1, _CELLS_AT_ONCE // cells)
            for first in range(0, len(signals), at_once):
                yield np.array(signals[first : first + at_once])

    def of_usual(self, signals: Signals) -> list[Usual]:
        """Return what is usual of some signals."""
        return [own for own in (self.usual[signal] for signal in signals) if own is not None]

    def read(self, signals: Signals) -> NDArray[np.intp]:
        """Return the rows at which signals were read."""
        return np.flatnonzero(~np.isnan(self.block.values[signals[0]]))

    def newest(self, series: Values, rows: NDArray[np.intp], width: int) -> Values:
        """Return the last ``width`` values of some series before each hour; shape (n_series, n_hours, width).

        NaN where there are not so many within two days.

        Parameters
        ----------
        series : shape (n_series, n)
        rows : row of each value, shape (n,)
        """
        time = self.block.time[rows]
        ends = np.searchsorted(time, self.hours, side="right")
        begins = np.searchsorted(time, self.hours - np.timedelta64(LOOKS_BACK), side="right")
        padded = np.concatenate([np.full((len(series), width), np.nan), series], axis=1)
        found = sliding_window_view(padded, width, axis=1)[:, ends]
        found[:, np.arange(width) < (width - ends + begins)[:, np.newaxis]] = np.nan
        return found

    def close(self, rows: NDArray[np.intp], back: int) -> Flags:
        """Say which rows come soon after the row so many places before; shape (n,) to (n − back,).

        What is made of rows that are not close is not known, so that nothing depends on how far back a block reaches.
        """
        return self.block.time[rows[back:]] - self.block.time[rows[:-back]] <= CLOSE

    def others(self, signals: Signals, flags: Flags) -> Flags:
        """Say where at least half of the signals beside each one have a flag; shape (n_signals, n)."""
        if len(flags) == 1:
            return np.zeros(flags.shape, np.bool_)
        beside = flags.sum(axis=0) - flags[signals]
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
    """Returns one number for each signal and hour, shape (n_signals, n_hours); NaN where too little was read."""

    def __call__(self, around: Around, signals: Signals) -> Values:
        """Look at signals that are ``alike``."""


def missing(around: Around, signals: Signals) -> Values:
    """Share of the machine's rows of the last two hours in which the signal was not read."""
    rows = np.arange(len(around.block.time))
    absent = np.isnan(around.block.values[signals[:1]]).astype(np.float64)
    share = around.newest(absent, rows, around.of_usual(signals)[0].width).mean(axis=-1)
    return np.repeat(share, len(signals), axis=0)


def stuck(around: Around, signals: Signals) -> Values:
    """How many readings in a row had one value, of those at which half of the other signals moved.

    Counted over two days at most; as a multiple of the longest run of this value that was usual before.
    """
    rows = around.read(signals)
    if not len(rows):
        return _unknown(around, signals)
    values, time = around.block.values[signals][:, rows], around.block.time[rows]
    lone = len(around.block.values) == 1
    lively = np.ones(values.shape) if lone else around.others(signals, around.alive)[:, rows].astype(np.float64)
    counted = np.concatenate([np.zeros((len(signals), 1)), np.cumsum(lively, axis=1)], axis=1)
    changed = np.diff(values, prepend=np.nan, axis=1) != 0
    begins = np.maximum.accumulate(np.where(changed, np.arange(len(rows)), 0), axis=1)
    last = np.searchsorted(time, around.hours, side="right") - 1
    first = np.searchsorted(time, around.hours - np.timedelta64(LOOKS_BACK), side="right")
    at = np.maximum(last, 0)
    since = np.maximum(begins[:, at], np.minimum(first, at))
    run = counted[:, at + 1] - np.take_along_axis(counted, since, axis=1)
    usual_there = np.array(
        [
            [own.rests.get(value, 0) for value in there]
            for own, there in zip(around.of_usual(signals), values[:, at].tolist(), strict=True)
        ]
    )
    return np.where(last >= first, np.where(2 * usual_there >= run, 0.0, run), np.nan)


def spikes(around: Around, signals: Signals) -> Values:
    """Second largest jump there and back of the last six hours, in the signal's unit.

    The smaller of a reading's distances from the median of the five before and from the one after.
    """
    rows = around.read(signals)
    if len(rows) <= _BESIDE + 1:
        return _unknown(around, signals)
    values = around.block.values[signals][:, rows]
    middle = values[:, _BESIDE:-1]
    there, back = middle - medians_of_five(values[:, :-2]), middle - values[:, _BESIDE + 1 :]
    jump = np.where(np.sign(there) == np.sign(back), np.minimum(np.abs(there), np.abs(back)), 0.0)
    jump[around.others(signals, around.jumps)[:, rows[_BESIDE:-1]]] = 0.0
    jump[:, ~around.close(rows, _BESIDE + 1)] = np.nan
    newest = around.newest(jump, rows[_BESIDE + 1 :], _SPIKES_WIDTHS * around.of_usual(signals)[0].width)
    newest.partition(-2, axis=-1)
    return newest[..., -2]


def noise(around: Around, signals: Signals) -> Values:
    """Median distance of the readings of the last two hours from the middle between their neighbours.

    A ramp has none. Zero while the level is not a usual one: noise that comes with another level is the
    machine's.
    """
    rows = around.read(signals)
    if len(rows) < _BESIDE:
        return _unknown(around, signals)
    values, usual = around.block.values[signals][:, rows], around.of_usual(signals)
    rough = np.abs(values[:, 1:-1] - (values[:, :-2] + values[:, 2:]) / 2)
    jumps = around.others(signals, around.jumps)[:, rows]
    rough[jumps[:, 1:-1] | jumps[:, 2:]] = 0.0
    rough[:, ~around.close(rows, 2)] = np.nan
    level = median(around.newest(values, rows, usual[0].width))
    size = median(around.newest(rough, rows[2:], usual[0].width - 2))
    low, high = (np.array([[getattr(own, edge)] for own in usual]) for edge in ("low", "high"))
    return np.where((level < low) | (level > high), 0.0, size)


def _unknown(around: Around, signals: Signals) -> Values:
    return np.full((len(signals), len(around.hours)), np.nan)


LOOKS: Mapping[str, Look] = {"missing": missing, "stuck": stuck, "noise": noise, "spikes": spikes}
"""The look for each kind of fault, in the order in which a fault is named."""
