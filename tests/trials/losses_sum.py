"""Thousands of random histories, each second of which must lie in one bucket: ``python -m tests.trials.losses_sum``.

Each history is compared, row by row and to the microsecond, with a ledger that looks at one moment after the other
(``tests/features/slow_ledger.py``); then OEE with PRI × GQ / PBT and with A × E × QR. A third of them hold the day on
which clocks go forward, a third the one on which they go back.
"""

import argparse
import sys
from collections import Counter

import numpy as np

from models.efficiency.oee import oee_of
from tests.features.checked_history import checked_history


def main() -> None:
    """Check histories, and say how many there were of which kind; ends with 1 at the first that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first history")
    arguments = parser.parse_args()
    kinds: Counter[str] = Counter()
    for number in range(arguments.first, arguments.first + arguments.histories):
        chance = np.random.default_rng(number)
        try:
            table = checked_history(lambda low, high, chance=chance: int(chance.integers(low, high, endpoint=True)))
        except AssertionError as error:
            sys.exit(f"history {number}: {error}")
        figures = oee_of(table)
        kinds["histories"] += 1
        kinds["with an OEE"] += figures.oee is not None
        kinds["no planned busy time"] += figures.busy == 0
        kinds["not rated"] += figures.unrated > 0
        kinds["effectiveness above 1"] += (figures.effectiveness or 0) > 1
        kinds["rows"] += len(table)
    for name, count in kinds.items():
        sys.stdout.write(f"{name}: {count:,}\n")
    sys.stdout.write("all equal to the microsecond\n")


if __name__ == "__main__":
    main()
