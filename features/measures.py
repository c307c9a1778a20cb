"""What is measured of a snapshot: one row each, which the catalogue of features takes over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.snapshot import Snapshot, defect_parts
from features.spectrum import band_rms, centroid, line_rms, octave_bands, peaks, spread, velocity_rms
from features.waveform import Waveform

HARMONICS = (1, 2, 3, 4)
ORDERS = (0.5, 1, 2, 3)
NEAR = 0.02
"""Share of its frequency within which the line of a harmonic is looked for; of an order, half of it."""

WHOLE = ("",)
"""One number for the snapshot as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that is measured of a snapshot.

    Attributes
    ----------
    words : how a sentence names it; ``{part}`` is filled in
    unit : ``{unit}`` stands for the signal's
    parts : what of a waveform it is measured of: bands, multiples, defects; empty where it cannot be
    of : the number for a snapshot and one of its parts; NaN where it cannot be said
    source : who defined it, where the formula is not all there is to say
    """

    name: str
    tells: Literal["spread", "shape"]
    words: str
    formula: str
    unit: str
    meaning: str
    parts: Callable[[Waveform], tuple[str, ...]]
    of: Callable[[Snapshot, str], float]
    source: str = ""


def band_name(low: float, high: float) -> str:
    """Return how a band is called in a column's name."""
    return f"{low:g}-{high:g}Hz"


def _whole(waveform: Waveform) -> tuple[str, ...]:
    del waveform
    return WHOLE


def _octaves(waveform: Waveform) -> tuple[str, ...]:
    return tuple(octave_bands(waveform.rate / 2))


def _multiples(numbers: tuple[float, ...]) -> Callable[[Waveform], tuple[str, ...]]:
    names = tuple(f"{number:g}x" for number in numbers)
    return lambda waveform: names if waveform.knows_speed else ()


def _number(part: str) -> float:
    return float(part.removesuffix("x"))


def _band(snapshot: Snapshot, part: str) -> float:
    low, high = next(band for band in snapshot.waveform.bands if band_name(*band) == part)
    return band_rms(snapshot.spectrum, low, high)


def _velocity(snapshot: Snapshot, part: str) -> float:
    del part
    waveform = snapshot.waveform
    return velocity_rms(snapshot.spectrum, waveform.integrations or 0) * waveform.velocity_unit


def _harmonic(snapshot: Snapshot, part: str) -> float:
    frequency = _number(part) * snapshot.turns
    return line_rms(snapshot.spectrum, frequency, NEAR * frequency) if frequency > 0 else np.nan


def _order(snapshot: Snapshot, part: str) -> float:
    number, orders = _number(part), snapshot.orders
    return np.nan if orders is None else line_rms(orders, number, NEAR / 2 * number)


def _peak(snapshot: Snapshot, which: int) -> float:
    found = peaks(snapshot.spectrum, 1) if snapshot.mean_square > 0 else []
    return found[0][which] if found else np.nan


def _over_rms(snapshot: Snapshot, number: float) -> float:
    return number / np.sqrt(snapshot.mean_square) if snapshot.mean_square > 0 else np.nan


