"""Compiled: samples to the sums of stretches."""

from typing import Any

from features.kernels.fields import (
    ANCHOR,
    CROSSINGS,
    FIRST,
    FIRST_SIDE,
    HIGH,
    LAG,
    LAST,
    LAST_SIDE,
    LOW,
    M2,
    M3,
    M4,
    MEAN,
    SAMPLES,
    TIME,
    TT,
    TX,
)
from features.kernels.jit import jit, jit_finite, jit_sums
from features.kernels.lanes import LANES, high, load, low, splat, store, where_above


@jit_finite
def _extremes(x: Any) -> tuple[float, float]:
    smallest = largest = x[0]
    for each in x:
        smallest = min(smallest, each)
        largest = max(largest, each)
    return smallest, largest


@jit
def _sides(x: Any) -> tuple[int, float, float]:
    """Return the steps through zero and the outermost signs; a zero belongs to the side that it comes from."""
    zeros = crossings = 0
    for each in x:
        zeros += each == 0
    if not zeros:
        for place in range(len(x) - 1):
            crossings += (x[place] > 0) != (x[place + 1] > 0)
        return crossings, 1.0 if x[0] > 0 else -1.0, 1.0 if x[-1] > 0 else -1.0
    first = side = 0.0
    for each in x:
        here = 1.0 if each > 0 else (-1.0 if each < 0 else 0.0)
        if here != 0:
            crossings += here * side < 0
            first = here if first == 0 else first
            side = here
    return crossings, first, side


@jit
def _less(x: Any, level: float, into: Any) -> None:
    """Write each sample less a level. Not part of a sum's own loop, where it would be taken off the whole sum."""
    for i in range(len(x)):
        into[i] = x[i] - level


@jit_sums
def _sum(x: Any) -> float:
    total = 0.0
    for each in x:
        total += each
    return total


@jit_sums
def _powers(distance: Any) -> tuple[float, float, float, float]:
    """Return the sums of distances from the mean and of their second, third and fourth powers."""
    rest = m2 = m3 = m4 = 0.0
    for each in distance:
        square = each * each
        rest += each
        m2 += square
        m3 += square * each
        m4 += square * square
    return rest, m2, m3, m4


@jit_sums
def _products(one: Any, other: Any) -> float:
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@jit
def clock_of(clock: Any, apart: Any) -> tuple[float, float]:
    """Return the mean of some times and the sum of their squared distances from it.

    Parameters
    ----------
    apart : an array at least as long, to work in
    """
    mean = _sum(clock) / len(clock)
    own = apart[: len(clock)]
    _less(clock, mean, own)
    return mean, _products(own, own)


@jit
def sums_of(x: Any, clock: Any, time: float, tt: float, distance: Any, into: Any, place: int) -> None:
    """Write the sums of one stretch of finite samples.

    Parameters
    ----------
    x, clock : its samples and when they were taken, in any unit, after its end
    time, tt : what ``clock_of`` says of the clock
    distance : an array at least as long, to work in
    into : fields of stretches, shape (COUNT, at least ``place`` + 1)
    """
    count, d = len(x), distance[: len(x)]
    _less(x, x[0], d)
    mean = _sum(d) / count
    _less(d, mean, d)
    rest, m2, m3, m4 = _powers(d)
    smallest, largest = _extremes(x)
    crossings, first_side, last_side = _sides(x)
    into[SAMPLES, place] = count
    into[ANCHOR, place] = x[0]
    into[MEAN, place] = mean + rest / count
    into[M2, place] = m2
    into[M3, place] = m3
    into[M4, place] = m4
    into[LOW, place] = smallest
    into[HIGH, place] = largest
    into[TIME, place] = time
    into[TT, place] = tt
    into[TX, place] = _products(clock, d) - time * rest
    into[LAG, place] = _products(d[: count - 1], d[1:])
    into[FIRST, place] = d[0]
    into[LAST, place] = d[count - 1]
    into[CROSSINGS, place] = crossings
    into[FIRST_SIDE, place] = first_side
    into[LAST_SIDE, place] = last_side


@jit
def no_sums(into: Any, place: int) -> None:
    """Write the sums of a stretch without a sample."""
    into[:, place] = 0.0
    into[LOW, place] = float("inf")
    into[HIGH, place] = -float("inf")


@jit
def sums_of_eight(columns: Any, count: int, clock: Any, time: float, tt: float, into: Any, width: int, to: int) -> None:
    """Write the sums of eight stretches of equal numbers of finite samples that lie beside each other.

    Parameters
    ----------
    columns : sample i of stretch j at ``columns[i * LANES + j]``; overwritten by distances from the mean
    clock, time, tt : see ``sums_of``
    into : fields of stretches, flat, rows ``width`` apart
    to : the first of the eight
    """
    none, one, minus, size = splat(0.0), splat(1.0), splat(-1.0), splat(float(count))
    anchor = load(columns, 0)
    smallest = largest = anchor
    total, rest, crossings, zeros = none, none, none, none
    first_side = before = where_above(anchor, none, one, minus)
    for i in range(0, count * LANES, LANES):
        x = load(columns, i)
        smallest, largest = low(smallest, x), high(largest, x)
        total = total + (x - anchor)
        side = where_above(x, none, one, minus)
        crossings = crossings + where_above(none, side * before, one, none)
        zeros = zeros + where_above(x, none, none, where_above(none, x, none, one))
        before = side
    mean = total / size
    m2 = m3 = m4 = lag = tx = none
    older = none
    for i in range(count):
        d = (load(columns, i * LANES) - anchor) - mean
        square = d * d
        rest, m2, m3, m4 = rest + d, m2 + square, m3 + square * d, m4 + square * square
        lag, tx = lag + older * d, tx + splat(clock[i]) * d
        store(columns, i * LANES, d)
        older = d
    store(into, SAMPLES * width + to, size)
    store(into, ANCHOR * width + to, anchor)
    store(into, MEAN * width + to, mean + rest / size)
    store(into, M2 * width + to, m2)
    store(into, M3 * width + to, m3)
    store(into, M4 * width + to, m4)
    store(into, LOW * width + to, smallest)
    store(into, HIGH * width + to, largest)
    store(into, TIME * width + to, splat(time))
    store(into, TT * width + to, splat(tt))
    store(into, TX * width + to, tx - splat(time) * rest)
    store(into, LAG * width + to, lag)
    store(into, FIRST * width + to, load(columns, 0))
    store(into, LAST * width + to, older)
    store(into, CROSSINGS * width + to, crossings)
    store(into, FIRST_SIDE * width + to, first_side)
    store(into, LAST_SIDE * width + to, before)
    # A zero has no side: ``sides_with_zeros`` is for those stretches.
    store(columns, 0, zeros)


@jit
def sides_with_zeros(x: Any, into: Any, place: int) -> None:
    """Write passages through zero and the outermost sides of a stretch in which a sample is zero."""
    crossings, first_side, last_side = _sides(x)
    into[CROSSINGS, place] = crossings
    into[FIRST_SIDE, place] = first_side
    into[LAST_SIDE, place] = last_side


@jit
def sums_of_each(x: Any, into: Any) -> None:
    """Write the sums of stretches of one finite sample each, taken at its end."""
    count = len(x)
    into[:, :count] = 0.0
    into[SAMPLES, :count] = 1.0
    into[ANCHOR, :count] = x
    into[LOW, :count] = x
    into[HIGH, :count] = x
    side = into[FIRST_SIDE]
    for p in range(count):
        side[p] = 1.0 if x[p] > 0 else (-1.0 if x[p] < 0 else 0.0)
    into[LAST_SIDE, :count] = side[:count]
