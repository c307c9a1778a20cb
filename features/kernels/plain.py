"""Features of windows in plain numpy: windows of equal numbers of samples as rows, as many as the cache holds."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from features.kernels.names import BANDS, ON_MEAN, ORDERED, SHARES, SPECTRUM, TIED
from features.kernels.steady import LEAST_SPECTRUM, steps_of

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

HOUR = 3_600_000_000
ROW_CELLS = 65_536
"""Samples that are worked on at once: 512 kB, so that they and what is made of them stay in the cache."""


def even(values: Floats, length: int, stride: int, seconds: float, names: Sequence[str], out: Floats) -> None:
    """Write features of windows of equal numbers of samples; see ``windows.Path``."""
    clock = np.asarray((np.arange(length) - (length - 1.0)) * (seconds / 3600), np.float64)
    at_once = max(ROW_CELLS // length, 1)
    for series, own in enumerate(values):
        windows = np.lib.stride_tricks.sliding_window_view(own, length)[::stride]
        missing = ~np.isfinite(own)
        gaps = np.lib.stride_tricks.sliding_window_view(missing, length)[::stride] if missing.any() else None
        for begin in range(0, len(windows), at_once):
            block = slice(begin, begin + at_once)
            rows = np.ascontiguousarray(windows[block])
            if gaps is None or not gaps[block].any():
                out[:, series, block] = of_rows(rows, clock, seconds, names)
            else:
                out[:, series, block] = _with_gaps(rows, ~gaps[block], clock, seconds, names)


def spans(
    values: Floats, times: Places, first: Places, stop: Places, ends: Places, names: Sequence[str], out: Floats
) -> None:
    """Write features of windows of finite samples; see ``windows.Path``."""
    counts = np.maximum(stop - first, 0)
    out[:, :, counts == 0] = np.nan
    for count in np.unique(counts[counts > 0]).tolist():
        same = np.flatnonzero(counts == count)
        at_once = max(ROW_CELLS // (count * len(values)), 1)
        for begin in range(0, len(same), at_once):
            some = same[begin : begin + at_once]
            place = first[some, np.newaxis] + np.arange(count)
            rows = values[:, place]
            clock = np.broadcast_to((times[place] - ends[some, np.newaxis]) / HOUR, rows.shape).reshape(-1, count)
            steps = (
                steps_of(times, first[some], stop[some]) if set(names) & set(SPECTRUM) else np.full(len(some), np.nan)
            )
            found = of_rows(rows.reshape(-1, count), clock, np.tile(steps, len(values)), names)
            out[:, :, some] = found.reshape(len(names), *rows.shape[:2])


def of_rows(rows: Floats, clock: Floats, seconds: float | Floats, names: Sequence[str]) -> Floats:
    """Return features of windows of equal numbers of finite samples.

    Parameters
    ----------
    rows : shape (n_windows, n_samples), at least one sample
    clock : when samples were taken, in hours after the window's end, shape (n_samples,) or that of rows
    seconds : between samples; NaN where a window is not regularly sampled; a number or shape (n_windows,)

    Returns
    -------
    array of shape (n_names, n_windows)
    """
    found = np.empty((len(names), len(rows)))
    rows = np.ascontiguousarray(rows)  # sums of rows that lie otherwise are rounded otherwise
    windows = _Rows(rows, clock, np.broadcast_to(seconds, len(rows)), ordered=bool(set(names) & set(ORDERED)))
    with np.errstate(all="ignore"):
        for place, name in enumerate(names):
            found[place] = FORMULAS[name](windows)
    return found


def _with_gaps(rows: Floats, known: NDArray[np.bool_], clock: Floats, seconds: float, names: Sequence[str]) -> Floats:
    """Return features of rows of which some samples are missing: those with equal numbers of known ones together."""
    found = np.full((len(names), len(rows)), np.nan)
    counts = np.count_nonzero(known, axis=1)
    for count in np.unique(counts[counts > 0]).tolist():
        same = counts == count
        whose = known[same]
        of_known = rows[same][whose].reshape(-1, count)
        clocks = np.broadcast_to(clock, whose.shape)[whose].reshape(-1, count)
        found[:, same] = of_rows(of_known, clocks, seconds if count == len(clock) else np.nan, names)
    return found


class _Rows:
    """Some windows, and what several features are made of; see ``of_rows``."""

    def __init__(self, rows: Floats, clock: Floats, seconds: Floats, *, ordered: bool) -> None:
        self.rows, self.clock, self.seconds = rows, clock, seconds
        self.count = rows.shape[1]
        self._ordered = ordered

    @cached_property
    def ordered(self) -> Floats:
        return np.sort(self.rows, axis=1)

    @cached_property
    def low(self) -> Floats:
        # Adding 0.0 makes -0.0 and 0.0 one value.
        return (self.ordered[:, 0] if self._ordered else self.rows.min(axis=1)) + 0.0

    @cached_property
    def high(self) -> Floats:
        return (self.ordered[:, -1] if self._ordered else self.rows.max(axis=1)) + 0.0

    @cached_property
    def above(self) -> Floats:
        return self.rows - self.rows[:, :1]

    @cached_property
    def above_mean(self) -> Floats:
        return np.add.reduce(self.above, axis=1) / self.count

    @cached_property
    def distance(self) -> Floats:
        return self.above - self.above_mean[:, np.newaxis]

    @cached_property
    def square(self) -> Floats:
        return self.distance * self.distance

    @cached_property
    def mean(self) -> Floats:
        return self.rows[:, 0] + self.above_mean

    @cached_property
    def m2(self) -> Floats:
        return np.einsum("ij,ij->i", self.distance, self.distance)

    @cached_property
    def variance(self) -> Floats:
        return self.m2 / self.count

    @cached_property
    def root_mean_square(self) -> Floats:
        return np.sqrt(self.mean * self.mean + self.variance)

    @cached_property
    def power(self) -> Floats:
        """One-sided density of one segment, periodic Hann, times the width of a bin, from the first bin above 0."""
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.count) / self.count)
        waves = scipy.fft.rfft(self.distance * hann, axis=1)[:, 1:]
        power = waves.real**2 + waves.imag**2
        power *= 2 / (self.count * (0.375 * self.count))
        if self.count % 2 == 0:
            power[:, -1] /= 2  # half the sampling rate has one side only
        return power

    @cached_property
    def steady(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.seconds) & (self.count >= LEAST_SPECTRUM)

    def unless_equal(self, found: Floats) -> Floats:
        """Put NaN where all samples are equal."""
        return np.where(self.low < self.high, found, np.nan)

    def skewness(self) -> Floats:
        m3 = np.einsum("ij,ij->i", self.square, self.distance)
        return self.unless_equal(m3 / self.count / (self.variance * np.sqrt(self.variance)))

    def kurtosis(self) -> Floats:
        m4 = np.einsum("ij,ij->i", self.square, self.square)
        return self.unless_equal(m4 / self.count / self.variance**2 - 3)

    def crest_factor(self) -> Floats:
        peak = np.maximum(np.abs(self.low), np.abs(self.high))
        return np.where(self.root_mean_square > 0, peak / self.root_mean_square, np.nan)

    def slope(self) -> Floats:
        apart = self.clock - self.clock.mean(axis=-1, keepdims=True)
        square = np.einsum("...j,...j->...", apart, apart)
        with_value = np.einsum("ij,j->i" if apart.ndim == 1 else "ij,ij->i", self.distance, apart)
        return np.where(square > 0, with_value / square, np.nan)

    def autocorrelation(self) -> Floats:
        return self.unless_equal(np.einsum("ij,ij->i", self.distance[:, 1:], self.distance[:, :-1]) / self.m2)

    def crossing_rate(self, distance: Floats, nothing: Floats) -> Floats:
        """Return the share of steps in which a distance changes its sign; one up to ``nothing`` has none."""
        if self.count < 2:
            return np.full(len(self.rows), np.nan)
        above = distance > 0
        crossings = np.count_nonzero(above[:, 1:] != above[:, :-1], axis=1)
        none = np.abs(distance) <= nothing[:, np.newaxis]
        on = np.flatnonzero(none.any(axis=1))
        if len(on):
            crossings[on] = _held_crossings(np.where(none[on], 0.0, distance[on]))
        return crossings / (self.count - 1)

    def quantile(self, share: float) -> Floats:
        place = share * (self.count - 1)
        below = int(place)
        smaller, larger = self.ordered[:, below], self.ordered[:, min(below + 1, self.count - 1)]
        return smaller + (larger - smaller) * (place - below) + 0.0

    def dominant_frequency(self) -> Floats:
        if self.count < LEAST_SPECTRUM:
            return np.full(len(self.rows), np.nan)
        strongest = self.power > TIED * self.power.max(axis=1, keepdims=True)
        found = (strongest.argmax(axis=1) + 1) / (self.count * self.seconds)
        return self.unless_equal(np.where(self.steady, found, np.nan))

    def band_power(self, band: int) -> Floats:
        if self.count < LEAST_SPECTRUM:
            return np.full(len(self.rows), np.nan)
        first, last = (each * self.count // (2 * BANDS) for each in (band, band + 1))
        return np.where(self.steady, np.add.reduce(self.power[:, first:last], axis=1), np.nan)


def _held_crossings(distance: Floats) -> Places:
    """Count changes of sign; a sample at 0 belongs to the side that the signal comes from."""
    side = np.sign(distance)
    newest = np.maximum.accumulate(np.where(side != 0, np.arange(side.shape[1]), 0), axis=1)
    held = np.take_along_axis(side, newest, axis=1)
    return np.count_nonzero(held[:, 1:] * held[:, :-1] < 0, axis=1)


def _quantile(share: float) -> Callable[[_Rows], Floats]:
    return lambda windows: windows.quantile(share)


def _band_power(band: int) -> Callable[[_Rows], Floats]:
    return lambda windows: windows.band_power(band)


FORMULAS: dict[str, Callable[[_Rows], Floats]] = {
    "mean": lambda windows: windows.mean,
    "standard_deviation": lambda windows: np.sqrt(windows.variance),
    "minimum": lambda windows: windows.low,
    "maximum": lambda windows: windows.high,
    "range": lambda windows: windows.high - windows.low,
    "root_mean_square": lambda windows: windows.root_mean_square,
    "skewness": _Rows.skewness,
    "kurtosis": _Rows.kurtosis,
    "crest_factor": _Rows.crest_factor,
    "slope": _Rows.slope,
    "energy": lambda windows: windows.count * windows.mean**2 + windows.m2,
    "zero_crossing_rate": lambda windows: windows.crossing_rate(windows.rows, np.zeros(len(windows.rows))),
    "autocorrelation": _Rows.autocorrelation,
    "mean_crossing_rate": lambda windows: windows.crossing_rate(
        windows.distance, ON_MEAN * (windows.high - windows.low)
    ),
    **{name: _quantile(share) for name, share in zip(ORDERED, SHARES, strict=True)},
    "dominant_frequency": _Rows.dominant_frequency,
    **{name: _band_power(band) for band, name in enumerate(SPECTRUM[1:])},
}
"""Every feature of ``names.KERNELS`` from rows of samples."""
