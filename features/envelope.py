"""The envelope of a snapshot: how the strength of a band of frequencies comes and goes.

Each time a rolling element passes a defect, the machine rings at some high frequency. How often it rings
is not in the spectrum, but in that of the squared envelope of the band that rings. All of it is made of
the lines of the snapshot's Fourier transform, so a narrow band costs little.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats
from features.spectrum import HANN_POWER, Fourier, Spectrum

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
    for width, kurtosis in _levels(fourier, narrowest):
        for place, each in enumerate(kurtosis.tolist()):
            yield _band(width, place, each)


def _band(width: int, place: int, kurtosis: float) -> Band:
    return Band(1 + place * width, 1 + (place + 1) * width, kurtosis)


def _levels(fourier: Fourier, narrowest: float) -> Iterator[tuple[int, Floats]]:
    """Yield how many lines the bands of each level have, and their kurtoses."""
    from scipy import fft  # loaded late, as in features.spectrum

    lines = fourier.lines[1:]
    most = float(np.sqrt((lines.real**2 + lines.imag**2).max(initial=0.0)))
    # In single precision, which holds no fourth powers of very small or large numbers: so all of it by the largest.
    shares = (lines * (1 / most if most > 0 else 0.0)).astype(np.complex64)
    for bands in CUTS:
        # Lengths without large factors transform several times as fast; the few lines on top that are lost are
        # those that the sensor's own filter takes.
        width = _short_factors(max(len(lines) // bands, 1))
        if width < LEAST_LINES or width * fourier.step < narrowest:
            return
        own = shares[: bands * width].reshape(bands, width)
        rows = own
        if bands > 2 and bands % 4:  # rows are transformed four at a time
            rows = np.zeros((bands + -bands % 4, width), np.complex64)
            rows[:bands] = own
        envelope = fft.ifft(rows, axis=1, norm="forward")[:bands]
        square = np.square(envelope.real)
        square += np.square(envelope.imag)
        mean = square.sum(axis=1) / width
        np.square(square, out=square)
        with np.errstate(invalid="ignore", divide="ignore"):
            yield width, (square.sum(axis=1) / width / mean**2 - 2).astype(np.float64)


@lru_cache(maxsize=64)
def _short_factors(most: int) -> int:
    """Return the largest product of twos, threes and fives that is not larger."""
    found = 1
    five = 1
    while five <= most:
        three = five
        while three <= most:
            found = max(found, three << ((most // three).bit_length() - 1))
            three *= 3
        five *= 5
    return found


def nested_spectra(fourier: Fourier, cut: int, count: int) -> Floats:
    """Return envelope spectra of all bands that neighbours of equal width make: alone, two, four … of them, and all.

    What a wide band has beyond its two halves is made of the lines on both sides of the border, of which those
    count that are less than ``count`` apart; so no wide band has to be transformed.

    Parameters
    ----------
    cut : into how many bands the frequencies are cut, a power of two; each has more than ``count`` lines
    count : how many lines to return

    Returns
    -------
    array of shape (2 ``cut`` − 1, ``count``)
        As the powers of ``envelope_spectrum``, from the narrowest bands to the widest.
    """
    from scipy import fft  # loaded late, as in features.spectrum

    width, reach = (len(fourier.lines) - 1) // cut, count + 1
    lines = fourier.lines[1 : 1 + cut * width].reshape(cut, width)
    size = fft.next_fast_len(width + reach)
    envelope = fft.ifft(lines, size, axis=1, norm="forward")
    square = np.square(envelope.real)
    square += np.square(envelope.imag)
    own = fft.rfft(square, axis=1, norm="forward")[:, :reach]
    size = fft.next_fast_len(2 * reach)
    before = fft.ifft(lines[:-1, -reach:], size, axis=1, norm="forward")
    behind = np.zeros((cut - 1, 2 * reach), np.complex128)
    behind[:, reach:] = lines[1:, :reach]
    across = before.conj() * fft.ifft(behind, size, axis=1, norm="forward")
    between = fft.fft(across, axis=1, norm="forward")[:, :reach]
    found = [own]
    while len(own) > 1:
        own = own[::2] + own[1::2] + between[::2]
        between = between[1::2]
        found.append(own)
    return _relative_power(np.concatenate(found))


def best_band(fourier: Fourier, narrowest: float = 0.0) -> Band | None:
    """Return the most impulsive band of the kurtogram; ``None`` for silence and for too short a snapshot."""
    best, most = None, -np.inf
    for width, kurtosis in _levels(fourier, narrowest):
        place = int(np.argmax(np.where(np.isfinite(kurtosis), kurtosis, -np.inf)))
        if kurtosis[place] > most:
            best, most = (width, place), float(kurtosis[place])
    return None if best is None else _band(*best, most)


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
    count = width if count is None else min(count, width)
    # So long that lines which are wanted do not meet those that come round from the other side.
    size = fft.next_fast_len(width + min(width, count + 1))
    envelope = fft.ifft(fourier.lines[first:last], size)
    square = np.square(envelope.real)
    square += np.square(envelope.imag)
    return Spectrum(_relative_power(fft.rfft(square)[np.newaxis, : count + 1])[0], fourier.step)


def _relative_power(lines: NDArray[np.complex128]) -> Floats:
    """Return the powers of all lines but the last of squared envelopes, through a Hann window.

    They are relative to the squared mean of the squared envelope; 0 for silence.

    Parameters
    ----------
    lines : shape (n_bands, n_lines), from 0 Hz on
    """
    mean = lines[:, :1].real
    around = lines.copy()
    around[:, 0] = 0
    seen = 0.5 * around[:, :-1]
    seen -= 0.25 * around[:, 1:]
    seen[:, 1:] -= 0.25 * around[:, :-2]
    seen[:, 0] -= 0.25 * around[:, 1].conj()
    power = seen.real**2 + seen.imag**2
    power[:, 1:] *= 2
    return np.divide(power, HANN_POWER * mean**2, out=np.zeros_like(power), where=mean > 0)
