"""Compiled: the sums of two neighbouring stretches to those of both."""

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
from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, low, splat, store, where_above


@jit
def combine(
    older: Any, newer: Any, into: Any, aw: int, bw: int, cw: int, a: int, b: int, c: int, later_by: float
) -> None:
    """Combine eight pairs of neighbouring stretches; the formulas are those of ``features.moments.combine``.

    Parameters
    ----------
    older, newer, into : flat arrays of fields; they may be one array
    aw, bw, cw : how far their rows are apart
    a, b, c : the first of the eight in each
    later_by : from the ends of the older to those of the newer ones
    """
    none, one = splat(0.0), splat(1.0)
    older_count, newer_count = load(older, SAMPLES * aw + a), load(newer, SAMPLES * bw + b)
    count = older_count + newer_count
    some = high(count, one)
    older_share, newer_share = older_count / some, newer_count / some
    both = older_count * newer_share
    older_anchor, newer_anchor = load(older, ANCHOR * aw + a), load(newer, ANCHOR * bw + b)
    older_mean, newer_mean = load(older, MEAN * aw + a), load(newer, MEAN * bw + b)
    # Where one part is empty its anchor means nothing and must not meet the other's digits.
    delta = where_above(both, none, (newer_anchor - older_anchor) + (newer_mean - older_mean), none)
    of_newer, of_older = delta * older_share, none - delta * newer_share
    older_m2, newer_m2 = load(older, M2 * aw + a), load(newer, M2 * bw + b)
    older_m3, newer_m3 = load(older, M3 * aw + a), load(newer, M3 * bw + b)
    spread = delta * delta * both
    m4 = load(older, M4 * aw + a) + load(newer, M4 * bw + b)
    m4 = m4 + spread * (of_older * of_older + of_older * of_newer + of_newer * of_newer)
    m4 = m4 + splat(6.0) * (of_older * of_older * older_m2 + of_newer * of_newer * newer_m2)
    m4 = m4 + splat(4.0) * (of_older * older_m3 + of_newer * newer_m3)
    m3 = older_m3 + newer_m3 + spread * (of_older + of_newer)
    m3 = m3 + splat(3.0) * (of_older * older_m2 + of_newer * newer_m2)
    older_time = load(older, TIME * aw + a) - splat(later_by)
    newer_time = load(newer, TIME * bw + b)
    later = where_above(both, none, newer_time - older_time, none)
    apart = later * both
    tt = load(older, TT * aw + a) + load(newer, TT * bw + b) + later * apart
    tx = load(older, TX * aw + a) + load(newer, TX * bw + b) + delta * apart
    older_first, older_last = load(older, FIRST * aw + a), load(older, LAST * aw + a)
    newer_first, newer_last = load(newer, FIRST * bw + b), load(newer, LAST * bw + b)
    # About the common mean instead of its own: a stretch's distances sum up to nothing.
    older_lag = load(older, LAG * aw + a) - of_older * (older_first + older_last)
    older_lag = older_lag + (older_count - one) * of_older * of_older
    newer_lag = load(newer, LAG * bw + b) - of_newer * (newer_first + newer_last)
    newer_lag = newer_lag + (newer_count - one) * of_newer * of_newer
    lag = older_lag + newer_lag + (older_last + of_older) * (newer_first + of_newer)
    older_left, older_side = load(older, FIRST_SIDE * aw + a), load(older, LAST_SIDE * aw + a)
    newer_left, newer_side = load(newer, FIRST_SIDE * bw + b), load(newer, LAST_SIDE * bw + b)
    crossings = load(older, CROSSINGS * aw + a) + load(newer, CROSSINGS * bw + b)
    crossings = crossings + where_above(none, older_side * newer_left, one, none)
    smallest = low(load(older, LOW * aw + a), load(newer, LOW * bw + b))
    largest = high(load(older, HIGH * aw + a), load(newer, HIGH * bw + b))
    anchor = where_above(newer_count, none, newer_anchor, older_anchor)
    mean = where_above(newer_count, none, newer_mean - of_newer, older_mean)
    store(into, ANCHOR * cw + c, anchor)
    store(into, MEAN * cw + c, mean)
    store(into, SAMPLES * cw + c, count)
    store(into, M2 * cw + c, older_m2 + newer_m2 + spread)
    store(into, M3 * cw + c, m3)
    store(into, M4 * cw + c, m4)
    store(into, LOW * cw + c, smallest)
    store(into, HIGH * cw + c, largest)
    store(into, TIME * cw + c, where_above(newer_count, none, newer_time - later * older_share, older_time))
    store(into, TT * cw + c, tt)
    store(into, TX * cw + c, tx)
    lag = where_above(both, none, lag, load(older, LAG * aw + a) + load(newer, LAG * bw + b))
    store(into, LAG * cw + c, lag)
    store(into, FIRST * cw + c, where_above(older_count, none, older_first + of_older, newer_first))
    store(into, LAST * cw + c, where_above(newer_count, none, newer_last + of_newer, older_last))
    store(into, CROSSINGS * cw + c, crossings)
    store(into, FIRST_SIDE * cw + c, where_above(older_left * older_left, none, older_left, newer_left))
    store(into, LAST_SIDE * cw + c, where_above(newer_side * newer_side, none, newer_side, older_side))


