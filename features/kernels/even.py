"""Compiled: windows of equal numbers of evenly timed samples."""

from typing import Any

import numpy as np

from features.kernels import fields, names
from features.kernels.finish import finish
from features.kernels.jit import jit
from features.kernels.lanes import LANES, load, store
from features.kernels.names import BANDS, SHARES
from features.kernels.order import compare, crossings_of, exchange, quantile_of
from features.kernels.power import bands_of, laid_out
from features.kernels.sums import clock_of, combine, double, missing_in, no_sums, sum_of_one, sums_of, without_missing

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
                _sum_panes(x, pane, clock, gaps, scratch, sums)
                _sum_windows(sums, len(x) // pane, panes, hop, pane, windows, count)
                finish(windows, count, step_hours, row_of, to)
            if row_of[names.MEAN_CROSSING_RATE] >= 0:
                _cross_means(x, length, stride, windows, gaps, scratch, to[row_of[names.MEAN_CROSSING_RATE]])
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
            if table.shape[1]:
                rows = row_of[names.DOMINANT_FREQUENCY : names.BAND_POWER_1 + BANDS]
                _spectrum(x, length, stride, step_hours, windows, table, waves, found, rows, to)


@jit
def _sum_panes(x: Any, pane: int, clock: Any, gaps: bool, scratch: Any, into: Any) -> None:
    time, tt = clock_of(clock, scratch[2])
    for p in range(len(x) // pane):
        own = x[p * pane : (p + 1) * pane]
        if gaps and missing_in(own):
            known = without_missing(own, clock, scratch[0], scratch[1])
            if known:
                of_known = clock_of(scratch[1, :known], scratch[2])
                sums_of(scratch[0, :known], scratch[1, :known], of_known[0], of_known[1], scratch[2], into, p)
            else:
                no_sums(into, p)
        elif pane == 1:
            sum_of_one(own[0], into, p)
        else:
            sums_of(own, clock, time, tt, scratch[2], into, p)


@jit
def _sum_windows(sums: Any, count: int, panes: int, hop: int, pane: int, windows: Any, wanted: int) -> None:
    """Add up blocks of 1, 2, 4, … panes to windows, newest first, as ``features.moments.over_windows`` does."""
    flat, width = sums.reshape(-1), sums.shape[1]
    into, wide = windows.reshape(-1), windows.shape[1]
    part = np.empty((fields.COUNT, LANES))
    flat_part = part.reshape(-1)
    done, size = 0, 1
    while True:
        if panes & size:
            first = panes - done - size
            for w in range(0, wanted, LANES):
                for lane in range(min(LANES, wanted - w)):
                    part[:, lane] = sums[:, first + (w + lane) * hop]
                if done:
                    combine(flat_part, into, into, LANES, wide, wide, 0, w, w, float(done * pane))
                else:
                    windows[:, w : w + LANES] = part
            done += size
        if 2 * size > panes:
            return
        double(flat, width, count, size, float(size * pane))
        count -= size
        size *= 2


@jit
def _cross_means(x: Any, length: int, stride: int, windows: Any, gaps: bool, scratch: Any, to: Any) -> None:
    for w in range(len(to)):
        known = int(windows[fields.SAMPLES, w])
        own = x[w * stride : w * stride + length]
        if gaps and known < length:
            without_missing(own, own, scratch[0], scratch[1])
            own = scratch[0, :known]
        if known > 1:
            crossings = crossings_of(own, windows[fields.ANCHOR, w], windows[fields.MEAN, w])
            to[w] = crossings / (known - 1)
        else:
            to[w] = np.nan


@jit
def _sort(x: Any, length: int, stride: int, plan: Any, columns: Any, rows: Any, to: Any) -> None:
    """Write quantiles of windows that are sorted eight at a time."""
    count = to.shape[1]
    for w in range(0, count, LANES):
        for lane in range(LANES):
            begin = min(w + lane, count - 1) * stride
            own = x[begin : begin + length]
            for i in range(length):
                columns[i * LANES + lane] = own[i]
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
        for p in range(blocks):
            own = x[(w + p) * pane : (w + p + 1) * pane]
            for i in range(pane):
                older[i * PANE_COLUMNS + p] = own[i]
        for p in range(0, blocks, LANES):
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
            exchange(now, length, x[begin - 1 : begin], own[length - 1 :], then)
            now, then = then, now
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


@jit
def _spectrum(
    x: Any, length: int, stride: int, step_hours: float, windows: Any, table: Any, waves: Any, found: Any, rows: Any,
    to: Any,
) -> None:  # fmt: skip
    count = to.shape[1]
    for w in range(0, count, LANES):
        for lane in range(LANES):
            of = min(w + lane, count - 1)
            own = x[of * stride : of * stride + length]
            laid_out(own, windows[fields.ANCHOR, of], windows[fields.MEAN, of], table, lane, waves[0], waves[1])
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
