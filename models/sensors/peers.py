"""What machines of a class leave the expected by at once: the weather around them, or a medium that they share."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from models.sensors.block import Values

MOST = 8
"""How many other machines have a say: more change a median little, and each has to be read."""

FEWEST = 3
"""Of two that disagree nobody knows which one is right."""


def peers_of(machine: str, spans: Mapping[str, tuple[datetime, datetime]], since: datetime) -> list[str]:
    """Return the machines that come next in the order of names, the first after the last; none if they are too few.

    Parameters
    ----------
    spans : first and newest reading of each machine of the class
    since : only machines that were read before count, so that one that is added later changes nothing said before

    Examples
    --------
    >>> spans = {name: (datetime(2026, 1, 1), datetime(2026, 6, 1)) for name in "abcde"}
    >>> peers_of("d", spans, datetime(2026, 2, 1))
    ['e', 'a', 'b', 'c']
    """
    return next_in_order(machine, sorted(name for name, (first, _) in spans.items() if first <= since))


def next_in_order(machine: str, names: Sequence[str]) -> list[str]:
    """Return the names that come next after a machine's, the first after the last; none if they are too few.

    Parameters
    ----------
    names : sorted

    Examples
    --------
    >>> next_in_order("c", ["a", "b", "c", "d"])
    ['d', 'a', 'b']
    """
    after, before = [name for name in names if name > machine], [name for name in names if name < machine]
    found = [*after, *before][:MOST]
    return found if len(found) >= FEWEST else []


def common(off: Sequence[Values]) -> Values:
    """Return the median of what machines are off by, NaN where fewer than three are known; shape as that of each.

    Examples
    --------
    >>> common([np.array([1.0, 1.0]), np.array([2.0, np.nan]), np.array([9.0, 3.0])])
    array([ 2., nan])
    """
    stack = np.sort(np.stack(off), axis=0)
    count = len(stack) - np.isnan(stack).sum(axis=0)
    middle = np.maximum(np.stack([count - 1, count]) // 2, 0)
    low, high = np.take_along_axis(stack, np.minimum(middle, len(stack) - 1), axis=0)
    return np.where(count >= FEWEST, (low + high) / 2, np.nan)
