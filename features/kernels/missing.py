"""Compiled: samples that are missing, and those that are not."""

from typing import Any

from features.kernels.jit import jit

LARGEST = 1.7976931348623157e308


@jit
def missing_in(x: Any) -> int:
    """Return how many samples are NaN or infinite."""
    count = 0
    for each in x:
        count += not (abs(each) <= LARGEST)
    return count


@jit
def without_missing(x: Any, clock: Any, known: Any, known_clock: Any) -> int:
    """Write what is known of some samples into two arrays, and return how many these are."""
    count = 0
    for place in range(len(x)):
        if abs(x[place]) <= LARGEST:
            known[count] = x[place]
            known_clock[count] = clock[place]
            count += 1
    return count
