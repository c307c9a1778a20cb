"""Which blocks of panes the newest windows of a machine are made of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


class Blocks(NamedTuple):
    """Which panes and blocks of panes are combined to windows that end with the same pane.

    The order is that of ``moments.over_windows``: blocks of 1, 2, 4, … panes, newest first.

    Attributes
    ----------
    of_panes : older and newer pane, block that they make, and panes between their ends; shape (n, 4)
    single : pane and the block that it is, shape (n, 2)
    of_blocks : as ``of_panes``, of two blocks, shape (n, 4)
    whole : block of each window
    blocks : how many there are
    longest : panes of the longest window
    """

    of_panes: Places
    single: Places
    of_blocks: Places
    whole: Places
    blocks: int
    longest: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Blocks":
        """Plan windows of some lengths, in panes; pane 0 is the first one of the longest."""
        of_panes: list[tuple[int, int, int, int]] = []
        single: list[tuple[int, int]] = []
        of_blocks: list[tuple[int, int, int, int]] = []
        known: dict[tuple[int, int], int] = {}
        count = 0

        def block(size: int, end: int) -> int:
            nonlocal count
            if (size, end) not in known:
                half = size // 2
                if size == 1:
                    single.append((end, count))
                elif size == 2:
                    of_panes.append((end - 1, end, count, 1))
                else:
                    of_blocks.append((block(half, end - half), block(half, end), count, half))
                known[size, end] = count
                count += 1
            return known[size, end]

        whole = []
        for length in lengths:
            window, done = -1, 0
            for level in range(length.bit_length()):
                if length >> level & 1:
                    older = block(1 << level, max(lengths) - 1 - done)
                    if done:
                        of_blocks.append((older, window, count, done))
                        window, count = count, count + 1
                    else:
                        window = older
                    done += 1 << level
            whole.append(window)
        return cls(
            of_panes=np.array(of_panes, np.int64).reshape(-1, 4),
            single=np.array(single, np.int64).reshape(-1, 2),
            of_blocks=np.array(of_blocks, np.int64).reshape(-1, 4),
            whole=np.array(whole, np.int64),
            blocks=count,
            longest=max(lengths),
        )
