"""Clocks that know when something will come, and columns that hold how long a run will last."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.leaks.chance import ERROR, of_correlation
from features.leaks.leak import Leak
from features.leaks.seen import Seen

FEWEST_RUNS = 3
FEWEST_ROWS = 10
STRAIGHT = 0.995
"""Correlation with time from which a run counts as a straight line: no wear is as straight."""

ALIKE = 0.05
"""Values at the failures are the same when they spread over no more than this part of a run's range."""

VARIED = 0.2
"""Lengths of runs must spread by so much of their median, or a clock from the start would end alike as well."""

MOST_OF = 0.9
ONE_RATE = 0.02


def counts_down(seen: Seen) -> Iterator[Leak]:
    """Name columns that go straight, or always one way, to the same value at every failure."""
    runs = [run for run in seen.runs if run.rows.stop - run.rows.start >= FEWEST_ROWS]
    if len(runs) < FEWEST_RUNS or _spread(np.array([_length(seen, run.rows) for run in runs])) < VARIED:
        return
    for place in seen.to_read:
        ends, ranges, signs = [], [], []
        values = seen.column(place)
        for run in runs:
            mine, time = values[run.rows], seen.time[run.rows]
            known = np.isfinite(mine)
            if known.sum() < FEWEST_ROWS or 2 * known.sum() < len(mine):
                continue
            way = _one_way(time[known], mine[known])
            signs.append(way)
            ends.append(mine[known][-1])
            ranges.append(np.ptp(mine[known]))
        if len(signs) < FEWEST_RUNS:
            continue
        sign = 1 if np.sum(signs) > 0 else -1
        of = np.array(signs) == sign
        if of.mean() < MOST_OF or of.sum() < FEWEST_RUNS:
            continue
        apart = _middle(np.array(ends)[of]) / np.median(np.array(ranges)[of])
        if apart <= ALIKE:
            yield Leak(
                seen.name(place),
                "countdown",
                f"it {'rises' if sign > 0 else 'falls'} steadily in {of.sum()} of {len(of)} runs and ends at the same"
                f" value at each failure, within {100 * apart:.2g} % of a run's range",
            )


def scheduled(seen: Seen) -> Iterator[Leak]:
    """Name columns that fall at one rate and jump back: a clock towards something that is planned."""
    inner = seen.table.machine[1:] == seen.table.machine[:-1]
    gaps = np.diff(seen.time)[inner] / seen.stride
    for place in seen.to_read:
        rates = np.diff(seen.column(place))[inner] / gaps
        known = np.isfinite(rates)
        if known.sum() < FEWEST_ROWS * FEWEST_RUNS or 2 * known.sum() < len(known):
            continue
        rate = np.median(rates[known])
        steady = np.abs(rates[known] - rate) <= ONE_RATE * abs(rate)
        back = int((rates[known] > -rate).sum())
        if rate < 0 and steady.mean() >= MOST_OF and back >= FEWEST_RUNS:
            yield Leak(
                seen.name(place),
                "schedule",
                f"it falls at one rate in {100 * steady.mean():.0f} % of its steps and jumps back {back} times",
            )


def run_lengths(seen: Seen) -> Iterator[Leak]:
    """Name columns that stand still in each run and tell how long it will be."""
    runs = [run for run in seen.runs if run.rows.stop - run.rows.start >= FEWEST_ROWS]
    if len(runs) < FEWEST_RUNS:
        return
    lengths = np.array([_length(seen, run.rows) for run in runs])
    for place in seen.to_read:
        values = seen.column(place)
        held = [_constant(values[run.rows]) for run in runs]
        known = np.isfinite(held)
        if known.mean() < MOST_OF or len(np.unique(np.array(held)[known])) < FEWEST_RUNS:
            continue
        r = np.corrcoef(np.array(held)[known], lengths[known])[0, 1]
        if of_correlation(r, int(known.sum())) * len(seen.to_read) <= ERROR:
            yield Leak(
                seen.name(place),
                "run length",
                f"it stands still in each of {known.sum()} runs and correlates with their lengths by {r:.3f}",
            )


def _one_way(time: NDArray[np.int64], values: NDArray[np.float64]) -> int:
    """Return 1 or −1 when values go straight, or never turn, up or down; 0 otherwise."""
    if values.min() == values.max():
        return 0
    scaled = (values - values.mean()) / np.abs(values - values.mean()).max()
    r = np.corrcoef(time - time[0], scaled)[0, 1]
    steps = np.diff(values)
    if abs(r) >= STRAIGHT or (steps > 0).all() or (steps < 0).all():
        return 1 if r > 0 else -1
    return 0


def _constant(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    if 2 * len(known) < len(values) or not len(known):
        return np.nan
    return float(known[0]) if np.ptp(known) <= 1e-9 * np.abs(known).max() else np.nan


def _length(seen: Seen, rows: slice) -> float:
    return float(seen.time[rows.stop - 1] - seen.time[rows.start])


def _middle(values: NDArray[np.float64]) -> float:
    """Return how far apart the tenth and the ninetieth percentile are."""
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low)


def _spread(lengths: NDArray[np.float64]) -> float:
    return _middle(lengths) / float(np.median(lengths)) if len(lengths) else 0.0
