"""Sorting networks: which pairs of places to put in order, one after the other, so that any samples end up sorted."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=32)
def sorting_network(size: int) -> NDArray[np.int32]:
    """Return the comparisons of Batcher's odd-even merge sort, shape (n_comparisons, 2).

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
