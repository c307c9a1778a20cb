"""Vibration of a bearing as the physics makes it: what trials and tests of the diagnosis listen to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from features.bearing import Geometry

Floats = NDArray[np.float64]
RATE = 25_600.0
DEFECTS = ("outer", "inner", "ball", "cage")
GEOMETRIES = (
    Geometry(elements=9, ball_diameter=7.94, pitch_diameter=39.04, contact_angle=0.0),  # as in a 6205
    Geometry(elements=16, ball_diameter=8.407, pitch_diameter=71.501, contact_angle=15.17),
    Geometry(elements=13, ball_diameter=11.1, pitch_diameter=54.0, contact_angle=9.0),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One snapshot to listen to: the shaft turns at ``shaft`` Hz, and the sensor hears noise ``snr`` dB louder."""

    geometry: Geometry
    shaft: float
    snr: float = -10.0
    seconds: float = 1.0
    jitter: float = 0.01


def damaged(defect: str, trial: Trial, random: np.random.Generator) -> Floats:
    """Return a snapshot of a bearing with a defect: impulses that slip, through a resonance, in white noise.

    The true frequency differs from that of the geometry by up to 1 %, because real elements slide.
    """
    heard = impulses(defect, trial, random)
    noise = random.normal(size=len(heard))
    return heard * (np.sqrt(10 ** (trial.snr / 10)) / heard.std()) + noise


def impulses(defect: str, trial: Trial, random: np.random.Generator) -> Floats:
    """Return the ringing alone, of any strength."""
    n = round(trial.seconds * RATE)
    frequencies = trial.geometry.frequencies(trial.shaft)
    rate = {"outer": frequencies.outer, "inner": frequencies.inner, "cage": frequencies.cage}.get(
        defect, 2 * frequencies.ball
    ) * random.uniform(0.99, 1.01)
    steps = random.normal(1, trial.jitter, size=int(trial.seconds * rate * 1.2) + 20) / rate
    times = np.cumsum(steps) - random.uniform(0, 1) / rate - steps[0]
    carrier = {"inner": trial.shaft, "ball": frequencies.cage}.get(defect)
    strength = 1 + random.normal(0, 0.1, size=len(times))
    if carrier is not None:
        depth, phase = random.uniform(0.5, 0.95), random.uniform(0, 2 * np.pi)
        strength *= 1 + depth * np.cos(2 * np.pi * carrier * times + phase)
    inside = (times >= 0) & (times < n / RATE - 1 / RATE)
    train = np.zeros(n)
    np.add.at(train, (times[inside] * RATE).astype(int), strength[inside])
    resonance, damping = random.uniform(2_000, 9_000), random.uniform(0.02, 0.06)
    pole = np.exp(2 * np.pi * resonance / RATE * (-damping + 1j * np.sqrt(1 - damping**2)))
    return lfilter([0, pole.imag], [1, -2 * pole.real, abs(pole) ** 2], train)


def healthy(kind: str, trial: Trial, random: np.random.Generator) -> Floats:
    """Return a snapshot of no defect: ``white`` or ``coloured`` noise, ``tones`` of shaft and gear, or ``knocks``."""
    n = round(trial.seconds * RATE)
    noise = random.normal(size=n)
    if kind == "white":
        return noise
    if kind == "coloured":
        pole = random.uniform(0.6, 0.95) * np.exp(1j * random.uniform(0, np.pi))
        return lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], noise) + 0.3 * random.normal(size=n)
    seconds = np.arange(n) / RATE
    if kind == "tones":
        teeth = int(random.integers(17, 60))
        orders = [1, 2, 3, 4, *(teeth * k + side for k in (1, 2) for side in (-2, -1, 0, 1, 2))]
        for order in orders:
            strength, phase = random.exponential(0.7), random.uniform(0, 2 * np.pi)
            noise += strength * np.sin(2 * np.pi * order * trial.shaft * seconds + phase)
        return noise * (1 + 0.2 * np.cos(2 * np.pi * trial.shaft * seconds))
    train = np.zeros(n)
    at = random.integers(0, n, size=random.poisson(20 * trial.seconds))
    np.add.at(train, at, random.exponential(8, size=len(at)) * random.choice([-1, 1], size=len(at)))
    pole = np.exp(2 * np.pi * random.uniform(1_000, 9_000) / RATE * (-0.03 + 1j))
    return noise + lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], train)
