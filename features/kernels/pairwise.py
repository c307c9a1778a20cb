"""Compiled: sums to the bits of numpy, which adds up halves of halves."""

from typing import Any

import numpy as np

from features.kernels.jit import jit

BLOCK = 128
"""numpy adds up so many numbers in eight sums, and halves what is longer."""


@jit
def _in_eight(x: Any, begin: int, end: int) -> float:
    count = end - begin
    if count < 8:
        total = -0.0
        for i in range(begin, end):
            total += x[i]
        return total
    a, b, c, d = x[begin], x[begin + 1], x[begin + 2], x[begin + 3]
    e, f, g, h = x[begin + 4], x[begin + 5], x[begin + 6], x[begin + 7]
    whole = begin + count - count % 8
    for i in range(begin + 8, whole, 8):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        e += x[i + 4]
        f += x[i + 5]
        g += x[i + 6]
        h += x[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, end):
        total += x[i]
    return total


@jit
def _in_pairs(x: Any, begin: int, end: int) -> float:
    """Return a sum as numpy adds it up: halves of halves, each of them a multiple of eight."""
    if end - begin <= BLOCK:
        return _in_eight(x, begin, end)
    # What is still to be added to what, since a function that calls itself is not kept on disk well.
    begins, ends, sums = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64)
    state = np.zeros(64, np.int64)
    begins[0], ends[0] = begin, end
    top, found = 0, 0.0
    while top >= 0:
        count = ends[top] - begins[top]
        half = count // 2
        middle = begins[top] + half - half % 8
        if count <= BLOCK:
            found = _in_eight(x, begins[top], ends[top])
            top -= 1
        elif state[top] == 0:
            state[top] = 1
            begins[top + 1], ends[top + 1], state[top + 1] = begins[top], middle, 0
            top += 1
        elif state[top] == 1:
            sums[top], state[top] = found, 2
            begins[top + 1], ends[top + 1], state[top + 1] = middle, ends[top], 0
            top += 1
        else:
            found = sums[top] + found
            top -= 1
    return found


@jit
def total_of(x: Any, count: int) -> float:
    """Return the sum of the first ``count`` numbers to the bit of ``np.add.reduceat``."""
    return x[0] + _in_pairs(x, 1, count) if count > 1 else x[0]
