"""The envelope of a snapshot: how the strength of a band of frequencies comes and goes.

Each time a rolling element passes a defect, the machine rings at some high frequency. How often it rings
is not in the spectrum, but in that of the squared envelope of the band that rings. All of it is made of
the lines of the snapshot's Fourier transform, so a narrow band costs little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from features.spectrum import Fourier, Spectrum, hann_power

CUTS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Into how many equal bands the frequencies are cut, one level of the kurtogram after the other."""
LEAST_LINES = 64
"""Lines of the narrowest band: with fewer the kurtosis of an envelope is chance."""


@dataclass(frozen=True, slots=True)
class Band:
    """A band of the kurtogram: lines first … last − 1 of the Fourier transform, and how impulsive it is.

    Attributes
    ----------
    kurtosis : mean |z|⁴ / (mean |z|²)² − 2 of the complex envelope z: 0 for normal noise, −1 for a steady sine
    """

    first: int
    last: int
    kurtosis: float

    def hertz(self, step: float) -> tuple[float, float]:
        """Return the edges in Hz."""
        return self.first * step, self.last * step


def kurtogram(fourier: Fourier, narrowest: float = 0.0) -> Iterator[Band]:
    """Yield the bands of a snapshot, each with the spectral kurtosis in it.

    The paving is that of the fast kurtogram (Antoni 2007): halves, thirds, quarters, sixths … of the
    frequencies; the filters are blocks of lines in place of a tree of short filters.

    Parameters
    ----------
    narrowest : least width of a band in Hz
    """
    from scipy import fft  # loaded late, as in features.spectrum

    lines = fourier.lines[1:].astype(np.complex64)
    for bands in CUTS:
        # Lengths without large factors transform several times as fast; the few lines on top that are lost are
        # those that the sensor's own filter takes.
        width = fft.prev_fast_len(max(len(lines) // bands, 1))
        if width < LEAST_LINES or width * fourier.step < narrowest:
            return
        envelope = fft.ifft(lines[: bands * width].reshape(bands, width), axis=1)
        square = envelope.real**2 + envelope.imag**2
        mean = square.mean(axis=1)
        fourth = (square * square).mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            kurtosis = fourth / mean**2 - 2
        for place, each in enumerate(kurtosis.tolist()):
            yield Band(1 + place * width, 1 + (place + 1) * width, each)


def bands_of(fourier: Fourier, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the bands of some levels, as lines first … last − 1."""
    widths = [(cut, (len(fourier.lines) - 1) // cut) for cut in cuts]
    return [(1 + place * width, 1 + (place + 1) * width) for cut, width in widths for place in range(cut)]


def best_band(fourier: Fourier, narrowest: float = 0.0) -> Band | None:
    """Return the most impulsive band of the kurtogram; ``None`` for silence and for too short a snapshot."""
    bands = [each for each in kurtogram(fourier, narrowest=narrowest) if np.isfinite(each.kurtosis)]
    return max(bands, key=lambda each: each.kurtosis, default=None)


def envelope_spectrum(fourier: Fourier, first: int, last: int, count: int | None = None) -> Spectrum:
    """Return the spectrum of the squared envelope of lines first … last − 1, seen through a Hann window.

    Parameters
    ----------
    count : how many lines to return; as many as the band has at most, and when left out

    Returns
    -------
    Spectrum
        Lines up to the width of the band, at the step of the snapshot; powers are relative to the
        squared mean of the squared envelope, so a full modulation 1 + cos has 0.5 at its frequency.
    """
    from scipy import fft  # loaded late, as in features.spectrum

    width = last - first
    size = fft.next_fast_len(2 * width)
    envelope = fft.ifft(fourier.lines[first:last], size)
    square = envelope.real**2 + envelope.imag**2
    lines = fft.rfft(square)
    mean = lines[0].real
    count = width if count is None else min(count, width)
    if not mean > 0:
        return Spectrum(np.zeros(count), fourier.step)
    lines[0] = 0
    power = hann_power(lines[: count + 2], size)[:count] / (3 / 8 * mean**2)
    return Spectrum(power, fourier.step)
