"""What a damaged bearing sounds like by its geometry, and whether a snapshot sounds so.

A defect makes the machine ring once for each element that passes it, so the squared envelope of some
band has lines at the defect's frequency and its multiples. How surprising such lines are is measured
against the lines beside them, which in a healthy machine are exponentially distributed whatever the
colour of its noise. The frequencies are those of rolling without slip (Randall and Antoni 2011).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from features.envelope import best_band, envelope_spectrum, nested_spectra
from features.moments import Floats
from features.spectrum import Fourier, Spectrum, background, line_rms, without_tones

DEFECTS = ("outer", "inner", "ball", "cage")
SLIP = 0.02
"""Defects are looked for this share below and above their frequency: elements slide, and so does a belt."""
THRESHOLD = 2.5
"""Evidence from which a defect is named; by ``tests.trials.bearings --calibrate`` under 1 % of healthy snapshots."""

_FAMILIES = (
    ("outer", "outer", (1, 2, 3)),
    ("inner", "inner", (1, 2, 3)),
    ("ball", "ball", (2, 4, 6)),
    ("ball", "ball", (1, 2, 3, 4)),
    # The first line of the cage is no sign of its damage: a defect of a ball comes and goes with it.
    ("cage", "cage", (2, 3, 4, 5, 6)),
)
"""Defect, the frequency that its lines are multiples of, and the multiples."""
_CUTS = (1, 2, 4, 8)
_HARMONICS = 3
_WIDTH = 1.25
_LEAST_LINES = 8
_BACKGROUND = 128
_CERTAINTY = 32
"""How many independent lines know the background as well as the median of 128 that overlap."""
_LOUD = 20.0


class Frequencies(NamedTuple):
    """What a bearing does in a second, in Hz: how often a point of each part is passed, or turns.

    Attributes
    ----------
    outer, inner : elements that pass a point of the outer (BPFO) or inner (BPFI) race
    ball : turns of an element about itself (BSF); a defect of it strikes a race twice a turn
    cage : turns of the cage (FTF)
    """

    outer: float
    inner: float
    ball: float
    cage: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """A rolling bearing with a fixed outer race.

    Attributes
    ----------
    elements : number of rolling elements
    ball_diameter, pitch_diameter : of an element, and of the circle of their centres; in one unit, only the
        ratio counts
    contact_angle : in degrees
    """

    elements: int
    ball_diameter: float
    pitch_diameter: float
    contact_angle: float = 0.0

    def frequencies(self, shaft: float) -> Frequencies:
        """Return the frequencies of the bearing on a shaft that turns ``shaft`` times a second.

        Examples
        --------
        >>> found = Geometry(elements=9, ball_diameter=7.94, pitch_diameter=39.04).frequencies(29.95)
        >>> [round(each, 2) for each in found]
        [107.36, 162.19, 70.58, 11.93]
        """
        ratio = self.ball_diameter / self.pitch_diameter * float(np.cos(np.radians(self.contact_angle)))
        return Frequencies(
            outer=self.elements / 2 * shaft * (1 - ratio),
            inner=self.elements / 2 * shaft * (1 + ratio),
            ball=self.pitch_diameter / (2 * self.ball_diameter) * shaft * (1 - ratio**2),
            cage=shaft / 2 * (1 - ratio),
        )


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a snapshot says of a bearing.

    Attributes
    ----------
    defect : one of ``DEFECTS``; empty when there is none or it cannot be said
    evidence : for each defect, see ``evidence``; NaN where it cannot be said
    """

    defect: str
    evidence: Mapping[str, float]

    @property
    def said(self) -> bool:
        """Whether the snapshot was long enough, and the speed known, to say anything."""
        return not all(np.isnan(each) for each in self.evidence.values())


def diagnose(fourier: Fourier, geometry: Geometry, shaft: float) -> Diagnosis:
    """Name the defect of a bearing that a snapshot shows, if any.

    Parameters
    ----------
    shaft : turns of the bearing's shaft a second
    """
    found = evidence(fourier, geometry, shaft)
    known = {name: each for name, each in found.items() if each >= THRESHOLD}
    return Diagnosis(max(known, key=lambda name: known[name]) if known else "", found)


