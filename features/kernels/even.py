"""Compiled: windows of equal numbers of evenly timed samples."""

from typing import Any

import numpy as np

from features.kernels import fields, names
from features.kernels.combine import combine, double, double_whole
from features.kernels.finish import finish
from features.kernels.jit import jit
from features.kernels.lanes import LANES, lay_out, load, splat, store
from features.kernels.missing import missing_in, without_missing
from features.kernels.names import BANDS, SHARES
from features.kernels.order import compare, cross_eight, crossings_of, exchange, quantile_of, slide
from features.kernels.power import bands_of, weigh_eight
from features.kernels.sums import clock_of, no_sums, sides_with_zeros, sums_of, sums_of_each, sums_of_eight

PANE_COLUMNS = 64
"""Panes that are sorted and merged at once."""


@jit
def even_windows(
    values: Any, end: int, length: int, stride: int, step_hours: float, row_of: Any, plan: Any, table: Any, block: int,
    out: Any,
) -> None:  # fmt: skip
    """Write the features of the first ``end`` windows of some series; window w begins at sample w × stride.

    Parameters
    ----------
    values : shape (n_series, n_samples)
    row_of : row of ``out`` for each feature of ``names.KERNELS``, -1 where it is not wanted
    plan : for quantiles
    table : what the spectrum needs; empty when it is not wanted here
    block : windows that are worked on at once
    out : shape (n_wanted, n_series, at least ``end``), changed in place
    """
    pane = np.gcd(length, stride)
    panes, hop = length // pane, stride // pane
    width = (block - 1) * hop + panes + 2 * LANES
    sums = np.zeros((fields.COUNT, width))
    windows = np.zeros((fields.COUNT, block + 2 * LANES))
    scratch = np.empty((3, max(length, 1)))
    clock = np.arange(pane) - (pane - 1.0)
    columns = np.empty(length * LANES)
    stages = np.empty((2, length // 2 * PANE_COLUMNS + 2 * LANES if plan.run < length else 0))
    waves = np.empty((4, length // 2 * LANES if table.shape[1] else 0))
    found = np.empty((1 + BANDS) * LANES)
    ordered = row_of[names.QUANTILE_10] >= 0 or row_of[names.MEDIAN] >= 0 or row_of[names.QUANTILE_90] >= 0
    moments = False
    for name in range(names.MEAN_CROSSING_RATE):
        moments = moments or row_of[name] >= 0
    moments = moments or row_of[names.MEAN_CROSSING_RATE] >= 0 or table.shape[1] > 0
    for series in range(len(values)):
        for first in range(0, end, block):
            count = min(block, end - first)
            x = values[series, first * stride : (first + count - 1) * stride + length]
            to = out[:, series, first : first + count]
            gaps = missing_in(x) > 0
            if moments:
                _sum_panes(x, pane, clock, gaps, scratch, columns, sums)
                _sum_windows(sums, len(x) // pane, panes, hop, pane, gaps, windows, count)
                finish(windows, count, step_hours, row_of, to)
            if row_of[names.MEAN_CROSSING_RATE] >= 0 or table.shape[1]:
                _look_at_each(x, length, stride, step_hours, windows, scratch, table, columns, waves, found, row_of, to)
            if ordered:
                rows = row_of[names.QUANTILE_10 : names.QUANTILE_90 + 1]
                if len(plan.ends) == 0:
                    _roll(x, length, stride, gaps, scratch, rows, plan, to)
                elif len(plan.ends) == 1:
                    _sort(x, length, stride, plan, columns, rows, to)
                else:
                    _merge(x, length, stride, plan, stages, columns, rows, to)
                if gaps and len(plan.ends):
                    _quantiles_beside_gaps(x, length, stride, scratch, rows, to)


@jit
def _sum_panes(x: Any, pane: int, clock: Any, gaps: bool, scratch: Any, columns: Any, into: Any) -> None:
    count = len(x) // pane
    flat, width = into.reshape(-1), into.shape[1]
    time, tt = clock_of(clock, scratch[2])
    if pane == 1:
        sums_of_each(x, into)
    else:
        for p in range(0, count, LANES):
            lay_out(x, p * pane, pane, pane, columns, 0, LANES)
            sums_of_eight(columns, pane, clock, time, tt, flat, width, p)
            for lane in range(min(LANES, count - p)):
                if columns[lane] > 0:
                    sides_with_zeros(x[(p + lane) * pane : (p + lane + 1) * pane], into, p + lane)
    for p in range(count if gaps else 0):
        own = x[p * pane : (p + 1) * pane]
        if missing_in(own):
            known = without_missing(own, clock, scratch[0], scratch[1])
            if known:
                of_known = clock_of(scratch[1, :known], scratch[2])
                sums_of(scratch[0, :known], scratch[1, :known], of_known[0], of_known[1], scratch[2], into, p)
            else:
                no_sums(into, p)


@jit
def _sum_windows(sums: Any, count: int, panes: int, hop: int, pane: int, gaps: bool, windows: Any, wanted: int) -> None:
    """Add up blocks of 1, 2, 4, … panes to windows, newest first, as ``features.moments.over_windows`` does."""
    flat, width = sums.reshape(-1), sums.shape[1]
    into, wide = windows.reshape(-1), windows.shape[1]
    part = np.empty(fields.COUNT * LANES)
    # Of a block in which nothing is missing; all of them have the same.
    samples, time, tt = float(pane), sums[fields.TIME, 0], sums[fields.TT, 0]
    done, size = 0, 1
    while True:
        if panes & size:
            first = panes - done - size
            for w in range(0, wanted, LANES):
                for field in range(fields.COUNT):
                    if hop == 1:
                        store(part, field * LANES, load(flat, field * width + first + w))
                    else:
                        for lane in range(min(LANES, wanted - w)):
                            part[field * LANES + lane] = flat[field * width + first + (w + lane) * hop]
                if not gaps:
                    store(part, fields.SAMPLES * LANES, splat(samples))
                    store(part, fields.TIME * LANES, splat(time))
                    store(part, fields.TT * LANES, splat(tt))
                if done:
                    combine(part, into, into, LANES, wide, wide, 0, w, w, float(done * pane))
                else:
                    for field in range(fields.COUNT):
                        store(into, field * wide + w, load(part, field * LANES))
            done += size
        if 2 * size > panes:
            return
        later_by = float(size * pane)
        if gaps:
            double(flat, width, count, size, later_by)
        else:
            later = time - (time - later_by)
            double_whole(flat, width, count, size, samples, later)
            tt = tt + tt + later * (later * (samples * 0.5))
            time = time - later * 0.5
            samples = 2 * samples
        count -= size
        size *= 2


@jit
def _look_at_each(
    x: Any, length: int, stride: int, step_hours: float, windows: Any, scratch: Any, table: Any, columns: Any,
    waves: Any, found: Any, row_of: Any, to: Any,
) -> None:  # fmt: skip
    """Write what needs each distance from a window's mean, eight windows at a time: mean crossings and the spectrum."""
    count = to.shape[1]
    flat, wide = windows.reshape(-1), windows.shape[1]
    crosses = row_of[names.MEAN_CROSSING_RATE]
    rows = row_of[names.DOMINANT_FREQUENCY : names.BAND_POWER_1 + BANDS]
    for w in range(0, count, LANES):
        lay_out(x, w * stride, stride, length, columns, 0, LANES)
        anchor, mean = load(flat, fields.ANCHOR * wide + w), load(flat, fields.MEAN * wide + w)
        if crosses >= 0:
            apart = load(flat, fields.HIGH * wide + w) - load(flat, fields.LOW * wide + w)
            cross_eight(columns, length, anchor, mean, apart * splat(names.ON_MEAN), found)
            for lane in range(min(LANES, count - w)):
                of = w + lane
                known, own = int(windows[fields.SAMPLES, of]), x[of * stride : of * stride + length]
                crossings = found[lane]
                if known < length or found[LANES + lane] > 0:
                    without_missing(own, own, scratch[0], scratch[1])
                    on_mean = names.ON_MEAN * (windows[fields.HIGH, of] - windows[fields.LOW, of])
                    its_anchor, its_mean = windows[fields.ANCHOR, of], windows[fields.MEAN, of]
                    crossings = float(crossings_of(scratch[0, :known], its_anchor, its_mean, on_mean))
                to[crosses, of] = crossings / (known - 1) if known > 1 else np.nan
        if table.shape[1]:
            weigh_eight(columns, length, anchor, mean, table, waves[0], waves[1])
            bands_of(waves[0], waves[1], waves[2], waves[3], length, table, found)
            for lane in range(min(LANES, count - w)):
                of = w + lane
                whole = windows[fields.SAMPLES, of] == length
                if rows[0] >= 0:
                    moves = whole and windows[fields.LOW, of] < windows[fields.HIGH, of]
                    to[rows[0], of] = found[lane] / (length * step_hours * 3600) if moves else np.nan
                for band in range(BANDS):
                    if rows[1 + band] >= 0:
                        to[rows[1 + band], of] = found[(1 + band) * LANES + lane] if whole else np.nan


@jit
def _sort(x: Any, length: int, stride: int, plan: Any, columns: Any, rows: Any, to: Any) -> None:
    """Write quantiles of windows that are sorted eight at a time."""
    count = to.shape[1]
    for w in range(0, count, LANES):
        lay_out(x, w * stride, stride, length, columns, 0, LANES)
        compare(columns, LANES, 0, plan.comparisons, 0, plan.ends[0])
        _read(columns, plan, rows, to, w)


@jit
def _merge(x: Any, length: int, pane: int, plan: Any, stages: Any, columns: Any, rows: Any, to: Any) -> None:
    """Write quantiles of windows that are merged from sorted panes: blocks of 1, 2, 4, … neighbouring ones.

    Parameters
    ----------
    stages : sample i of the block that begins with pane p at ``i * PANE_COLUMNS + p``, in turns
    """
    panes, count = length // pane, to.shape[1]
    at_once = PANE_COLUMNS - panes + 1
    for w in range(0, count, at_once):
        blocks = min(at_once, count - w) + panes - 1
        older = stages[0]
        for p in range(0, blocks, LANES):
            lay_out(x, (w + p) * pane, pane, pane, older, p, PANE_COLUMNS)
            compare(older, PANE_COLUMNS, p, plan.comparisons, 0, plan.ends[0])
        size, shift, order = pane, 1, 0
        for level in range(1, len(plan.ends)):
            blocks -= shift
            last = level == len(plan.ends) - 1
            newer = columns if last else stages[level % 2]
            width = LANES if last else PANE_COLUMNS
            for p in range(0, blocks, LANES):
                to_lane = 0 if last else p
                for i in range(size):
                    come_from = plan.orders[order + i] * PANE_COLUMNS + p
                    store(newer, i * width + to_lane, load(older, come_from))
                    store(newer, (size + i) * width + to_lane, load(older, come_from + shift))
                compare(newer, width, to_lane, plan.comparisons, plan.ends[level - 1], plan.ends[level])
                if last:
                    _read(columns, plan, rows, to[:, : w + blocks], w + p)
            order += size
            size, shift, older = 2 * size, 2 * shift, newer


@jit
def _read(columns: Any, plan: Any, rows: Any, to: Any, w: int) -> None:
    """Write quantiles of eight sorted windows, of which the first is window ``w``."""
    for q in range(len(rows)):
        if rows[q] >= 0:
            smaller, larger = plan.below[q] * LANES, plan.above[q] * LANES
            for lane in range(min(LANES, to.shape[1] - w)):
                one, other = columns[smaller + lane], columns[larger + lane]
                to[rows[q], w + lane] = one + (other - one) * plan.share[q] + 0.0


@jit
def _quantiles_beside_gaps(x: Any, length: int, stride: int, scratch: Any, rows: Any, to: Any) -> None:
    """Write the quantiles of the windows in which a sample is missing."""
    for w in range(to.shape[1]):
        own = x[w * stride : w * stride + length]
        if missing_in(own):
            _quantiles_of_known(own, scratch, rows, to[:, w])


@jit
def _roll(x: Any, length: int, stride: int, gaps: bool, scratch: Any, rows: Any, plan: Any, to: Any) -> None:
    """Write quantiles of windows of which each keeps most samples of the one before."""
    now, then = np.empty(length), np.empty(length)
    kept = False
    for w in range(to.shape[1]):
        begin = w * stride
        own = x[begin : begin + length]
        if gaps and missing_in(own):
            kept = False
            _quantiles_of_known(own, scratch, rows, to[:, w])
            continue
        if kept and stride == 1:
            slide(now, x[begin - 1], own[length - 1])
        elif kept and stride < length:
            exchange(now, length, np.sort(x[begin - stride : begin]), np.sort(own[length - stride :]), then)
            now, then = then, now
        else:
            now[:] = np.sort(own)
        kept = True
        for q in range(len(rows)):
            if rows[q] >= 0:
                one, other = now[plan.below[q]], now[plan.above[q]]
                to[rows[q], w] = one + (other - one) * plan.share[q] + 0.0


@jit
def _quantiles_of_known(own: Any, scratch: Any, rows: Any, to: Any) -> None:
    known = without_missing(own, own, scratch[0], scratch[1])
    ordered = np.sort(scratch[0, :known])
    for q in range(len(rows)):
        if rows[q] >= 0:
            to[rows[q]] = quantile_of(ordered, 0, 1, known, SHARES[q]) if known else np.nan
