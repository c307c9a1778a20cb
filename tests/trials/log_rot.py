"""Cut the log off, and corrupt it, at many places of its end: what is left must be a whole prefix.

Run ``python -m tests.trials.log_rot`` to try every byte of the last 64 KB, or one of so many with ``--each 7``; it says
how far it is.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingest.store import Store
from tests.ingest.conftest import readings_of

LAST = 64 << 10
DELIVERIES = 40
AT_ONCE = 1024
"""Places that one process tries before it says so."""


def prefixes_held(folder: Path, places: int = LAST) -> int:
    """Damage a log at this many places, cut off and with a bit flipped, and return how often the prefix was whole.

    Raises
    ------
    AssertionError
        When a store gave anything but the deliveries that were whole before the place.
    """
    ends, last = made(folder)
    return held_at(folder, ends, [number * last // places for number in range(places)])


def made(folder: Path) -> tuple[list[int], int]:
    """Write a log to damage; return how long it was after each delivery, and how many bytes of its end there are."""
    ends = _write(folder / "whole")
    return ends, min(LAST, (folder / "whole" / "readings.db-wal").stat().st_size)


def held_at(folder: Path, ends: Sequence[int], places: Sequence[int]) -> int:
    """Damage the log at these bytes of its end, each in both ways, and return how often the prefix was whole."""
    content = (folder / "whole" / "readings.db-wal").read_bytes()
    begin, held = max(0, len(content) - LAST), 0
    for place in (begin + each for each in places):
        whole = sum(end <= place for end in ends)
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]):
            with _copy(folder, damaged) as store:
                found = store.read("press").table["a"].to_pylist()
            assert found == [float(each) for each in range(whole)], (place, whole, found)
            held += 1
    return held


def _write(folder: Path) -> list[int]:
    """Write deliveries one by one, and return how long the log was after each."""
    store = Store(folder)
    ends = []
    for number in range(DELIVERIES):
        store.append(readings_of([("m1", float(number), {"a": float(number)})]), source="s", position=f"{number}")
        ends.append((folder / "readings.db-wal").stat().st_size)
    # Not closed: that would move the log into the database.
    shutil.copytree(folder, folder.with_name("kept"))
    store.close()
    shutil.rmtree(folder)
    folder.with_name("kept").rename(folder)
    return ends


@contextmanager
def _copy(folder: Path, log: bytes) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        shutil.copy(folder / "whole" / "readings.db", copy)
        (Path(copy) / "readings.db-wal").write_bytes(log)
        store = Store(Path(copy))
        try:
            yield store
        finally:
            store.close()


def main() -> None:
    """Try them in all processes that there are, and say how far it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=1, help="try each so many bytes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(os.cpu_count()) as processes:
        ends, last = made(Path(scratch))
        places = range(0, last, asked.each)
        pieces = [places[first : first + AT_ONCE] for first in range(0, len(places), AT_ONCE)]
        held = 0
        for each in processes.map(partial(held_at, Path(scratch), ends), pieces):
            held += each
            sys.stderr.write(f"\r{held:,} of {2 * len(places):,}")
        sys.stdout.write(f"\n{held:,} damaged logs, each gave its whole prefix\n")


if __name__ == "__main__":
    main()
