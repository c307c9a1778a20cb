"""Name the defects of simulated bearings, and count how often a healthy one is flagged.

``python -m tests.trials.bearings [--runs 200] [--seed 1] [--loudness -10 -13]`` prints a table for each defect,
loudness and speed, and one for the kinds of healthy vibration. ``--calibrate`` prints the evidence that healthy
bearings reach, by which ``features.bearing.THRESHOLD`` was chosen; its seeds are others than those of the table.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from features.bearing import DEFECTS, THRESHOLD, diagnose, evidence
from features.spectrum import Fourier
from tests.features.bearing_signals import GEOMETRIES, RATE, Trial, damaged, healthy

SPEEDS = (600.0, 900.0, 1500.0, 2940.0)
LOUDNESS = (-5.0, -10.0, -13.0, -16.0)
KINDS = ("white", "coloured", "tones", "knocks")
TURNS = 25
CALIBRATION = 1_000_000
"""Added to a seed for the calibration."""


def seconds(rpm: float) -> float:
    """Return how long a snapshot should be: a second, and no less than 25 turns, so that the cage turns eight times."""
    return max(1.0, TURNS * 60 / rpm)


def named(defect: str, rpm: float, snr: float, runs: int, seed: int) -> Counter[str]:
    """Return how often each defect was named, or none (empty)."""
    found: Counter[str] = Counter()
    for run in range(runs):
        random = np.random.default_rng([seed, DEFECTS.index(defect), run])
        trial = Trial(GEOMETRIES[run % len(GEOMETRIES)], rpm / 60, snr=snr, seconds=seconds(rpm))
        found[diagnose(Fourier.of(damaged(defect, trial, random), RATE), trial.geometry, trial.shaft).defect] += 1
    return found


def most_evidence(kind: str, runs: int, seed: int) -> Iterator[float]:
    """Yield the largest evidence that each healthy snapshot shows, at speeds from 600 to 3000 rpm."""
    for run in range(runs):
        random = np.random.default_rng([seed, KINDS.index(kind), run])
        rpm = random.uniform(600, 3000)
        trial = Trial(GEOMETRIES[run % len(GEOMETRIES)], rpm / 60, seconds=seconds(rpm))
        fourier = Fourier.of(healthy(kind, trial, random), RATE)
        yield float(np.nanmax(list(evidence(fourier, trial.geometry, trial.shaft).values())))


def table(runs: int, seed: int, loudness: Sequence[float] = LOUDNESS) -> Iterator[str]:
    """Yield the lines of the tables."""
    yield f"| dB | rpm | {' | '.join(DEFECTS)} | all | none named | another named |"
    yield "|---|---|" + "---|" * (len(DEFECTS) + 3)
    for snr in loudness:
        for rpm in SPEEDS:
            found = {defect: named(defect, rpm, snr, runs, seed) for defect in DEFECTS}
            right = [found[defect][defect] / runs for defect in DEFECTS]
            silent = sum(each[""] for each in found.values()) / runs / len(DEFECTS)
            shares = [*right, float(np.mean(right)), silent, abs(1 - float(np.mean(right)) - silent)]
            yield f"| {snr:g} | {rpm:g} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"
    yield ""
    yield "| healthy | snapshots | flagged |"
    yield "|---|---|---|"
    for kind in KINDS:
        flagged = sum(each >= THRESHOLD for each in most_evidence(kind, 4 * runs, seed))
        yield f"| {kind} | {4 * runs} | {flagged / (4 * runs):.2%} |"


def calibration(runs: int, seed: int) -> Iterator[str]:
    """Yield the evidence that shares of healthy snapshots stay below."""
    shares = (0.9, 0.99, 0.995, 0.999)
    yield (
        "| healthy | snapshots | " + " | ".join(f"{share:.1%} below" for share in shares) + f" | {THRESHOLD} and more |"
    )
    yield "|---|---|" + "---|" * (len(shares) + 1)
    for kind in KINDS:
        found = np.array(list(most_evidence(kind, runs, seed + CALIBRATION)))
        below = " | ".join(f"{each:.2f}" for each in np.quantile(found, shares))
        yield f"| {kind} | {runs} | {below} | {(found >= THRESHOLD).mean():.2%} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Name the defects of simulated bearings.")
    parser.add_argument("--runs", type=int, default=200, help="snapshots of each row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loudness", type=float, nargs="+", default=LOUDNESS, help="of defects over the noise, in dB")
    parser.add_argument("--calibrate", action="store_true", help="print the evidence of healthy bearings only")
    asked = parser.parse_args(arguments)
    lines = calibration(asked.runs, asked.seed) if asked.calibrate else table(asked.runs, asked.seed, asked.loudness)
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
