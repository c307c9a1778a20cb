"""One snapshot of a waveform, and what is made of it once for all of its features."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.bearing import DEFECTS, defect_rms, evidence
from features.envelope import Band, best_band, envelope_spectrum
from features.moments import Floats
from features.order import Speed, order_spectrum
from features.spectrum import Fourier, Spectrum, around_mean, spectrum
from features.waveform import Waveform


@dataclass(frozen=True)
class Snapshot:
    """An unbroken run of samples.

    Attributes
    ----------
    waveform : the signal that it is of
    values : shape (n_samples,)
    speed : of its shaft; ``None`` where it is not known
    """

    waveform: Waveform
    values: Floats
    speed: Speed | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.values) / self.waveform.rate

    @cached_property
    def apart(self) -> Floats:
        """Samples less their mean."""
        return around_mean(self.values)

    @cached_property
    def square(self) -> Floats:
        """Squares of ``apart``."""
        return self.apart * self.apart

    @cached_property
    def mean_square(self) -> float:
        """Mean of the squares."""
        # A sum and no dot product: that of BLAS starts threads, and their number changes its last bits.
        return float(self.square.sum() / len(self.square))

    @cached_property
    def peak(self) -> float:
        """Largest distance from the mean."""
        return float(max(self.apart.max(), -self.apart.min()))

    @cached_property
    def fourier(self) -> Fourier:
        """Its Fourier transform."""
        return Fourier.of(self.values, self.waveform.rate)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Its spectrum by frequency."""
        return spectrum(self.fourier)

    @cached_property
    def turns(self) -> float:
        """Mean turns of the shaft a second; NaN where the speed is not known."""
        return np.nan if self.speed is None else self.speed.mean(self.seconds)

    @cached_property
    def orders(self) -> Spectrum | None:
        """Its spectrum by order, where the shaft turned."""
        return None if self.speed is None else order_spectrum(self.values, self.waveform.rate, self.speed)

    @cached_property
    def band(self) -> Band | None:
        """The most impulsive band of its kurtogram."""
        return best_band(self.fourier)

    @cached_property
    def envelope(self) -> Spectrum | None:
        """The squared envelope spectrum of that band."""
        return None if self.band is None else envelope_spectrum(self.fourier, self.band.first, self.band.last)

    @cached_property
    def _evidence(self) -> dict[str, dict[str, float]]:
        return {
            each.name: evidence(self.fourier, each.geometry, self.turns * each.speed_ratio)
            for each in self.waveform.bearings
        }

    def bearing_evidence(self, part: str) -> float:
        """Return the evidence for a defect, named ``BEARING.DEFECT``."""
        bearing, defect = part.rsplit(".", 1)
        return self._evidence[bearing][defect]

    def modulation(self, part: str) -> float:
        """Return the RMS of the lines of a defect, named ``BEARING.DEFECT``, in the envelope of its best band."""
        name, defect = part.rsplit(".", 1)
        bearing = self.waveform.bearing[name]
        if self.envelope is None or not self.turns > 0:
            return np.nan
        return defect_rms(self.envelope, bearing.geometry, self.turns * bearing.speed_ratio, defect)


def defect_parts(waveform: Waveform) -> tuple[str, ...]:
    """Return the parts ``BEARING.DEFECT`` of a waveform's features."""
    return tuple(f"{bearing.name}.{defect}" for bearing in waveform.bearings for defect in DEFECTS)