@jit
def double(fields: Any, width: int, count: int, size: int, later_by: float) -> None:
    """Turn blocks of ``size`` panes into blocks of twice as many: block p and its neighbour, p + ``size``."""
    for p in range(0, count - size, LANES):
        combine(fields, fields, fields, width, width, width, p, p + size, p, later_by)


@jit
def double_whole(fields: Any, width: int, count: int, size: int, samples: float, later: float) -> None:
    """Do the same where no sample is missing, to the same bits, with half the work.

    Samples and times are those of every block and are not touched.

    Parameters
    ----------
    samples : of each block
    later : by how much the mean time of a block is later than that of the one before it
    """
    none, one, half = splat(0.0), splat(1.0), splat(0.5)
    both, fewer = splat(samples * 0.5), splat(samples - 1)
    apart = splat(later * (samples * 0.5))
    for a in range(0, count - size, LANES):
        b = a + size
        anchor = load(fields, ANCHOR * width + b)
        older_mean, newer_mean = load(fields, MEAN * width + a), load(fields, MEAN * width + b)
        delta = (anchor - load(fields, ANCHOR * width + a)) + (newer_mean - older_mean)
        of_newer = delta * half
        of_older = none - of_newer
        square = of_newer * of_newer
        older_m2, newer_m2 = load(fields, M2 * width + a), load(fields, M2 * width + b)
        older_m3, newer_m3 = load(fields, M3 * width + a), load(fields, M3 * width + b)
        spread = delta * delta * both
        m4 = load(fields, M4 * width + a) + load(fields, M4 * width + b)
        m4 = m4 + spread * square
        m4 = m4 + splat(6.0) * (square * older_m2 + square * newer_m2)
        m4 = m4 + splat(4.0) * (of_older * older_m3 + of_newer * newer_m3)
        m3 = older_m3 + newer_m3
        m3 = m3 + splat(3.0) * (of_older * older_m2 + of_newer * newer_m2)
        tx = load(fields, TX * width + a) + load(fields, TX * width + b) + delta * apart
        older_first, older_last = load(fields, FIRST * width + a), load(fields, LAST * width + a)
        newer_first, newer_last = load(fields, FIRST * width + b), load(fields, LAST * width + b)
        shifted = fewer * of_newer * of_newer
        older_lag = load(fields, LAG * width + a) - of_older * (older_first + older_last) + shifted
        newer_lag = load(fields, LAG * width + b) - of_newer * (newer_first + newer_last) + shifted
        lag = older_lag + newer_lag + (older_last + of_older) * (newer_first + of_newer)
        older_left, older_side = load(fields, FIRST_SIDE * width + a), load(fields, LAST_SIDE * width + a)
        newer_left, newer_side = load(fields, FIRST_SIDE * width + b), load(fields, LAST_SIDE * width + b)
        crossings = load(fields, CROSSINGS * width + a) + load(fields, CROSSINGS * width + b)
        crossings = crossings + where_above(none, older_side * newer_left, one, none)
        smallest = low(load(fields, LOW * width + a), load(fields, LOW * width + b))
        largest = high(load(fields, HIGH * width + a), load(fields, HIGH * width + b))
        store(fields, ANCHOR * width + a, anchor)
        store(fields, MEAN * width + a, newer_mean - of_newer)
        store(fields, M2 * width + a, older_m2 + newer_m2 + spread)
        store(fields, M3 * width + a, m3)
        store(fields, M4 * width + a, m4)
        store(fields, LOW * width + a, smallest)
        store(fields, HIGH * width + a, largest)
        store(fields, TX * width + a, tx)
        store(fields, LAG * width + a, lag)
        store(fields, FIRST * width + a, older_first + of_older)
        store(fields, LAST * width + a, newer_last + of_newer)
        store(fields, CROSSINGS * width + a, crossings)
        store(fields, FIRST_SIDE * width + a, where_above(older_left * older_left, none, older_left, newer_left))
        store(fields, LAST_SIDE * width + a, where_above(newer_side * newer_side, none, newer_side, older_side))
