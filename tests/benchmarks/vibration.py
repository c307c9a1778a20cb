"""Speed of what is measured of a snapshot: ``python -m tests.benchmarks.vibration [--json] [--quick]``.

A snapshot of 25,000 samples at 25 kHz lies in memory; values a second of processor time on one core, the median
of many runs. The peers are scipy's functions on the same samples in the same run, none of which does all of it:
``welch`` (one Hann segment: the spectrum), ``hilbert`` with a transform of its squares (an envelope spectrum
without a band), and ``rfft`` alone, which is the bound.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from scipy import fft, signal

from features.bearing import Geometry
from features.envelope import best_band, envelope_spectrum
from features.measures import MEASURES
from features.order import Speed
from features.snapshot import Snapshot
from features.spectrum import Fourier, spectrum
from features.usual import WAVEFORM_FEATURES
from features.waveform import Bearing, Waveform

RATE = 25_000.0
SAMPLES = 25_000
GOAL = 20e6
WAVEFORM = Waveform(
    signal="vibration",
    rate=RATE,
    every=timedelta(minutes=10),
    integrations=1,
    speed=25.0,
    bearings=(Bearing(name="drive end", geometry=Geometry(9, 7.94, 39.04)),),
)
TIME_DOMAIN = ("snapshot_rms", "snapshot_peak", "snapshot_crest_factor", "snapshot_kurtosis")
BANDS = (*TIME_DOMAIN, "velocity_rms", "octave_rms")


def measure(values: np.ndarray[Any, np.dtype[np.float64]], names: Sequence[str]) -> Snapshot:
    """Measure a new snapshot, so that nothing is there from before."""
    snapshot = Snapshot(WAVEFORM, values, Speed(np.zeros(1), np.array([25.0])))
    for each in MEASURES:
        for part in each.parts(WAVEFORM) if each.name in names else ():
            each.of(snapshot, part)
    return snapshot


def rows(runs: int) -> Iterator[dict[str, Any]]:
    """Yield what was measured, after the spectrum was found to be welch's."""
    values = np.random.default_rng(1).normal(size=SAMPLES)
    fourier = Fourier.of(values, RATE)
    density = signal.welch(values, RATE, "hann", SAMPLES, detrend="constant")[1]
    np.testing.assert_allclose(spectrum(fourier).power, density * fourier.step, rtol=1e-9, atol=1e-15)

    def in_a_fixed_band() -> None:
        envelope_spectrum(measure(values, BANDS).fourier, 4_000, 6_000)

    def hilbert() -> None:
        fft.rfft(np.abs(signal.hilbert(values)) ** 2)

    peers: dict[str, Callable[[], object]] = {
        "scipy rfft": lambda: fft.rfft(values),
        "scipy welch": lambda: signal.welch(values, RATE, "hann", SAMPLES),
        "scipy hilbert": hilbert,
    }
    speeds = {name: _values_a_second(work, runs) for name, work in peers.items()}
    ours: dict[str, tuple[Callable[[], object], str]] = {
        "time domain": (lambda: measure(values, TIME_DOMAIN), "scipy rfft"),
        "time domain, bands": (lambda: measure(values, BANDS), "scipy welch"),
        "time domain, bands, envelope spectrum of a fixed band": (in_a_fixed_band, "scipy hilbert"),
        "time domain, bands, envelope spectrum of the kurtogram's band": (
            lambda: measure(values, (*BANDS, "envelope_kurtosis")).envelope,
            "scipy hilbert",
        ),
        "kurtogram alone": (lambda: best_band(fourier), "scipy rfft"),
        "evidence of four defects alone": (lambda: measure(values, ("bearing_evidence",)), "scipy rfft"),
        "all that a model takes": (lambda: measure(values, WAVEFORM_FEATURES), "scipy rfft"),
    }
    for name, (work, peer) in ours.items():
        speed = _values_a_second(work, runs)
        goal = GOAL if "envelope" in name else None
        yield {
            "name": name, "value": speed, "unit": "values/s", "goal": goal,
            "peer": peer, "peer_value": speeds[peer], "ratio": speed / speeds[peer],
        }  # fmt: skip


def _values_a_second(work: Callable[[], object], runs: int) -> float:
    work()
    took = []
    for _ in range(runs):
        begin = time.process_time_ns()
        work()
        took.append(time.process_time_ns() - begin)
    return SAMPLES / (statistics.median(took) / 1e9)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    asked = parser.parse_args()
    found = list(rows(20 if asked.quick else 200))
    if asked.json:
        print(json.dumps(found, indent=1))
        return
    for row in found:
        goal = f", goal {row['goal'] / 1e6:.0f} M" if row["goal"] else ""
        peer = f"{row['peer']} {row['peer_value'] / 1e6:.1f} M, ratio {row['ratio']:.2f}"
        print(f"{row['name']}: {row['value'] / 1e6:.1f} M values/s{goal} ({peer})")


if __name__ == "__main__":
    main()