def evidence(fourier: Fourier, geometry: Geometry, shaft: float) -> dict[str, float]:
    """Return, for each defect, −log10 of the chance that a healthy bearing shows its lines as clearly.

    The statistic is the sum of a defect's first lines in the squared envelope spectrum over the median of
    the lines around them, at the best deviation within ±``SLIP`` and in the best of some bands: the most
    impulsive one of the kurtogram, all frequencies, and their halves, quarters and eighths. The chance
    is that of a ratio of gamma-distributed sums, since the background is measured, too, times the number
    of bands, deviations and families that were tried.
    What lies on a multiple of the running speed says nothing, since every shaft and gear modulates so; and
    one loud line counts little more than a clear one, so that a defect is known by all of its lines.

    Returns
    -------
    dict
        0 or more for each of ``DEFECTS``; ``THRESHOLD`` and above is beyond chance. NaN for silence, and where
        the speed is not known, or the snapshot holds fewer than eight periods or is sampled too slowly.
    """
    if not shaft > 0 or not fourier.lines.any():
        return dict.fromkeys(DEFECTS, np.nan)
    frequencies = geometry.frequencies(shaft)
    highest = _HARMONICS * (1 + SLIP) * frequencies.inner + 2 * fourier.step
    heard = _heard(without_tones(fourier), highest)
    found = dict.fromkeys(DEFECTS, np.nan)
    if not len(heard):
        return found
    tried = np.log10([len(heard) * sum(family[0] == defect for family in _FAMILIES) for defect in DEFECTS])
    for defect, line, multiples in _FAMILIES:
        each = _evidence(heard, fourier.step, getattr(frequencies, line), multiples, shaft)
        found[defect] = float(np.fmax(found[defect], each))
    return {name: max(each - more, 0.0) for (name, each), more in zip(found.items(), tried.tolist(), strict=True)}


def _heard(fourier: Fourier, highest: float) -> Floats:
    """Return the lines of the envelope up to a frequency over the background, for each band that reaches so far."""
    count, lines = int(highest / fourier.step) + 1, len(fourier.lines) - 1
    power = [np.empty((0, count))]
    wide = [cut for cut in _CUTS if lines // cut * fourier.step >= _WIDTH * highest]
    if wide:
        power.append(nested_spectra(fourier, max(wide), count))
    best = best_band(fourier, narrowest=_WIDTH * highest)
    if best is not None:
        power.append(envelope_spectrum(fourier, best.first, best.last, count).power[np.newaxis])
    return _over_background(np.concatenate(power))


def _over_background(power: Floats) -> Floats:
    """Return lines over what their neighbours are on average; loud ones are damped."""
    beside = background(power, _BACKGROUND)
    over = np.divide(power, beside, out=np.zeros_like(power), where=beside > 0)
    return np.where(over > _LOUD, _LOUD + 3 * np.log(np.maximum(over, _LOUD) / _LOUD), over)


def _evidence(heard: Floats, step: float, frequency: float, multiples: Sequence[int], shaft: float) -> float:
    """Return the evidence for lines at the multiples of a frequency in the best band; NaN if it is too low to say."""
    from scipy.special import betainc  # loaded late, as in features.spectrum

    if frequency < _LEAST_LINES * step:
        return np.nan
    order = np.array(multiples)
    order = order[order * frequency * (1 + SLIP) < (heard.shape[1] - 1) * step]
    if not len(order):
        return np.nan
    reach = SLIP * order[-1] * frequency / step
    deviation = np.linspace(-SLIP, SLIP, 2 * int(np.ceil(2 * reach)) + 1)
    at = order[:, np.newaxis] * frequency * (1 + deviation)
    turns = np.rint(at / shaft)
    of_shaft = (turns > 0) & (np.abs(at - turns * shaft) < np.maximum(1.5 * step, 0.001 * at))
    lines = np.where(of_shaft, 1.0, heard[:, np.rint(at / step).astype(int)])
    total = lines.sum(axis=1).max()
    chance = betainc(_CERTAINTY, len(order), _CERTAINTY / (_CERTAINTY + total)) * max(2 * reach, 1.0)
    return -float(np.log10(np.clip(chance, 1e-300, 1.0)))


def defect_rms(envelope: Spectrum, geometry: Geometry, shaft: float, defect: str) -> float:
    """Return the RMS of a defect's first three lines in an envelope spectrum, over the envelope's mean.

    It follows the size of a defect, where ``evidence`` says whether there is one. NaN where the lines lie
    beyond the band or too close together.
    """
    line, multiples = next((line, multiples) for name, line, multiples in _FAMILIES if name == defect)
    frequency = getattr(geometry.frequencies(shaft), line)
    if frequency < _LEAST_LINES * envelope.step:
        return np.nan
    lines = [line_rms(envelope, each * frequency, SLIP * each * frequency) for each in multiples[:_HARMONICS]]
    return float(np.sqrt(np.square(lines).sum()))
