"""How quantiles of windows of equal length are found: which networks, and where the ranks end up."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.kernels.names import SHARES
from features.kernels.network import merging_network, only, sorting_network

ROLLS = 16
"""From this many strides per window on, a sorted window is kept up instead of sorted anew."""
MOST_AT_ONCE = 1024
"""Longest window that a network sorts: eight of them fill 64 kB."""


class Plan(NamedTuple):
    """Networks, one after the other: the first sorts a run, each further one merges two of what was before.

    Attributes
    ----------
    run : samples that the first network sorts: a pane, or the whole window
    comparisons : of all networks, shape (n_comparisons, 2); none if windows are too long for networks
    ends : where each network's comparisons end
    orders : for each network where each rank stands after it, one network after the other
    below, above : ranks between which each quantile lies, as places after the last network
    share : how far it lies above the first
    """

    run: int
    comparisons: NDArray[np.int32]
    ends: NDArray[np.int64]
    orders: NDArray[np.int64]
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    share: NDArray[np.float64]


@lru_cache(maxsize=32)
def plan_of(length: int, stride: int) -> Plan:
    """Return the plan for windows of a length and a stride.

    Where the stride divides a window into 2, 4 or 8 panes, panes are sorted once and then merged; what
    overlaps is shared. Otherwise each window is sorted whole.
    """
    place = np.array(SHARES) * (length - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    panes = length // stride
    shared = length % stride == 0 and panes in (2, 4, 8)
    run = stride if shared else length
    if length > MOST_AT_ONCE or length >= ROLLS * stride:
        return Plan(run, np.empty((0, 2), np.int32), *(np.empty(0, np.int64),) * 2, low, high, place - low)
    networks, orders = [sorting_network(run)], [np.arange(run)]
    size = run
    while size < length:
        comparisons, order = merging_network(size)
        networks.append(comparisons)
        orders.append(order)
        size *= 2
    below, above = orders[-1][low], orders[-1][high]
    networks[-1] = only(networks[-1], [*below.tolist(), *above.tolist()])
    ends = np.cumsum([len(each) for each in networks])
    return Plan(run, np.concatenate(networks), ends, np.concatenate(orders), below, above, place - low)