def _kurtosis(snapshot: Snapshot) -> float:
    if not snapshot.mean_square > 0:
        return np.nan
    fourth = (snapshot.square * snapshot.square).sum()
    return float(fourth / len(snapshot.square) / snapshot.mean_square**2 - 3)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="snapshot_rms",
        tells="spread",
        words="RMS of the waveform",
        formula="√(Σ (x − m)² / n)",
        unit="{unit}",
        meaning="Energy of the vibration or current ripple; the first thing that any damage raises.",
        parts=_whole,
        of=lambda snapshot, part: float(np.sqrt(snapshot.mean_square)),
    ),
    Measure(
        name="snapshot_peak",
        tells="spread",
        words="peak of the waveform",
        formula="max |x − m|",
        unit="{unit}",
        meaning="The strongest impact.",
        parts=_whole,
        of=lambda snapshot, part: snapshot.peak,
    ),
    Measure(
        name="snapshot_crest_factor",
        tells="shape",
        words="crest factor of the waveform",
        formula="max |x − m| / √(Σ (x − m)² / n); NaN when silent",
        unit="",
        meaning="1.41 for a sine, 4 to 5 for noise; impacts of early bearing damage raise it, wear lowers it again.",
        parts=_whole,
        of=lambda snapshot, part: _over_rms(snapshot, snapshot.peak),
    ),
    Measure(
        name="snapshot_kurtosis",
        tells="shape",
        words="kurtosis of the waveform",
        formula="Σ (x − m)⁴ / n / σ⁴ − 3; NaN when silent",
        unit="",
        meaning="−1.5 for a sine, 0 for noise; high with rare impacts.",
        parts=_whole,
        of=lambda snapshot, part: _kurtosis(snapshot),
    ),
    Measure(
        name="velocity_rms",
        tells="spread",
        words="velocity RMS 10–1000 Hz",
        formula="√(Σ P(f) / (2πf)²), 10 Hz ≤ f ≤ 1000 Hz, P the Hann spectrum of the acceleration; that a sine covers"
        " several lines is undone",
        unit="mm/s",
        meaning="Severity as in ISO 20816: unbalance, misalignment, looseness. Of accelerations, velocities, ways.",
        parts=lambda waveform: () if waveform.integrations is None else WHOLE,
        of=_velocity,
        source="ISO 20816-1",
    ),
    Measure(
        name="spectral_centroid",
        tells="shape",
        words="spectral centroid",
        formula="c = Σ f P(f) / Σ P(f)",
        unit="Hz",
        meaning="Where the energy lies; damage of bearings and lack of oil move it up.",
        parts=_whole,
        of=lambda snapshot, part: centroid(snapshot.spectrum),
    ),
    Measure(
        name="spectral_spread",
        tells="shape",
        words="spectral spread",
        formula="√(Σ (f − c)² P(f) / Σ P(f))",
        unit="Hz",
        meaning="Narrow when one line rules, wide for noise.",
        parts=_whole,
        of=lambda snapshot, part: spread(snapshot.spectrum),
    ),
    Measure(
        name="peak_frequency",
        tells="shape",
        words="frequency of the strongest line",
        formula="f of max P(f), between lines by the ratio of its neighbours",
        unit="Hz",
        meaning="What rules: shaft, blades, gear mesh, mains, resonance.",
        parts=_whole,
        of=lambda snapshot, part: _peak(snapshot, 0),
    ),
    Measure(
        name="peak_amplitude",
        tells="spread",
        words="amplitude of the strongest line",
        formula="√(2 Σ P(f)) over the peak's five lines",
        unit="{unit}",
        meaning="How strong it is.",
        parts=_whole,
        of=lambda snapshot, part: _peak(snapshot, 1),
    ),
    Measure(
        name="octave_rms",
        tells="spread",
        words="RMS of the octave at {part}",
        formula="√(Σ P(f)) between 1000 × 10^(0.3k ± 0.15) Hz (IEC 61260-1), 31.5 Hz to 16 kHz, below half the rate",
        unit="{unit}",
        meaning="Where the energy grows: low for unbalance, middle for gears, high for bearings.",
        parts=_octaves,
        of=lambda snapshot, part: band_rms(snapshot.spectrum, *octave_bands(snapshot.waveform.rate / 2)[part]),
        source="IEC 61260-1",
    ),
    Measure(
        name="band_rms",
        tells="spread",
        words="RMS in {part}",
        formula="√(Σ P(f)) over each band in `bands` of the signal",
        unit="{unit}",
        meaning="A band that somebody knows: a gear mesh, a resonance, the slip of a motor.",
        parts=lambda waveform: tuple(band_name(*band) for band in waveform.bands),
        of=_band,
    ),
    Measure(
        name="harmonic_rms",
        tells="spread",
        words="RMS at {part} running speed",
        formula="√(Σ P(f)) over five lines about the strongest one within 2 % of 1, 2, 3, 4 times the speed",
        unit="{unit}",
        meaning="1x unbalance, 2x misalignment, many of them looseness.",
        parts=_multiples(HARMONICS),
        of=_harmonic,
    ),
    Measure(
        name="order_rms",
        tells="spread",
        words="RMS of order {part}",
        formula="as `harmonic_rms` at 0.5, 1, 2, 3 times the speed, after resampling to equal angles of the shaft",
        unit="{unit}",
        meaning="The same where the speed changes during a snapshot; 0.5x is a rub or a loose bearing.",
        parts=_multiples(ORDERS),
        of=_order,
    ),
    Measure(
        name="envelope_kurtosis",
        tells="shape",
        words="kurtosis of the most impulsive band",
        formula="max over bands of mean |z|⁴ / (mean |z|²)² − 2, z their complex envelopes (kurtogram, Antoni 2007)",
        unit="",
        meaning="0 for noise; impacts that are lost in the noise of all frequencies show in one band first.",
        parts=_whole,
        of=lambda snapshot, part: np.nan if snapshot.band is None else snapshot.band.kurtosis,
        source="Antoni, Mechanical Systems and Signal Processing 21 (2007)",
    ),
    Measure(
        name="bearing_evidence",
        tells="shape",
        words="evidence for damage: {part}",
        formula="−log10 of the chance that a healthy bearing shows the lines of BPFO, BPFI, BSF or FTF so clearly",
        unit="",
        meaning="0 to 1 is chance; 2.5 and more names the defect (`outer`, `inner`, `ball`, `cage`).",
        parts=lambda waveform: defect_parts(waveform) if waveform.knows_speed else (),
        of=lambda snapshot, part: snapshot.bearing_evidence(part),
    ),
    Measure(
        name="bearing_modulation",
        tells="shape",
        words="modulation by {part}",
        formula="RMS of the defect's lines in the squared envelope spectrum of the most impulsive band, over its mean",
        unit="",
        meaning="How large the damage is, once it is known to be there.",
        parts=lambda waveform: defect_parts(waveform) if waveform.knows_speed else (),
        of=lambda snapshot, part: snapshot.modulation(part),
    ),
)

MEASURE: dict[str, Measure] = {measure.name: measure for measure in MEASURES}
