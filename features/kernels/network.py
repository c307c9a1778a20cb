"""Sorting networks: which pairs of places to put in order, one after the other, so that any samples end up sorted."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Comparisons = NDArray[np.int32]
"""Shape (n_comparisons, 2): the place of the smaller and of the larger one."""


@lru_cache(maxsize=32)
def sorting_network(size: int) -> Comparisons:
    """Return the comparisons of Batcher's odd-even merge sort.

    After Knuth, The Art of Computer Programming 3, 5.2.2, Algorithm M. Comparisons with places beyond
    ``size`` are left out: what would stand there is larger than any sample.

    Examples
    --------
    >>> sorting_network(3).tolist()
    [[0, 2], [0, 1], [1, 2]]
    """
    places = np.arange(size)
    power = 1 << max(size - 1, 0).bit_length()
    layers = [np.empty((0, 2), np.int32)]
    part = power // 2
    while part:
        step, offset, apart = power // 2, 0, part
        while True:
            below = places[((places & part) == offset) & (places + apart < size)]
            layers.append(np.stack([below, below + apart], axis=1).astype(np.int32))
            if step == part:
                break
            apart, step, offset = step - part, step // 2, part
        part //= 2
    return np.concatenate(layers)


@lru_cache(maxsize=32)
def merging_network(size: int) -> tuple[Comparisons, NDArray[np.int64]]:
    """Return the comparisons that merge two sorted runs of equal size, and where each rank then stands.

    Batcher's odd-even merge, ibid. 5.3.4, for any size; the second run stands behind the first.

    Examples
    --------
    >>> comparisons, order = merging_network(2)
    >>> comparisons.tolist(), order.tolist()
    ([[0, 2], [1, 3], [1, 2]], [0, 1, 2, 3])
    """
    comparisons: list[tuple[int, int]] = []
    order = _merge(list(range(size)), list(range(size, 2 * size)), comparisons)
    # Layer by layer, so that neighbouring comparisons do not wait for each other.
    layers, layer_of = [], [0] * (2 * size)
    for one, other in comparisons:
        layer_of[one] = layer_of[other] = max(layer_of[one], layer_of[other]) + 1
        layers.append(layer_of[one])
    by_layer = np.argsort(layers, kind="stable")
    return np.array(comparisons, np.int32).reshape(-1, 2)[by_layer], np.array(order, np.int64)


def only(comparisons: Comparisons, wanted: Iterable[int]) -> Comparisons:
    """Return the comparisons that have a say in what ends up at some places.

    Examples
    --------
    >>> only(sorting_network(4), [0]).tolist()
    [[0, 2], [1, 3], [0, 1]]
    """
    matter, kept = set(wanted), np.zeros(len(comparisons), np.bool_)
    for place in range(len(comparisons) - 1, -1, -1):
        one, other = comparisons[place].tolist()
        if one in matter or other in matter:
            kept[place] = True
            matter |= {one, other}
    return comparisons[kept]


def _merge(one: Sequence[int], other: Sequence[int], comparisons: list[tuple[int, int]]) -> list[int]:
    if not one or not other:
        return [*one, *other]
    if len(one) == len(other) == 1:
        comparisons.append((one[0], other[0]))
        return [one[0], other[0]]
    odd = _merge(one[::2], other[::2], comparisons)
    even = _merge(one[1::2], other[1::2], comparisons)
    order = [odd[0]]
    for place, smaller in enumerate(even):
        order.append(smaller)
        if place + 1 < len(odd):
            comparisons.append((smaller, odd[place + 1]))
            order.append(odd[place + 1])
    return order + odd[len(even) + 1 :]
