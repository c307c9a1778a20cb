"""How long a sensor that showed a fault is not believed."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.sensors.block import Flags
from models.sensors.departs import LEAVES

TRUSTED_AGAIN = timedelta(hours=6)

LONGEST = timedelta(days=7)
"""After so long what a sensor says since it stepped begins to look usual."""

_DAY, _MOST = 24, 20
_HOUR = timedelta(hours=1)


def held(marks: NDArray[np.int8]) -> NDArray[np.int8]:
    """Hold each fault for as long as the sensor is not trusted again; shape (n_signals, n_hours)."""
    place = np.arange(marks.shape[1])
    last = np.maximum.accumulate(np.where(marks > 0, place, -1), axis=1)
    holds = (last >= 0) & (place - last < TRUSTED_AGAIN / _HOUR)
    return np.where(holds, np.take_along_axis(marks, np.maximum(last, 0), axis=1), marks)


def stepped(steps: NDArray[np.int8], agrees: Flags) -> Flags:
    """Say at which hours a signal is where a step of it alone has left it; shape (n_signals, n_hours).

    Until it steps the other way, or agrees with the others in 20 of 24 hours, or for a week. Nothing but the two weeks
    before an hour has a say in it.
    """
    found = np.zeros(steps.shape, np.bool_)
    longest = LONGEST // _HOUR
    for signal, row in enumerate(steps):
        for first in np.flatnonzero(np.abs(row) == LEAVES).tolist():
            before = row[max(0, first - longest) : first]
            # A way back that leaves what has meanwhile become usual.
            if (before == -row[first]).any():
                continue
            found[signal, first : min(first + longest, len(row), *_ends(row, agrees[signal], first))] = True
    return found


def _ends(steps: NDArray[np.int8], agrees: Flags, first: int) -> list[int]:
    other_way = first + np.flatnonzero(np.sign(steps[first:]) == -np.sign(steps[first]))[:1]
    count = np.cumsum(agrees[first:])
    lately = count[_DAY:] - count[:-_DAY] if len(count) > _DAY else count[:0]
    return [*other_way.tolist(), *(first + _DAY + np.flatnonzero(lately >= _MOST)[:1]).tolist()]
