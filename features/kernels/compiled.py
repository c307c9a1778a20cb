"""Features of windows by compiled loops; the same as ``plain`` to 1e-12 of scale, many times as fast."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.kernels import plain
from features.kernels.even import even_windows
from features.kernels.names import DOMINANT_FREQUENCY, KERNELS, SHARES, SPECTRUM
from features.kernels.network import sorting_network
from features.kernels.plan import MOST_AT_ONCE, plan_of
from features.kernels.power import LEAST, tables
from features.kernels.ragged import paces, ragged_spectra, ragged_windows

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BLOCK_SAMPLES = 65_536
"""Samples after which sums are combined to windows: the sums of their panes stay in the cache."""
MOST_WINDOWS = 4096
_SHARES = np.array(SHARES)
_SPECTRUM = frozenset(SPECTRUM)
_BEGIN = np.zeros(1, np.int64)
_NO_TABLE = np.empty((3, 0))


def even(values: Floats, length: int, stride: int, seconds: float, names: Sequence[str], out: Floats) -> None:
    """Write features of windows of equal numbers of samples; see ``windows.Path``."""
    transformed = length >= LEAST and length & (length - 1) == 0
    elsewhere = [] if transformed else [name for name in names if name in SPECTRUM]
    row_of = _rows(tuple(names), tuple(elsewhere))
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
    counts, names = stop - first, tuple(names)
    longest = int(counts.max())
    network = sorting_network(longest if longest <= MOST_AT_ONCE else 0)
    ragged_windows(values, times, first, stop, ends, _rows(names, SPECTRUM), network, _SHARES, longest, out)
    of_spectrum = [name for name in names if name in SPECTRUM]
    if not of_spectrum:
        return
    wanted, seconds = _rows(names)[DOMINANT_FREQUENCY:], np.empty(len(first))
    paces(times, first, stop, seconds)
    transformed = (counts >= LEAST) & (counts & (counts - 1) == 0)
    for length in set(counts[transformed].tolist()):
        which = np.flatnonzero(counts == length)
        ragged_spectra(values, first, which, length, seconds, tables(length), wanted, out)
    if not transformed.all():
        rest = np.flatnonzero(~transformed)
        found = np.empty((len(of_spectrum), len(values), len(rest)))
        plain.spans(values, times, first[rest], stop[rest], ends[rest], of_spectrum, found)
        for name, own in zip(of_spectrum, found, strict=True):
            out[names.index(name)][:, rest] = own


def newest(values: Floats, times: Places, end: int, names: tuple[str, ...], out: Floats) -> None:
    """Write what ``spans`` does of all samples as one window; it is for few series that no other call is worth it.

    Parameters
    ----------
    out : shape (n_names, n_series, 1)
    """
    count = len(times)
    spectrum = not _SPECTRUM.isdisjoint(names)
    if spectrum and (count < LEAST or count & (count - 1)):
        spans(values, times, _BEGIN, np.array([count]), np.array([end]), names, out)
        return
    stop, seconds = np.array([count]), np.empty(1)
    network = sorting_network(count if count <= MOST_AT_ONCE else 0)
    rows = _rows(names, SPECTRUM)
    ragged_windows(values, times, _BEGIN, stop, np.array([end]), rows, network, _SHARES, count, out)
    if spectrum:
        paces(times, _BEGIN, stop, seconds)
        wanted = _rows(names)[DOMINANT_FREQUENCY:]
        ragged_spectra(values, _BEGIN, _BEGIN, count, seconds, tables(count), wanted, out)


@lru_cache(maxsize=32)
def _rows(names: tuple[str, ...], without: tuple[str, ...] = ()) -> Places:
    """Return the row of each feature of the kernels in the result; -1 where it is not wanted."""
    return np.array([names.index(name) if name in names and name not in without else -1 for name in KERNELS], np.int64)
