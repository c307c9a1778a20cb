"""Compiled: order statistics of windows and passages through their means."""

from typing import Any

import numpy as np

from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, low, splat, store, where_above


@jit
def compare(columns: Any, width: int, lane: int, network: Any, begin: int, end: int) -> None:
    """Put pairs of samples of eight windows in order.

    Parameters
    ----------
    columns : sample i of window j at ``columns[i * width + j]``
    lane : the first of the windows
    network : of which the comparisons begin … end − 1 are made
    """
    for comparison in range(begin, end):
        lower, upper = network[comparison, 0] * width + lane, network[comparison, 1] * width + lane
        one, other = load(columns, lower), load(columns, upper)
        store(columns, lower, low(one, other))
        store(columns, upper, high(one, other))


@jit
def quantile_of(ordered: Any, first: int, apart: int, count: int, share: float) -> float:
    """Return a quantile, linear between the two nearest samples; ``ordered`` has them ``apart`` from each other."""
    place = share * (count - 1)
    below = int(np.floor(place))
    smaller = ordered[first + below * apart]
    larger = ordered[first + min(below + 1, count - 1) * apart]
    return smaller + (larger - smaller) * (place - below) + 0.0


@jit
def place_of(ordered: Any, count: int, value: float) -> int:
    """Return how many of the first ``count`` are smaller than a value."""
    begin, end = 0, count
    while begin < end:
        middle = (begin + end) // 2
        if ordered[middle] < value:
            begin = middle + 1
        else:
            end = middle
    return begin


@jit
def slide(ordered: Any, leaving: float, entering: float) -> None:
    """Put one sample in the place of another among sorted ones.

    Parameters
    ----------
    leaving : one of ``ordered``
    """
    out = into = 0
    count = len(ordered)
    # Without a branch that the processor would have to guess: each step keeps the half in which the place lies.
    while count > 1:
        half = count // 2
        out += half * (ordered[out + half - 1] < leaving)
        into += half * (ordered[into + half - 1] < entering)
        count -= half
    out += ordered[out] < leaving
    into += ordered[into] < entering
    if into > out:
        for i in range(out, into - 1):
            ordered[i] = ordered[i + 1]
        ordered[into - 1] = entering
    else:
        for i in range(out, into, -1):
            ordered[i] = ordered[i - 1]
        ordered[into] = entering


@jit
def exchange(ordered: Any, count: int, leaving: Any, entering: Any, into: Any) -> int:
    """Write sorted samples again without those that leave and with those that enter, and return their number.

    Parameters
    ----------
    ordered : sorted samples, the first ``count`` of the array
    leaving, entering : sorted samples; each that leaves is among ``ordered``
    into : another array, long enough
    """
    done = written = out = came = 0
    while out < len(leaving) or came < len(entering):
        if came == len(entering) or (out < len(leaving) and leaving[out] <= entering[came]):
            until = done + place_of(ordered[done:], count - done, leaving[out])
            skipped, out, add = 1, out + 1, False
        else:
            until = done + place_of(ordered[done:], count - done, entering[came])
            skipped, came, add = 0, came + 1, True
        into[written : written + until - done] = ordered[done:until]
        written += until - done
        done = until + skipped
        if add:
            into[written] = entering[came - 1]
            written += 1
    into[written : written + count - done] = ordered[done:count]
    return written + count - done


@jit
def crossings_of(x: Any, anchor: float, mean: float, on_mean: float) -> int:
    """Return in how many steps finite samples pass through ``anchor + mean``.

    A sample up to ``on_mean`` away from it belongs to the side that the signal comes from.
    """
    crossings = side = 0
    for each in x:
        distance = (each - anchor) - mean
        here = 1 if distance > on_mean else (-1 if distance < -on_mean else 0)
        if here != 0:
            crossings += here * side < 0
            side = here
    return crossings


@jit
def cross_eight(columns: Any, count: int, anchor: Any, mean: Any, on_mean: Any, found: Any) -> None:
    """Write how often eight windows step through their means, and how many samples lie on them.

    Parameters
    ----------
    columns : sample i of window j at ``columns[i * LANES + j]``
    on_mean : of each window
    found : eight numbers of steps, right where no sample lies on the mean, and eight of such samples
    """
    none, one, minus = splat(0.0), splat(1.0), splat(-1.0)
    below = none - on_mean
    crossings, on = none, none
    before = where_above((load(columns, 0) - anchor) - mean, none, one, minus)
    for i in range(0, count * LANES, LANES):
        distance = (load(columns, i) - anchor) - mean
        side = where_above(distance, none, one, minus)
        crossings = crossings + where_above(none, side * before, one, none)
        on = on + where_above(distance, on_mean, none, where_above(below, distance, none, one))
        before = side
    store(found, 0, crossings)
    store(found, LANES, on)
