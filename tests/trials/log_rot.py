"""Cut the log off, and corrupt it, at many places of its end: what is left must be a whole prefix.

Run ``python -m tests.trials.log_rot`` to try every byte of the last 64 KB.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.store import Store
from tests.ingest.conftest import readings_of

LAST = 64 << 10
DELIVERIES = 40


def prefixes_held(folder: Path, places: int = LAST) -> int:
    """Damage a log at this many places, cut off and with a bit flipped, and return how often the prefix was whole.

    Raises
    ------
    AssertionError
        When a store gave anything but the deliveries that were whole before the place.
    """
    ends = _write(folder / "whole")
    log = folder / "whole" / "readings.db-wal"
    content = log.read_bytes()
    begin = max(0, len(content) - LAST)
    held = 0
    for number in range(places):
        place = begin + number * (len(content) - begin) // places
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.stdout.write(f"{prefixes_held(Path(scratch)):,} damaged logs, each gave its whole prefix\n")
