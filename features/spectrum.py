"""The spectrum of a snapshot: where its energy lies, by frequency.

A snapshot is an unbroken run of samples at one rate, shape (n_samples,). It is looked at through one
periodic Hann window, so that a strong line leaks nothing into far ones, and the power of a line is its
share of the mean square: the sum over a band is the mean square of what lies in that band. A steady
sine covers the line nearest to it and two on each side.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats

HANN_POWER = 3 / 8
"""Mean square of the Hann window."""
CLEAR = 8.0
"""A line of so many times the mean of its neighbours is one in 3,000 of noise."""
BLOCK = 64
LOBE = 2
"""Lines on each side of a steady sine that hold some of its power."""


@dataclass(frozen=True, slots=True)
class Fourier:
    """The Fourier transform of a snapshot without its mean; everything else is made of it.

    Attributes
    ----------
    lines : complex, shape (n // 2 + 1,)
    n : number of samples
    rate : samples a second
    """

    lines: NDArray[np.complex128]
    n: int
    rate: float

    @classmethod
    def of(cls, values: Floats, rate: float) -> "Fourier":
        """Transform a snapshot, shape (n_samples,)."""
        from scipy import fft  # takes longer to load than all features of other signals need

        return cls(fft.rfft(around_mean(values)), len(values), rate)

    @property
    def step(self) -> float:
        """From one line to the next, in Hz: one over the length of the snapshot."""
        return self.rate / self.n


def around_mean(values: Floats) -> Floats:
    """Return values less their mean, measured from the first one so that equal values give exactly 0."""
    apart: Floats = values - values[0]
    apart -= apart.mean()
    return apart


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Mean square by frequency.

    Attributes
    ----------
    power : mean square of each line, in the square of the snapshot's unit, shape (n_lines,)
    step : from one line to the next, in Hz; line i lies at i × step
    """

    power: Floats
    step: float

    @property
    def frequency(self) -> Floats:
        """Frequency of each line in Hz, shape (n_lines,)."""
        return np.arange(len(self.power), dtype=np.float64) * self.step

    def between(self, low: float, high: float) -> slice:
        """Return the lines of low ≤ f < high, in Hz; a line on an edge belongs to the upper band."""
        nearly = 1e-9
        return slice(max(int(np.ceil(low / self.step - nearly)), 0), max(int(np.ceil(high / self.step - nearly)), 0))


def spectrum(fourier: Fourier) -> Spectrum:
    """Return the spectrum of a snapshot through a periodic Hann window.

    The window is applied to the lines: each becomes half of itself less a quarter of both neighbours.

    Examples
    --------
    >>> seconds = np.arange(1000) / 1000
    >>> found = spectrum(Fourier.of(np.sin(2 * np.pi * 50 * seconds), 1000.0))
    >>> found.power.sum().round(9), found.power[48:53].sum().round(9)
    (np.float64(0.5), np.float64(0.5))
    """
    power = hann_power(fourier.lines, fourier.n) / (fourier.n**2 * HANN_POWER)
    return Spectrum(power, fourier.step)


def hann_power(lines: NDArray[np.complex128], n: int) -> Floats:
    """Return the squared amplitude of each line under a Hann window, both signs of frequency taken together."""
    beyond = lines[-2 if n % 2 == 0 else -1].conj()
    padded = np.concatenate([[lines[1].conj()], lines, [beyond]])
    seen = 0.5 * padded[1:-1]
    seen -= 0.25 * padded[:-2]
    seen -= 0.25 * padded[2:]
    power = seen.real**2 + seen.imag**2
    power[1 : (n + 1) // 2] *= 2
    return power


def background(power: Floats, lines: int) -> Floats:
    """Return what each line would be by its neighbours, by medians of blocks of so many lines.

    The median of exponentially distributed lines is ln 2 of their mean; steady sines move it little.

    Parameters
    ----------
    power : shape (n_spectra, n_lines)
    """
    count = power.shape[1]
    lines = min(lines, count)
    blocks = count // lines
    # A sort of short blocks is quicker than a search for their medians.
    ordered = np.sort(power[:, : blocks * lines].reshape(len(power), blocks, lines), axis=2)
    medians = (ordered[:, :, (lines - 1) // 2] + ordered[:, :, lines // 2]) / 2
    place, middle = np.arange(count), (np.arange(blocks) + 0.5) * lines - 0.5
    return np.array([np.interp(place, middle, each) for each in medians]).reshape(power.shape) / np.log(2)


def without_tones(fourier: Fourier) -> Fourier:
    """Return the transform with each line at most ``CLEAR`` times as strong as its neighbours.

    Shafts, gears and mains hum in steady sines, each of them a few loud lines; a bearing that slips does not.
    """
    power = fourier.lines.real**2 + fourier.lines.imag**2
    (most,) = CLEAR * background(power[np.newaxis], BLOCK)
    loud = power > most
    lines = fourier.lines.copy()
    lines[loud] *= np.sqrt(most[loud] / power[loud])
    return replace(fourier, lines=lines)


def band_rms(spectrum: Spectrum, low: float, high: float) -> float:
    """Return the RMS of what lies in low ≤ f < high, in the snapshot's unit; neighbouring bands share nothing."""
    return float(np.sqrt(spectrum.power[spectrum.between(low, high)].sum()))


def velocity_rms(spectrum: Spectrum, integrations: int, low: float = 10.0, high: float = 1000.0) -> float:
    """Return the RMS of the velocity in low ≤ f ≤ high, in the snapshot's unit times seconds (per integration).

    Integration is a division by 2πf, line by line. Lines spread a sine over its neighbours, where the
    divisor differs; this is undone to the second order, so that a sine well inside the band gives its true velocity.

    Parameters
    ----------
    integrations : 1 for an acceleration, 0 for a velocity, −1 for a displacement

    Returns
    -------
    float
        NaN where the snapshot is too short to tell ``low`` from a drift: fewer than two periods of it.
    """
    if low < 2 * spectrum.step:
        return np.nan
    lines = spectrum.between(low, high + 0.5 * spectrum.step)
    frequency = np.arange(lines.start, min(lines.stop, len(spectrum.power))) * spectrum.step
    exponent = -2 * integrations
    spread = exponent * (exponent - 1) / 6 * (spectrum.step / frequency) ** 2
    weight = (2 * np.pi * frequency) ** exponent * (1 - spread)
    return float(np.sqrt((spectrum.power[lines] * weight).sum()))


def centroid(spectrum: Spectrum) -> float:
    """Return the mean frequency, weighted by power, in Hz; NaN for silence."""
    return _per(float((spectrum.frequency * spectrum.power).sum()), float(spectrum.power.sum()))


def spread(spectrum: Spectrum) -> float:
    """Return the standard deviation of frequency about the centroid, weighted by power, in Hz; NaN for silence."""
    apart = spectrum.frequency - centroid(spectrum)
    return float(np.sqrt(_per(float((apart * apart * spectrum.power).sum()), float(spectrum.power.sum()))))


@lru_cache(maxsize=16)
def octave_bands(nyquist: float) -> dict[str, tuple[float, float]]:
    """Return the octave bands that lie below a frequency, by nominal centre: 31.5 Hz to 16 kHz.

    Exact centres are 1000 × 10^(0.3 k) Hz and edges 10^±0.15 of them (IEC 61260-1, base ten).

    Examples
    --------
    >>> list(octave_bands(800.0))
    ['31.5Hz', '63Hz', '125Hz', '250Hz', '500Hz']
    """
    nominal = ("31.5", "63", "125", "250", "500", "1000", "2000", "4000", "8000", "16000")
    exact = {f"{name}Hz": 1000 * 10 ** (0.3 * (place - 5)) for place, name in enumerate(nominal)}
    bands = {name: (centre * 10**-0.15, centre * 10**0.15) for name, centre in exact.items()}
    return {name: band for name, band in bands.items() if band[1] <= nyquist}


def peaks(spectrum: Spectrum, count: int) -> list[tuple[float, float]]:
    """Return the strongest peaks as (frequency in Hz, amplitude of the sine), strongest first.

    The frequency is that of a steady sine between the lines, from the ratio of the two largest ones under
    a Hann window; the amplitude comes from the five lines about the peak.
    """
    power = spectrum.power
    above = (power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])
    places = np.flatnonzero(above) + 1
    strongest = places[np.argsort(power[places], kind="stable")[::-1][:count]]
    return [(_between_lines(power, place) * spectrum.step, np.sqrt(2) * _line(power, place)) for place in strongest]


def line_rms(spectrum: Spectrum, frequency: float, within: float) -> float:
    """Return the RMS of the strongest steady sine in frequency ± within, in Hz; NaN where there are no such lines."""
    first = max(int(np.ceil((frequency - within) / spectrum.step)), 1)
    last = int((frequency + within) / spectrum.step)
    nearest = max(round(frequency / spectrum.step), 1)
    first, last = min(first, nearest), max(last, nearest)
    if last + LOBE >= len(spectrum.power):
        return np.nan
    return _line(spectrum.power, first + int(np.argmax(spectrum.power[first : last + 1])))


def _line(power: Floats, place: int) -> float:
    return float(np.sqrt(power[max(place - LOBE, 0) : place + LOBE + 1].sum()))


def _between_lines(power: Floats, place: int) -> float:
    side = 1 if power[place + 1] >= power[place - 1] else -1
    ratio = float(np.sqrt(power[place + side] / power[place]))
    return float(place + side * (2 * ratio - 1) / (1 + ratio))


def _per(total: float, weight: float) -> float:
    return total / weight if weight > 0 else np.nan
