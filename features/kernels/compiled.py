"""Features of windows by compiled loops; the same as ``plain`` to 1e-12 of scale, many times as fast."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.kernels import plain
from features.kernels.even import even_windows
from features.kernels.names import KERNELS, SHARES, SPECTRUM
from features.kernels.network import sorting_network
from features.kernels.plan import MOST_AT_ONCE, plan_of
from features.kernels.power import LEAST, tables
from features.kernels.ragged import ragged_windows

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BLOCK_SAMPLES = 65_536
"""Samples after which sums are combined to windows: the sums of their panes stay in the cache."""
MOST_WINDOWS = 1024
_SHARES = np.array(SHARES)
_NO_TABLE = np.empty((3, 0))


def even(values: Floats, length: int, stride: int, seconds: float, names: Sequence[str], out: Floats) -> None:
    """Write features of windows of equal numbers of samples; see ``windows.Path``."""
    transformed = length >= LEAST and length & (length - 1) == 0
    elsewhere = [] if transformed else [name for name in names if name in SPECTRUM]
    row_of = _rows(names, without=elsewhere)
    spectrum = transformed and not set(names).isdisjoint(SPECTRUM)
    block = min(max(BLOCK_SAMPLES // stride, 8), MOST_WINDOWS)
    table = tables(length) if spectrum else _NO_TABLE
    even_windows(
        values, out.shape[2], length, stride, seconds / 3600, row_of, plan_of(length, stride), table, block, out
    )
    if elsewhere:
        found = np.empty((len(elsewhere), *out.shape[1:]))
        plain.even(values, length, stride, seconds, elsewhere, found)
        out[[names.index(name) for name in elsewhere]] = found


def spans(
    values: Floats, times: Places, first: Places, stop: Places, ends: Places, names: Sequence[str], out: Floats
) -> None:
    """Write features of windows of finite samples; see ``windows.Path``."""
    elsewhere = [name for name in names if name in SPECTRUM]
    longest = int((stop - first).max())
    network = sorting_network(longest if longest <= MOST_AT_ONCE else 0)
    ragged_windows(values, times, first, stop, ends, _rows(names, without=elsewhere), network, _SHARES, longest, out)
    if elsewhere:
        found = np.empty((len(elsewhere), *out.shape[1:]))
        plain.spans(values, times, first, stop, ends, elsewhere, found)
        out[[names.index(name) for name in elsewhere]] = found


def _rows(names: Sequence[str], *, without: Sequence[str]) -> Places:
    """Return the row of each feature of the kernels in the result; -1 where it is not wanted."""
    return np.array([names.index(name) if name in names and name not in without else -1 for name in KERNELS], np.int64)
