"""Columns that are the place of a row in a file, or the calendar."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.leaks.leak import Leak
from features.leaks.seen import Seen, thinned

FEWEST_ROWS = 50
SAMPLE = 500
SAME_ORDER = 0.9999
EVEN = 1e-6


def row_numbers(seen: Seen) -> Iterator[Leak]:
    """Name columns that follow the order of the table over all machines, or number its rows in another order."""
    several = len(seen.machines) > 1
    for place in seen.to_read:
        values = seen.column(place)
        known = np.isfinite(values)
        mine = values[known]
        if len(mine) < FEWEST_ROWS or 2 * len(mine) < len(values):
            continue
        order = np.flatnonzero(known)
        if several and abs(_in_order(mine, order)) >= SAME_ORDER:
            yield Leak(seen.name(place), "row number", f"it follows the order of {len(mine):,} rows over all machines")
        elif _evenly_numbered(mine, seen.time[known]):
            yield Leak(seen.name(place), "row number", f"its {len(mine):,} values differ and are evenly spaced")


def calendar(seen: Seen) -> Iterator[Leak]:
    """Name columns that go one way with the calendar, alike on all machines."""
    if len(seen.machines) < 2:
        return
    for place in seen.to_read:
        values = seen.column(place)
        known = np.isfinite(values)
        if known.sum() < FEWEST_ROWS or 2 * known.sum() < len(values):
            continue
        r = _in_order(values[known], seen.time[known])
        if abs(r) >= SAME_ORDER:
            yield Leak(seen.name(place), "calendar time", f"it follows the time on all machines alike, rank {r:.5f}")


def _in_order(one: NDArray[np.float64], other: NDArray[np.int64]) -> float:
    """Return the rank correlation; 0 at once where that of a few rows is too low."""
    if abs(_rank_correlation(thinned(one, SAMPLE), thinned(other, SAMPLE))) < SAME_ORDER - 0.002:
        return 0.0
    return _rank_correlation(one, other)


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64] | NDArray[np.int64]) -> float:
    first, second = (np.unique(each, return_inverse=True)[1].astype(np.float64) for each in (one, other))
    if not first.any() or not second.any():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _evenly_numbered(values: NDArray[np.float64], time: NDArray[np.int64]) -> bool:
    """Whether values are a shuffled row of numbers; a clock, which is even in time, is none."""
    low, high = values.min(), values.max()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        places = (thinned(values, SAMPLE) - low) / (high - low) * (len(values) - 1)
    if not (np.abs(places - np.rint(places)) <= 0.01).all():
        return False
    gaps = np.diff(np.sort(values))
    if not (gaps > 0).all() or np.ptp(gaps) > EVEN * gaps.mean():
        return False
    return len(np.unique(time)) < len(time) or abs(_rank_correlation(values, time)) < SAME_ORDER
