"""Which machine of a line holds the others up, moment by moment: the active-period method.

A machine is active while it runs, is set up, is broken or stands for a reason of its own; it is not while it waits for
others (starved, blocked, idle) or is not planned. At each moment the machine whose active period around it is the
longest holds the line up: all others had to wait for somebody since.

Source: Roser, Nakano and Tanaka, Shifting bottleneck detection, Winter Simulation Conference (2002).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ACTIVE = ("running", "changeover", "breakdown", "minor_stop", "stopped")
Places = NDArray[np.int64]
Floats = NDArray[np.float64]


def active_periods(parts: pd.DataFrame) -> tuple[Places, Places]:
    """Return begin and stop of each stretch without a wait, in microseconds, ascending.

    Parameters
    ----------
    parts : of one machine with ``begin``, ``stop`` and ``did``; a gap ends a period

    Examples
    --------
    >>> parts = pd.DataFrame({"begin": [0, 4, 6], "stop": [4, 6, 9], "did": ["running", "breakdown", "starved"]})
    >>> [each.tolist() for each in active_periods(parts)]
    [[0], [6]]
    """
    own = parts[parts["did"].isin(ACTIVE)]
    begin, stop = (own[name].to_numpy(np.int64) for name in ("begin", "stop"))
    opens = np.concatenate([[True], begin[1:] > stop[:-1]])[: len(begin)]
    closes = np.concatenate([opens[1:], [True]])[: len(begin)]
    return begin[opens], stop[closes]


def held_up(line: Sequence[pd.DataFrame], begins: Places, stops: Places) -> Floats:
    """Return how long each machine held the line up in each of some spans.

    Parameters
    ----------
    line : parts of each machine, see ``active_periods``
    begins, stops : of spans in microseconds, ascending and apart, shape (n_spans,)

    Returns
    -------
    array of shape (n_machines, n_spans), in microseconds
        Where two are alike the time is the one's that stands first.
    """
    periods = [active_periods(parts) for parts in line]
    edges = np.unique(np.concatenate([begins, stops, *(each for period in periods for each in period)]))
    left, lengths = edges[:-1], np.diff(edges)
    reach = np.stack([_reach(left, *period) for period in periods])
    span = np.searchsorted(begins, left, side="right") - 1
    holds = reach.argmax(axis=0)
    inside = (span >= 0) & (left < stops[np.maximum(span, 0)]) & (reach.max(axis=0) > 0)
    found = np.zeros((len(line), len(begins)))
    np.add.at(found, (holds[inside], span[inside]), lengths[inside])
    return found


def _reach(moments: Places, begin: Places, stop: Places) -> Floats:
    """Return the length of the period around each moment; 0 outside of all."""
    if not len(begin):
        return np.zeros(len(moments))
    at = np.searchsorted(begin, moments, side="right") - 1
    inside = (at >= 0) & (moments < stop[np.maximum(at, 0)])
    lengths = (stop - begin)[np.maximum(at, 0)].astype(float)
    return np.where(inside, lengths, 0.0)
