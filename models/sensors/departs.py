"""Which signals leave what the others say, for long or from one reading to the next.

A signal that does so alone, while the others still agree among themselves, is a sensor that drifts or is off by a
constant; several that do so together are the machine.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import HOUR, Block, Flags, Hours, Values
from models.sensors.step import EVERY, REACHES_ON, followed, lone, step_sizes
from models.sensors.together import Beside

LOOKED_BACK = 28
"""How many hours before an hour are looked back at: 24 of distances, each smoothed over six."""

ALONE, TOGETHER = 1, -1
"""A signal that departs alone, and one that departs together with others."""

LEAVES, RETURNS = 1, 2
"""A step of one signal away from what the others say, and one back; negative for a step down."""

_MOST, _OF = 20, 24
_DEPARTS = 2.5
_STAYS = 2.0

_EVIDENCE = 7.0
_LEAST_MOVED = 1.0
_AFTER, _BETWEEN, _BEFORE = 3, 1, 9
_SEEN_WITHIN = 3 * HOUR


def departures(beside: Beside) -> NDArray[np.int8]:
    """Return which signals depart from what the others say: 1 alone, −1 together with others, 0 not.

    Returns
    -------
    array of shape (n_signals, n_hours − LOOKED_BACK)
        A signal departs where it did to one side in 20 of the last 24 hours, by two and a half of its usual distances,
        and still does by two; it is alone where no other did in those hours.
    """
    found = np.zeros((len(beside.away), beside.away.shape[1] - _OF + 1), np.int8)
    for signal, away in enumerate(beside.away):
        stays = np.abs(away) > _STAYS
        # What others do is only asked of the few signals that stay away for long.
        if not _lasts(stays, away).any():
            continue
        joined = beside.joined(signal)
        alone = _lasts((np.abs(away) > _DEPARTS) & ~joined, away)
        together = _lasts(stays, away) & joined[_OF - 1 :]
        found[signal] = np.where(~stays[_OF - 1 :], 0, np.where(together, TOGETHER, np.where(alone, ALONE, 0)))
    return found


def lone_steps(beside: Beside, block: Block, hours: Hours) -> NDArray[np.int8]:
    """Return which signals stepped alone, as seen at each hour first: 1 away from what the others say, 2 back to it.

    Negative where the signal stepped down.

    Parameters
    ----------
    hours : those of ``beside``

    Returns
    -------
    array of shape (n_signals, n_hours)
    """
    readings = block.coarser(EVERY)
    steps, far = step_sizes(readings), beside.usual.step[:, np.newaxis]
    sizes, disturbed = lone(steps, beside.usual.change), followed(np.abs(steps) > far)
    found = np.zeros((len(sizes), len(hours)), np.int8)
    for signal, row in np.argwhere(np.abs(sizes) > far).tolist():
        if row + REACHES_ON >= len(readings.time) or disturbed[signal, row]:
            continue
        known = readings.time[row + REACHES_ON]
        for at in np.flatnonzero((hours >= known) & (hours < known + _SEEN_WITHIN)).tolist():
            before, after = _around(beside.apart[signal], at)
            moved = abs(after) - abs(before)
            evidence = (after - before) * sizes[signal, row] / beside.usual.step[signal]
            if evidence > _EVIDENCE and abs(moved) > _LEAST_MOVED:
                found[signal, at] = np.sign(after - before) * (LEAVES if moved > 0 else RETURNS)
                break
    return found


def _around(series: Values, at: int) -> tuple[float, float]:
    """Return the medians of the hours before and after a step that is seen at an hour; NaN where half are missing."""
    stop = at + 1 - _AFTER - _BETWEEN
    pieces = series[max(0, stop - _BEFORE) : max(0, stop)], series[stop + _BETWEEN : at + 1]
    known = [each[~np.isnan(each)] for each in pieces]
    before, after = (
        float(np.median(each)) if 2 * len(each) >= length else np.nan
        for each, length in zip(known, (_BEFORE, _AFTER), strict=True)
    )
    return before, after


def _lasts(flags: Flags, away: Values) -> Flags:
    """Say where flags held to the side that a signal is at now in most of the hours, shape (n − _OF + 1,)."""
    up, down = (sliding_window_view(flags & side, _OF).sum(axis=1) >= _MOST for side in (away > 0, away < 0))
    return np.where(away[_OF - 1 :] > 0, up, down)
