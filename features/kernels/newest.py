"""Compiled: the newest windows of one machine, from its readings and the panes before them, to the bits of numpy.

Everything is done in the order of ``features.pane`` and ``features.moments``, with the same operations, none of
them fused or rearranged: what comes out does not depend on which of the two has worked.
"""

import math
from typing import Any

import numpy as np

from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, low, splat, store, where_above

SAMPLES, ANCHOR, MEAN, M2, M3, M4, LOW, HIGH, LAST, TIME, TT, TX = range(12)
FIELDS = 12
"""As in ``features.moments.Moments``."""
HOUR = 3_600_000_000
LARGEST = 1e100
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


@jit
def _no_samples(held: Any, place: int) -> None:
    for field in range(FIELDS):
        held[field, place, :] = 0.0
    held[LOW, place, :] = np.inf
    held[HIGH, place, :] = -np.inf


@jit
def _sum_pane(times: Any, rows: Any, end: int, signals: int, held: Any, place: int, work: Any) -> None:
    """Write the moments of the rows of one pane, as ``features.pane.add_samples`` does.

    Parameters
    ----------
    times, rows : of the pane alone, at least one
    end : of the pane
    work : shape (4, at least as many as there are rows)
    """
    count = len(times)
    apart, square, clock, each = work[0], work[1], work[2], work[3]
    for signal in range(signals):
        known, smallest, largest, last = 0, np.inf, -np.inf, 0.0
        for i in range(count):
            x = rows[i, signal] + 0.0
            if not np.isnan(x):
                known += 1
                smallest, largest, last = min(smallest, x), max(largest, x), x
        if not known:
            continue
        for i in range(count):
            x = rows[i, signal] + 0.0
            there = not np.isnan(x)
            apart[i] = x - smallest if there else 0.0
            clock[i] = (times[i] - end) / HOUR if there else 0.0
        mean, time = total_of(apart, count) / known, total_of(clock, count) / known
        for i in range(count):
            there = not np.isnan(rows[i, signal])
            apart[i] = apart[i] - mean if there else 0.0
            clock[i] = clock[i] - time if there else 0.0
            square[i] = apart[i] * apart[i]
        held[SAMPLES, place, signal] = known
        held[ANCHOR, place, signal] = smallest
        held[MEAN, place, signal] = mean
        held[LOW, place, signal] = smallest
        held[HIGH, place, signal] = largest
        held[LAST, place, signal] = last
        held[TIME, place, signal] = time
        held[M2, place, signal] = total_of(square, count)
        for i in range(count):
            each[i] = square[i] * apart[i]
        held[M3, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = square[i] * square[i]
        held[M4, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = clock[i] * clock[i]
        held[TT, place, signal] = total_of(each, count)
        for i in range(count):
            each[i] = clock[i] * apart[i]
        held[TX, place, signal] = total_of(each, count)


@jit
def _combine(
    older: Any, a: int, aw: int, newer: Any, b: int, bw: int, into: Any, c: int, cw: int, hours: float
) -> None:
    """Combine eight pairs of neighbouring stretches, as ``features.moments.combine`` does.

    Parameters
    ----------
    older, newer, into : fields ``aw``, ``bw`` and ``cw`` apart, flat
    a, b, c : places of the first of the eight
    """
    none, one = splat(0.0), splat(1.0)
    of_older, of_newer = load(older, SAMPLES * aw + a), load(newer, SAMPLES * bw + b)
    samples = of_older + of_newer
    some = high(samples, one)
    older_share, newer_share = of_older / some, of_newer / some
    both = of_older * newer_share
    older_anchor, newer_anchor = load(older, ANCHOR * aw + a), load(newer, ANCHOR * bw + b)
    older_mean, newer_mean = load(older, MEAN * aw + a), load(newer, MEAN * bw + b)
    newer_time = load(newer, TIME * bw + b)
    older_time = load(older, TIME * aw + a) - splat(hours)
    delta = where_above(both, none, (newer_anchor - older_anchor) + (newer_mean - older_mean), none)
    later = where_above(both, none, newer_time - older_time, none)
    older_time = where_above(of_older, none, older_time, none)
    from_older, from_newer = delta * older_share, delta * newer_share
    older_square, newer_square = from_older * from_older, from_newer * from_newer
    spread, apart = delta * delta * both, later * both
    older_m2, newer_m2 = load(older, M2 * aw + a), load(newer, M2 * bw + b)
    older_m3, newer_m3 = load(older, M3 * aw + a), load(newer, M3 * bw + b)
    m3 = older_m3 + newer_m3 + spread * (from_older - from_newer)
    m3 = m3 + splat(3.0) * (from_older * newer_m2 - from_newer * older_m2)
    m4 = load(older, M4 * aw + a) + load(newer, M4 * bw + b)
    m4 = m4 + spread * (older_square - from_older * from_newer + newer_square)
    m4 = m4 + splat(6.0) * (older_square * newer_m2 + newer_square * older_m2)
    m4 = m4 + splat(4.0) * (from_older * newer_m3 - from_newer * older_m3)
    tt = load(older, TT * aw + a) + load(newer, TT * bw + b) + later * apart
    tx = load(older, TX * aw + a) + load(newer, TX * bw + b) + delta * apart
    smallest = low(load(older, LOW * aw + a), load(newer, LOW * bw + b))
    largest = high(load(older, HIGH * aw + a), load(newer, HIGH * bw + b))
    last = where_above(of_newer, none, load(newer, LAST * bw + b), load(older, LAST * aw + a))
    store(into, SAMPLES * cw + c, samples)
    store(into, ANCHOR * cw + c, where_above(of_newer, none, newer_anchor, older_anchor))
    store(into, MEAN * cw + c, where_above(of_newer, none, newer_mean - from_older, older_mean))
    store(into, M2 * cw + c, older_m2 + newer_m2 + spread)
    store(into, M3 * cw + c, m3)
    store(into, M4 * cw + c, m4)
    store(into, LOW * cw + c, smallest)
    store(into, HIGH * cw + c, largest)
    store(into, LAST * cw + c, last)
    store(into, TIME * cw + c, where_above(of_newer, none, newer_time - later * older_share, older_time))
    store(into, TT * cw + c, tt)
    store(into, TX * cw + c, tx)


@jit
def _add_panes(
    times: Any, rows: Any, begin: int, stop: int, made: int, pane: int, fresh: int, signals: int, held: Any, place: int
) -> None:
    """Write the moments of some panes behind those that are held; see ``newest_windows``."""
    until = made + fresh * pane
    last = stop
    while last > begin and times[last - 1] > until:
        last -= 1
    oldest = last
    while oldest > begin and times[oldest - 1] > made:
        oldest -= 1
    work = np.empty((4, last - oldest))
    for number in range(fresh - 1, -1, -1):
        since = made + number * pane
        first = last
        while first > oldest and times[first - 1] > since:
            first -= 1
        _no_samples(held, place + number)
        if first < last:
            _sum_pane(times[first:last], rows[first:last], since + pane, signals, held, place + number, work)
        last = first


@jit
def _combine_panes(
    held: Any, origin: int, of_panes: Any, single: Any, of_blocks: Any, pane_hours: float, blocks: Any
) -> None:
    """Add up panes to windows, counted from the place ``origin`` on; see ``newest_windows``."""
    width = held.shape[2]
    panes, into = held.reshape(-1), blocks.reshape(-1)
    apart, wide = held.shape[1] * width, blocks.shape[1] * width
    for step in range(len(of_panes)):
        older, newer = (origin + of_panes[step, 0]) * width, (origin + of_panes[step, 1]) * width
        to, hours = of_panes[step, 2] * width, of_panes[step, 3] * pane_hours
        for lane in range(0, width, LANES):
            _combine(panes, older + lane, apart, panes, newer + lane, apart, into, to + lane, wide, hours)
    for step in range(len(single)):
        for field in range(FIELDS):
            blocks[field, single[step, 1]] = held[field, origin + single[step, 0]]
    for step in range(len(of_blocks)):
        older, newer = of_blocks[step, 0] * width, of_blocks[step, 1] * width
        to, hours = of_blocks[step, 2] * width, of_blocks[step, 3] * pane_hours
        for lane in range(0, width, LANES):
            _combine(into, older + lane, wide, into, newer + lane, wide, into, to + lane, wide, hours)


@jit
def _deviation(window: Any) -> float:
    return math.sqrt(window[M2] / max(window[SAMPLES], 1.0))


@jit
def _root_mean_square(window: Any) -> float:
    return math.hypot(window[ANCHOR] + window[MEAN], _deviation(window))


@jit
def _slope_error(window: Any) -> float:
    if not (window[SAMPLES] > 2 and window[TT] > 0):
        return np.nan
    rest = window[M2] - window[TX] * window[TX] / window[TT]
    rest = rest if np.isnan(rest) or rest > 0 else 0.0
    return math.sqrt(rest / (window[SAMPLES] - 2) / window[TT])


@jit
def formula(code: int, window: Any, other: Any) -> float:
    """Return one feature of a window, by its place in ``FORMULAS``: those of ``time_domain`` and ``trend``."""
    if code == 0:
        return window[ANCHOR] + window[MEAN]
    if code == 1:
        return _deviation(window)
    if code == 2:
        return window[LOW]
    if code == 3:
        return window[HIGH]
    if code == 4:
        return window[HIGH] - window[LOW]
    if code == 5:
        level = window[ANCHOR] + window[MEAN]
        return window[SAMPLES] * level * level + window[M2]
    if code == 6:
        return _root_mean_square(window)
    if code == 7 or code == 8:
        if not window[LOW] < window[HIGH]:
            return np.nan
        variance = window[M2] / window[SAMPLES]
        if code == 7:
            return window[M3] / window[SAMPLES] / (variance * math.sqrt(variance))
        return window[M4] / window[SAMPLES] / (variance * variance) - 3
    if code == 9:
        whole = _root_mean_square(window)
        return max(abs(window[LOW]), abs(window[HIGH])) / whole if whole > 0 else np.nan
    if code == 10:
        return window[TX] / window[TT] if window[TT] > 0 else np.nan
    if code == 11:
        return _slope_error(window)
    if code == 12:
        return window[LAST]
    if code == 13:
        return (window[ANCHOR] - other[ANCHOR]) + (window[MEAN] - other[MEAN])
    return _deviation(window) - _deviation(other)


FORMULAS = (
    *("mean", "standard_deviation", "minimum", "maximum", "range", "energy", "root_mean_square", "skewness"),
    *("kurtosis", "crest_factor", "slope", "slope_error", "last", "mean_change", "spread_change"),
)
"""Features by the number of their formula."""


@jit
def _write_features(blocks: Any, whole: Any, columns: Any, least: Any, expected: Any, out: Any) -> Any:
    """Write features of windows; NaN where they hold too little, or it is no number or too large a one."""
    window, other = np.empty(FIELDS), np.empty(FIELDS)
    filled, spoken = 0.0, False
    for signal in range(len(out)):
        spoken = spoken or blocks[SAMPLES, whole[-1], signal] > 0
        filled = max(filled, min(blocks[SAMPLES, whole[0], signal] / expected[signal], 1.0))
        for number in range(len(columns)):
            code, one, longer, place = columns[number]
            found = np.nan
            samples, of_longer = blocks[SAMPLES, whole[one], signal], blocks[SAMPLES, whole[longer], signal]
            enough = samples >= least[one, signal] and of_longer >= least[longer, signal]
            if enough and code < 0:
                found = out[signal, place]
            elif enough:
                for field in range(FIELDS):
                    window[field] = blocks[field, whole[one], signal]
                    other[field] = blocks[field, whole[longer], signal]
                found = formula(code, window, other)
            out[signal, place] = found if abs(found) <= LARGEST else np.nan
    return filled, spoken


@jit
def newest_windows(
    times: Any, rows: Any, begin: int, stop: int, made: int, pane: int, fresh: int, held: Any, place: int, origin: int,
    of_panes: Any, single: Any, of_blocks: Any, blocks: Any, whole: Any, columns: Any, least: Any, expected: Any,
    out: Any,
) -> Any:  # fmt: skip
    """Make the panes that became complete, and write the features of the windows that end with the last one.

    Parameters
    ----------
    times, rows : readings, in microseconds and of shape (n_rows, at least n_signals); ``begin`` … ``stop`` − 1 are held
    made : where the first new pane begins
    fresh : how many there are
    held : panes, shape (FIELDS, room, n_signals or more, a multiple of LANES), changed in place
    place : of the first new pane
    origin : place of the pane that the plan counts from
    of_panes : the plan: older and newer pane, block that they make, panes between their ends; shape (n, 4)
    single : pane, and the block that it is; shape (n, 2)
    of_blocks : as ``of_panes``, of two blocks; shape (n, 4)
    blocks : shape (FIELDS, n_blocks, as ``held``), to work in
    whole : block of each window, shortest first
    columns : formula, -1 for what stands in ``out`` already; window, window that it is compared with (the same if
        none), and place in ``out``; shape (n, 4)
    least : samples that a window needs, shape (n_windows, n_signals)
    expected : samples of a full shortest window, shape (n_signals,)
    out : shape (n_signals, n_columns), changed in place

    Returns
    -------
    share of the shortest window that is filled, and whether the longest one holds a sample
    """
    _add_panes(times, rows, begin, stop, made, pane, fresh, len(out), held, place)
    _combine_panes(held, origin, of_panes, single, of_blocks, pane / HOUR, blocks)
    return _write_features(blocks, whole, columns, least, expected, out)
