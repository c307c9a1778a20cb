"""Compiled: windows of any number of samples, taken at any times."""

from typing import Any

import numpy as np

from features.kernels import fields, names
from features.kernels.finish import finish
from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, low, splat, store
from features.kernels.order import compare, crossings_of, exchange, quantile_of
from features.kernels.plan import MOST_AT_ONCE, ROLLS
from features.kernels.power import bands_of, weigh_eight
from features.kernels.steady import JITTER, LEAST_SPECTRUM, ROUNDING
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
    windows = np.zeros((fields.COUNT, count + LANES))
    clock, distance = np.empty(longest), np.empty(longest)
    rows = row_of[names.QUANTILE_10 : names.QUANTILE_90 + 1]
    ordered = rows[0] >= 0 or rows[1] >= 0 or rows[2] >= 0
    moments = False
    for name in range(names.MEAN_CROSSING_RATE + 1):
        moments = moments or row_of[name] >= 0
    moved = 0
    for w in range(1, count):
        moved += min(first[w] - first[w - 1], longest) + min(stop[w] - stop[w - 1], longest)
    rolls = longest > MOST_AT_ONCE or (count > 1 and moved * ROLLS < 2 * longest * count)
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
    if ordered and not rolls:
        _sort(values, first, stop, longest, network, rows, shares, out)


@jit
def _sort(values: Any, first: Any, stop: Any, longest: int, network: Any, rows: Any, shares: Any, out: Any) -> None:
    """Write quantiles of windows that are sorted eight at a time, the shorter ones followed by infinity."""
    count = len(first)
    pairs = len(values) * count
    columns = np.empty(longest * LANES)
    for begin in range(0, pairs, LANES):
        for lane in range(LANES):
            series, w = divmod(min(begin + lane, pairs - 1), count)
            own = values[series, first[w] : stop[w]]
            for i in range(len(own)):
                columns[i * LANES + lane] = own[i]
            for i in range(len(own), longest):
                columns[i * LANES + lane] = np.inf
        compare(columns, LANES, 0, network, 0, len(network))
        for lane in range(min(LANES, pairs - begin)):
            series, w = divmod(begin + lane, count)
            samples = stop[w] - first[w]
            for q in range(len(rows)):
                if rows[q] >= 0:
                    found = quantile_of(columns, lane, LANES, samples, shares[q]) if samples else np.nan
                    out[rows[q], series, w] = found


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


@jit
def paces(times: Any, first: Any, stop: Any, found: Any) -> None:
    """Write what ``steady.steps_of`` says of windows."""
    for w in range(len(first)):
        count = stop[w] - first[w]
        found[w] = np.nan
        if count >= LEAST_SPECTRUM:
            own = times[first[w] : stop[w]]
            shortest = longest = own[1] - own[0]
            for i in range(2, count):
                step = own[i] - own[i - 1]
                shortest, longest = min(shortest, step), max(longest, step)
            mean = (own[count - 1] - own[0]) / (count - 1)
            if mean > 0 and longest - shortest <= ROUNDING + JITTER * mean:
                found[w] = mean / 1e6


@jit
def ragged_spectra(
    values: Any, first: Any, which: Any, length: int, seconds: Any, table: Any, rows: Any, out: Any
) -> None:
    """Write the spectrum of windows of one length, eight of them at a time.

    Parameters
    ----------
    which : of the windows; a number of samples that is a power of two
    seconds : between the samples of each window; NaN where it has no spectrum
    table : what the spectrum needs
    rows : of ``out`` for each feature of ``names.SPECTRUM``, -1 where it is not wanted
    """
    pairs = len(values) * len(which)
    columns, waves = np.empty(length * LANES), np.empty((4, length // 2 * LANES))
    found, size = np.empty((1 + names.BANDS) * LANES), splat(float(length))
    for begin in range(0, pairs, LANES):
        for lane in range(LANES):
            series, place = divmod(min(begin + lane, pairs - 1), len(which))
            own = values[series, first[which[place]] : first[which[place]] + length]
            for i in range(length):
                columns[i * LANES + lane] = own[i]
        anchor = load(columns, 0)
        smallest = largest = anchor
        total = splat(0.0)
        for i in range(0, length * LANES, LANES):
            x = load(columns, i)
            total = total + (x - anchor)
            smallest, largest = low(smallest, x), high(largest, x)
        weigh_eight(columns, length, anchor, total / size, table, waves[0], waves[1])
        bands_of(waves[0], waves[1], waves[2], waves[3], length, table, found)
        store(columns, 0, largest - smallest)
        for lane in range(min(LANES, pairs - begin)):
            series, place = divmod(begin + lane, len(which))
            w = which[place]
            steady = not np.isnan(seconds[w])
            if rows[0] >= 0:
                moves = steady and columns[lane] > 0
                out[rows[0], series, w] = found[lane] / (length * seconds[w]) if moves else np.nan
            for band in range(names.BANDS):
                if rows[1 + band] >= 0:
                    out[rows[1 + band], series, w] = found[(1 + band) * LANES + lane] if steady else np.nan
