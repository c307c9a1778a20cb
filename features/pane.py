"""Samples to the moments of panes: the one pass over all readings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats, Moments

CACHE_CELLS = 200_000
"""Samples that are worked on at once, so that intermediate arrays stay in the processor's cache."""


def add_samples(panes: Moments, values: Floats, hours: Floats, pane: NDArray[np.int64]) -> None:
    """Write the moments of samples into panes that have none yet.

    Parameters
    ----------
    panes : moments of shape (n_signals, n_panes), changed in place
    values : shape (n_signals, n_samples), NaN where a signal was not read
    hours : time of each sample after the end of its pane, at most 0, shape (n_samples,)
    pane : pane of each sample, ascending, shape (n_samples,)
    """
    if not len(pane):
        return
    starts = np.concatenate([[0], np.flatnonzero(np.diff(pane)) + 1])
    cells = pane[starts]
    at_once = max(1, CACHE_CELLS // len(pane))
    for begin in range(0, len(values), at_once):
        signals = slice(begin, begin + at_once)
        found = _moments(values[signals], hours, starts)
        for name, field in found.items():
            getattr(panes, name)[signals, cells] = field


def _moments(values: Floats, hours: Floats, starts: NDArray[np.int64]) -> dict[str, Any]:
    size = np.diff(starts, append=values.shape[1])
    row = np.repeat(np.arange(len(starts)), size)
    missing = np.isnan(values)
    gaps = bool(missing.any())

    def total(each: Floats) -> Floats:
        return np.add.reduceat(each, starts, axis=-1)

    def known(each: Floats) -> Floats:
        return np.where(missing, 0.0, each) if gaps else each

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        samples = total((~missing).astype(np.float64)) if gaps else np.broadcast_to(size.astype(float), (1, len(size)))
        some = np.maximum(samples, 1)
        low = np.fmin.reduceat(values, starts, axis=-1)
        high = np.fmax.reduceat(values, starts, axis=-1)
        above = known(values - low[:, row])
        mean = total(above) / some
        distance = known(above - mean[:, row])
        square = distance * distance
        clock = known(np.broadcast_to(hours, values.shape)) if gaps else hours[np.newaxis]
        time = total(clock) / some
        apart = known(clock - time[:, row])
        empty = samples == 0
        return {
            "samples": samples,
            "anchor": np.where(empty, 0.0, low),
            "mean": mean,
            "m2": total(square),
            "m3": total(square * distance),
            "m4": total(square * square),
            "low": np.where(empty, np.inf, low),
            "high": np.where(empty, -np.inf, high),
            "last": _last(values, missing if gaps else None, starts, size),
            "time": time,
            "tt": total(apart * apart),
            "tx": total(apart * distance),
        }


def _last(
    values: Floats, missing: NDArray[np.bool_] | None, starts: NDArray[np.int64], size: NDArray[np.int64]
) -> Floats:
    if missing is None:
        return values[:, starts + size - 1]
    place = np.where(missing, -1, np.arange(values.shape[1]))
    newest = np.maximum.reduceat(place, starts, axis=-1)
    return np.where(newest < 0, 0.0, np.take_along_axis(values, np.maximum(newest, 0), axis=-1))
