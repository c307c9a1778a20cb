"""Plant each kind of fault on each kind of signal, and grade honest signals: what is found, and what is named.

Run ``python -m tests.trials.grades --seeds 20 --clean-seeds 5``. It prints, for each fault and signal, of how many
series the fault was the first reason, and how many were graded down; and how many findings clean series have.
"""

import argparse
import sys
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.quality.grade import grade
from tests.ingest.quality_signals import CLEAN, FAULTY, NOISY

CLEAN_SIGNALS = 20


@dataclass(slots=True)
class Row:
    """What became of one kind of fault, by kind of signal: planted, named first, graded down, and named instead."""

    code: str
    planted: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    lowered: Counter[str] = field(default_factory=Counter)
    instead: Counter[str] = field(default_factory=Counter)

    def line(self, kinds: Sequence[str]) -> str:
        """Return it as one line of the table."""
        cells = " ".join(f"{self.first[each]:>3}/{self.planted[each]:<3}" for each in kinds)
        planted, instead = self.planted.total(), ", ".join(f"{name} {n}" for name, n in self.instead.most_common(3))
        totals = f"{self.first.total():>4}/{planted:<4} {self.lowered.total():>4}/{planted:<4}"
        return f"{self.code:16} {totals} {cells}  {instead}".rstrip()


def plant_faults(seeds: int, *, offset: int = 0, codes: Sequence[str] = (), kinds: Sequence[str] = NOISY) -> list[Row]:
    """Return a row of each kind of fault; the same seeds give the same series in every run."""
    rows = []
    for code in codes or FAULTY:
        row = Row(code)
        for kind in kinds:
            for seed in range(offset, offset + seeds):
                chance = np.random.default_rng([seed, zlib.crc32(f"{code} {kind}".encode())])
                found = grade(FAULTY[code](chance, CLEAN[kind](chance)))
                reason = found.reasons[0] if found.faults else "nothing"
                row.planted[kind] += 1
                row.first[kind] += reason == code
                row.lowered[kind] += found.number < 100
                if reason != code:
                    row.instead[reason] += 1
        rows.append(row)
    return rows


def clean_findings(seeds: int, *, offset: int = 0, signals: int = CLEAN_SIGNALS) -> list[str]:
    """Return what is found in signals without any fault, ``signals`` of them a seed, 30 days each."""
    kinds = list(CLEAN)
    found = []
    for seed in range(offset, offset + seeds):
        for number in range(signals):
            kind = kinds[number % len(kinds)]
            graded = grade(CLEAN[kind](np.random.default_rng([seed, number])))
            found += [f"{kind}, seed {seed}, signal {number}: {each.code}, {each.detail}" for each in graded.faults]
    return found


def main() -> None:
    """Print the table and the findings in clean series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="series of each fault and kind of signal")
    parser.add_argument("--clean-seeds", type=int, default=10, help="times 20 signals without fault")
    parser.add_argument("--offset", type=int, default=0, help="first seed")
    parser.add_argument("--faults", nargs="*", default=[], choices=list(FAULTY), help="only these")
    given = parser.parse_args()
    begun = time.perf_counter()
    _say(f"{'fault':16} {'first':>9} {'lowered':>9} {' '.join(f'{each[:7]:7}' for each in NOISY)}  named instead")
    for row in plant_faults(given.seeds, offset=given.offset, codes=given.faults):
        _say(row.line(NOISY))
    found = clean_findings(given.clean_seeds, offset=given.offset)
    _say(f"clean: {given.clean_seeds} × {CLEAN_SIGNALS} signals × 30 days: {len(found)} findings")
    for each in found:
        _say(f"  {each}")
    _say(f"{time.perf_counter() - begun:.0f} s")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
