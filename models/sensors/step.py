"""Steps: how far a signal jumps from one reading to the next and stays there, as a sensor does that is suddenly off."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.sensors.block import CLOSE, Block, Flags, Values
from models.sensors.medians import medians_of_five

EVERY = np.timedelta64(30 * 60_000_000, "us")
"""Of readings that come more often, the newest of each half hour is looked at."""

REACHES_ON = 6
"""How many readings after a step it takes to know it: those that it stays for, and those in which others may follow."""

_STAYS = 5
_SHARP = 1.3
_JUST_BEFORE, _JUST_AFTER = 5, 2
_OTHERS_STEP = 2.5


def step_sizes(block: Block) -> Values:
    """Return how far each signal stepped at each reading, with its sign; 0 where it did not or nobody knows.

    The difference of the medians of five readings after and before, as far as the reading itself jumped, less what went
    the same way before: a ramp has none, nor has a single spike.

    Parameters
    ----------
    block : see ``EVERY``

    Returns
    -------
    array of shape (n_signals, n)
    """
    found = np.zeros(block.values.shape)
    for own, values in zip(found, block.values, strict=True):
        rows = np.flatnonzero(~np.isnan(values))
        if len(rows) < 3 * _STAYS:
            continue
        read = values[rows]
        level = medians_of_five(read)
        at = np.arange(2 * _STAYS, len(rows) - _STAYS + 1)
        step, before = level[at] - level[at - _STAYS], level[at - _STAYS] - level[at - 2 * _STAYS]
        side = np.sign(step)
        sharp = np.minimum(np.abs(step), _SHARP * np.maximum(side * (read[at] - read[at - 1]), 0.0))
        size = np.maximum(sharp - np.maximum(side * before, 0.0), 0.0)
        close = block.time[rows[at + _STAYS - 1]] - block.time[rows[at - 2 * _STAYS]] <= CLOSE
        own[rows[at]] = np.where(close, side * size, 0.0)
    return found


def usual_change(block: Block) -> Values:
    """Return the change between readings that one in four exceeds, of those that changed; infinite for none."""
    moved = np.where(block.changes > 0, block.changes, np.nan)
    known = ~np.isnan(moved).all(axis=1)
    found = np.full(len(moved), np.inf)
    found[known] = np.nanquantile(moved[known], 0.75, axis=1)
    return found


def lone(sizes: Values, change: Values) -> Values:
    """Return the steps of one signal at which no other stepped, from five readings before to two after.

    Shape (n_signals, n), as that of ``sizes``.
    """
    steps: Flags = np.abs(sizes) > _OTHERS_STEP * change[:, np.newaxis]
    padded = np.pad(steps, ((0, 0), (_JUST_BEFORE, _JUST_AFTER)))
    meanwhile = sliding_window_view(padded, _JUST_BEFORE + 1 + _JUST_AFTER, axis=1).any(axis=2)
    return np.where(meanwhile.sum(axis=0) - meanwhile > 0, 0.0, sizes)


def followed(steps: Flags) -> Flags:
    """Say where another signal steps before a step is known, as all do at a stop: then nobody knows whose it was.

    Shape (n_signals, n), as that of ``steps``, which says where each signal stepped.
    """
    padded = np.pad(steps, ((0, 0), (0, REACHES_ON)))[:, 1:]
    later = sliding_window_view(padded, REACHES_ON, axis=1).any(axis=2)
    return later.sum(axis=0) - later > 0
