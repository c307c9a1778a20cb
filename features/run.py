"""Unbroken runs of samples: what a snapshot is among the readings of a waveform signal."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from features.microsecond import Times, microseconds

LEAST_SAMPLES = 256
"""A shorter run is no snapshot."""
LONGEST = timedelta(minutes=1)
"""A longer run is no snapshot either; a sensor that never pauses declares the length of its snapshots."""
_BREAK = 1.5
_RIGHT_RATE = 0.01
_WHOLE = 0.9
SECOND = 1e6


def gap(rate: float) -> int:
    """Return the shortest time in microseconds that parts two runs: one and a half samples.

    Times are rounded to microseconds, so two samples of one run may lie one microsecond further apart.
    """
    return int(_BREAK * SECOND / rate) + 1


def runs(times: Times, rate: float, length: timedelta | None = None) -> Iterator[tuple[int, int]]:
    """Yield the snapshots among samples as places first … stop − 1.

    Parameters
    ----------
    times : ascending, in microseconds since 1970, shape (n_samples,)
    rate : samples a second; runs of another rate are no snapshots
    length : cut at multiples of it since 1970; a piece that is not full is left out
    """
    if len(times) < LEAST_SAMPLES:
        return
    ends = np.diff(times) > gap(rate)
    if length is not None:
        piece = times // microseconds(length)
        ends |= piece[1:] != piece[:-1]
    first = np.concatenate([[0], np.flatnonzero(ends) + 1])
    stop = np.append(first[1:], len(times))
    whole = _WHOLE * (length / timedelta(seconds=1)) * rate if length is not None else 0.0
    samples = stop - first
    lasts = times[stop - 1] - times[first]
    steady = np.abs(lasts * rate / SECOND - (samples - 1)) <= _RIGHT_RATE * (samples - 1) + 1
    fits = steady & (samples >= max(LEAST_SAMPLES, whole)) & (lasts <= microseconds(LONGEST))
    yield from zip(first[fits].tolist(), stop[fits].tolist(), strict=True)
