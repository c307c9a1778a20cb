"""Compiled: windows of any number of samples, taken at any times."""

from typing import Any

import numpy as np

from features.kernels import fields, names
from features.kernels.finish import finish
from features.kernels.jit import jit
from features.kernels.lanes import LANES
from features.kernels.order import compare, crossings_of, exchange, quantile_of
from features.kernels.plan import MOST_AT_ONCE, ROLLS
from features.kernels.sums import clock_of, no_sums, sums_of

HOUR = 3_600_000_000


@jit
def ragged_windows(
    values: Any, times: Any, first: Any, stop: Any, ends: Any, row_of: Any, network: Any, shares: Any, longest: int,
    out: Any,
) -> None:  # fmt: skip
    """Write features of the samples first … stop − 1 of each window of some series, none of them missing.

    Parameters
    ----------
    values : shape (n_series, n_samples)
    times, ends : of samples and windows, in microseconds
    row_of : row of ``out`` for each feature of ``names.KERNELS``, -1 where it is not wanted
    network : of ``longest`` places, if windows are short enough to be sorted by it
    longest : samples of the longest window
    out : shape (n_wanted, n_series, n_windows), changed in place
    """
    count = len(ends)
    windows = np.zeros((fields.COUNT, count))
    clock, distance = np.empty(longest), np.empty(longest)
    rows = row_of[names.QUANTILE_10 : names.QUANTILE_90 + 1]
    ordered = rows[0] >= 0 or rows[1] >= 0 or rows[2] >= 0
    moments = False
    for name in range(names.MEAN_CROSSING_RATE + 1):
        moments = moments or row_of[name] >= 0
    moved = 0
    for w in range(1, count):
        moved += min(first[w] - first[w - 1], longest) + min(stop[w] - stop[w - 1], longest)
    rolls = longest > MOST_AT_ONCE or moved * ROLLS < 2 * longest * count
    for series in range(len(values)):
        x, to = values[series], out[:, series]
        if moments:
            for w in range(count):
                samples = stop[w] - first[w]
                if samples:
                    for i in range(samples):
                        clock[i] = (times[first[w] + i] - ends[w]) / HOUR
                    time, tt = clock_of(clock[:samples], distance)
                    sums_of(x[first[w] : stop[w]], clock[:samples], time, tt, distance, windows, w)
                else:
                    no_sums(windows, w)
            finish(windows, count, 1.0, row_of, to)
        if row_of[names.MEAN_CROSSING_RATE] >= 0:
            for w in range(count):
                steps = stop[w] - first[w] - 1
                if steps > 0:
                    own = x[first[w] : stop[w]]
                    on_mean = names.ON_MEAN * (windows[fields.HIGH, w] - windows[fields.LOW, w])
                    crossings = crossings_of(own, windows[fields.ANCHOR, w], windows[fields.MEAN, w], on_mean)
                    to[row_of[names.MEAN_CROSSING_RATE], w] = crossings / steps
                else:
                    to[row_of[names.MEAN_CROSSING_RATE], w] = np.nan
        if ordered and rolls:
            _roll(x, first, stop, longest, rows, shares, to)
        elif ordered:
            _sort(x, first, stop, longest, network, rows, shares, to)


@jit
def _sort(x: Any, first: Any, stop: Any, longest: int, network: Any, rows: Any, shares: Any, to: Any) -> None:
    """Write quantiles of windows that are sorted eight at a time, the shorter ones followed by infinity."""
    count = len(first)
    columns = np.empty(longest * LANES)
    for w in range(0, count, LANES):
        for lane in range(LANES):
            of = min(w + lane, count - 1)
            own = x[first[of] : stop[of]]
            for i in range(len(own)):
                columns[i * LANES + lane] = own[i]
            for i in range(len(own), longest):
                columns[i * LANES + lane] = np.inf
        compare(columns, LANES, 0, network, 0, len(network))
        for lane in range(min(LANES, count - w)):
            samples = stop[w + lane] - first[w + lane]
            for q in range(len(rows)):
                if rows[q] >= 0:
                    found = quantile_of(columns, lane, LANES, samples, shares[q]) if samples else np.nan
                    to[rows[q], w + lane] = found


@jit
def _roll(x: Any, first: Any, stop: Any, longest: int, rows: Any, shares: Any, to: Any) -> None:
    """Write quantiles of windows of which each keeps most samples of the one before."""
    now, then = np.empty(longest), np.empty(longest)
    begin = end = 0
    for w in range(len(first)):
        if first[w] < end:
            leaving, entering = np.sort(x[begin : first[w]]), np.sort(x[end : stop[w]])
            exchange(now, end - begin, leaving, entering, then)
            now, then = then, now
        else:
            now[: stop[w] - first[w]] = np.sort(x[first[w] : stop[w]])
        begin, end = first[w], stop[w]
        for q in range(len(rows)):
            if rows[q] >= 0:
                to[rows[q], w] = quantile_of(now, 0, 1, end - begin, shares[q]) if end > begin else np.nan
