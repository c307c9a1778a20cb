"""The one door: features of windows of many series, by the compiled or by the plain path."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.kernels.names import KERNELS

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Engine = Literal["auto", "compiled", "plain"]
Piece = tuple[slice, slice]

CELLS = 262_144
"""About how many numbers a thread reads or writes at once: 2 MB."""


@dataclass(frozen=True, slots=True)
class Even:
    """Windows of equal numbers of samples that were taken at a steady pace.

    Attributes
    ----------
    length : samples of a window
    stride : samples from the begin of a window to that of the next one
    seconds : from one sample to the next
    """

    length: int
    stride: int
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.length < 1 or self.stride < 1 or not 0 < self.seconds < float("inf"):
            raise ValueError(
                f"a window of {self.length} samples every {self.stride}, {self.seconds} s apart; all are above 0"
            )

    def count(self, samples: int) -> int:
        """Return how many windows lie wholly within a number of samples."""
        return max((samples - self.length) // self.stride + 1, 0)


@dataclass(frozen=True, slots=True)
class Spans:
    """Windows by time: the samples in (begin, end], however many these are.

    Attributes
    ----------
    times : when samples were taken, ascending, in microseconds, shape (n_samples,)
    begins, ends : of the windows, in microseconds, shape (n_windows,); both ascend
    """

    times: Times
    begins: Times
    ends: Times

    def __post_init__(self) -> None:
        if self.begins.shape != self.ends.shape or self.times.ndim != 1 or self.ends.ndim != 1:
            raise ValueError(f"{self.begins.shape} begins and {self.ends.shape} ends of windows; each needs both")
        if any((np.diff(each) < 0).any() for each in (self.times, self.begins, self.ends)):
            raise ValueError("times of samples, begins and ends of windows ascend; sort them")

    def count(self, samples: int) -> int:
        """Return how many windows there are."""
        return len(self.ends)


class Path(Protocol):
    """One way to compute; both say the same to 1e-12 of scale.

    ``values`` has shape (n_series, n_samples) and ``out`` (n_names, n_series, n_windows).
    """

    def even(self, values: Floats, length: int, stride: int, seconds: float, names: Sequence[str], out: Floats) -> None:
        """Write features of ``Even`` windows; samples may be missing."""
        ...

    def spans(
        self, values: Floats, times: Times, first: Times, stop: Times, ends: Times, names: Sequence[str], out: Floats
    ) -> None:
        """Write features of the samples first … stop − 1 of each window; none is missing."""
        ...


def window_features(
    values: NDArray[Any],
    windows: Even | Spans,
    names: Sequence[str],
    *,
    threads: int = 1,
    engine: Engine = "auto",
    cells: int = CELLS,
) -> Floats:
    """Return features of windows of each series.

    A sample that is NaN or infinite is missing: it is left out of its own windows and touches no other.
    Samples on both sides of it are then neighbours. A feature is NaN where it cannot be said: in a window
    without a sample; skewness, kurtosis, autocorrelation and dominant frequency where all samples are
    equal; crest factor where all are 0; slope where all were taken at one moment; rates of crossings for
    one sample; the spectrum where a window is not regularly sampled: there are fewer than 8 samples,
    one of an even window is missing, or in a window by time the longest and the shortest step differ by more
    than 1 % of the mean one and a microsecond.

    A window's numbers depend on its own samples only: neither threads, nor the other series, nor where the
    series begins and ends change a bit of them.

    Parameters
    ----------
    values : float64 or float32, shape (n_series, n_samples), or (n_samples,) for one series
    windows : the same for all series
    names : out of ``names.KERNELS``
    threads : how many work at once
    engine : ``compiled`` needs numba, ``auto`` takes it where it is installed
    cells : about how many numbers a thread reads or writes at once

    Returns
    -------
    array of shape (n_names, n_series, n_windows)

    Raises
    ------
    ValueError
        For values of another type or shape, unknown features, fewer than one thread, or ``compiled``
        without numba.

    Examples
    --------
    >>> found = window_features(np.array([1.0, 3.0, 5.0, 7.0]), Even(2, 2), ["mean", "range"])
    >>> found.tolist()
    [[[2.0, 6.0]], [[2.0, 2.0]]]
    """
    values = np.atleast_2d(values)
    if values.ndim != 2 or values.dtype not in (np.float64, np.float32):
        raise ValueError(f"series of shape {values.shape} and type {values.dtype}; two axes of float64 or float32")
    unknown = [name for name in names if name not in KERNELS]
    if unknown:
        raise ValueError(f"no kernel for '{unknown[0]}'; there are: {', '.join(KERNELS)}")
    if len(set(names)) < len(names):
        raise ValueError("a feature is named twice")
    if threads < 1:
        raise ValueError(f"{threads} threads; at least one has to work")
    if isinstance(windows, Spans) and len(windows.times) != values.shape[1]:
        raise ValueError(f"{len(windows.times)} times for {values.shape[1]} samples")
    out = np.empty((len(names), len(values), windows.count(values.shape[1])))
    if not out.size:
        return out
    path = _path(engine)
    pieces = _pieces(*out.shape[1:], max(values.shape[1] // out.shape[2], len(names), 1), cells)

    def work(piece: Piece) -> None:
        found = np.empty((len(names), piece[0].stop - piece[0].start, piece[1].stop - piece[1].start))
        if isinstance(windows, Even):
            _even(path, values[piece[0]], windows, piece[1], names, found)
        else:
            _spans(path, values[piece[0]], windows, piece[1], names, found)
        out[:, piece[0], piece[1]] = found

    if threads == 1:
        for piece in pieces:
            work(piece)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, pieces):
                pass
    return out


def compiled_is_there() -> bool:
    """Return whether the compiled path can be used."""
    return find_spec("numba") is not None


def _path(engine: Engine) -> Path:
    if engine == "compiled" and not compiled_is_there():
        raise ValueError("the compiled engine needs numba: pip install 'andon[fast]'; 'plain' needs nothing")
    name = "compiled" if engine == "compiled" or (engine == "auto" and compiled_is_there()) else "plain"
    path: Any = import_module(f"features.kernels.{name}")
    return path


def _pieces(series: int, windows: int, per_window: int, cells: int) -> list[Piece]:
    """Cut the work so that each piece reads and writes about ``cells`` numbers; a window is never cut."""
    longest = min(max(cells // per_window, 1), windows)
    at_once = max(cells // (longest * per_window), 1) if longest == windows else 1
    return [
        (slice(one, min(one + at_once, series)), slice(begin, min(begin + longest, windows)))
        for one in range(0, series, at_once)
        for begin in range(0, windows, longest)
    ]


def _even(path: Path, values: NDArray[Any], windows: Even, some: slice, names: Sequence[str], out: Floats) -> None:
    first, last = some.start * windows.stride, (some.stop - 1) * windows.stride + windows.length
    path.even(_whole(values[:, first:last]), windows.length, windows.stride, windows.seconds, names, out)


def _spans(path: Path, values: NDArray[Any], windows: Spans, some: slice, names: Sequence[str], out: Floats) -> None:
    begins, ends = windows.begins[some], windows.ends[some]
    first, last = np.searchsorted(windows.times, [begins[0], ends[-1]], side="right")
    times, own = windows.times[first:last], _whole(values[:, first:last])
    known = np.isfinite(own)
    whole = known.all(axis=1)
    if whole.all():
        path.spans(own, times, *_inside(times, begins, ends), ends, names, out)
        return
    for series, there in enumerate(known):
        its_times, found = times[there], np.empty((len(names), 1, len(ends)))
        path.spans(own[[series]][:, there], its_times, *_inside(its_times, begins, ends), ends, names, found)
        out[:, [series]] = found


def _whole(values: NDArray[Any]) -> Floats:
    """Return series in one piece of memory that may be written to: compiled code is made for one kind of array."""
    return np.require(values, np.float64, ["C", "W"])


def _inside(times: Times, begins: Times, ends: Times) -> tuple[Times, Times]:
    first = np.searchsorted(times, begins, side="right")
    return first, np.maximum(np.searchsorted(times, ends, side="right"), first)
