"""How fast a year of a fast signal is drawn: ``python -m tests.benchmarks.envelope [--days 365] [--folder KEPT]``.

One machine with a reading a second of two signals, one of two decimals and one of full precision, in the lake as
sealing and merging leave it. A chart of 2,000 pixels asks for the lowest and the highest reading of each part of the
span. *Cold*: a store that was just opened, and the operating system asked to forget the files. Peer, in the same run: a
plain scan of the same column by pyarrow, which decodes it all and takes nothing from it. Prints times and ratios;
asserts none.
"""

import argparse
import os
import statistics
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.reading import TIME, Readings
from ingest.store import Store
from service.series import signal_series

START = datetime(2025, 1, 1, tzinfo=UTC)
PIXELS = 2_000
SIGNALS = ("speed", "load")
GOAL_MILLISECONDS = 200.0


def make(folder: Path, days: int) -> float:
    """Fill a store, and return the readings a second that sealing took."""
    rng, took = np.random.default_rng(1), 0.0
    with closing(Store(folder)) as store:
        for day in range(days):
            seconds = np.arange(86_400) + day * 86_400
            stamps = pa.array(np.datetime64(START.replace(tzinfo=None), "us") + seconds * np.timedelta64(1, "s"))
            columns = {
                "machine": pa.array(["press-1"] * 86_400).dictionary_encode(),
                "time": stamps.cast(TIME),
                "arrived": stamps.cast(TIME),
                "speed": np.round(50 + rng.normal(0, 1, 86_400), 2),
                "load": rng.normal(0, 1, 86_400),
            }
            store.append(Readings("press", pa.table(columns)), source="bench", position=str(day))
            if day % 7 == 6 or day == days - 1:
                begun = perf_counter()
                store.seal()
                took += perf_counter() - begun
    return 2 * 86_400 * days / took


def forget(folder: Path) -> None:
    """Ask the operating system to forget what it holds of the files."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def drawn(folder: Path, signal: str, days: int, *, cold: bool) -> float:
    """Return the milliseconds that a chart takes."""
    with closing(Store(folder)) as store:
        if not cold:
            signal_series(store, "press-1", "press", (signal,), (START, START + timedelta(days=days)), PIXELS)
        else:
            forget(folder)
        begun = perf_counter()
        signal_series(store, "press-1", "press", (signal,), (START, START + timedelta(days=days)), PIXELS)
        return 1000 * (perf_counter() - begun)


def scanned(folder: Path, signal: str) -> float:
    """Return the milliseconds in which pyarrow decodes a column of all files, with time."""
    begun = perf_counter()
    for path in sorted((folder / "lake").rglob("*.parquet")):
        pq.read_table(path, columns=["time", signal])
    return 1000 * (perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        if not (folder / "lake").exists():
            print(f"sealed {make(folder, asked.days) / 1e6:.1f} million readings a second")
        files = list((folder / "lake").rglob("*.parquet"))
        size = sum(each.stat().st_size for each in files)
        print(f"{86_400 * asked.days:,} points a signal, {len(files)} files, {size:,} bytes")
        for signal in SIGNALS:
            peer = statistics.median(scanned(folder, signal) for _ in range(3))
            for cold in (True, False):
                took = statistics.median(drawn(folder, signal, asked.days, cold=cold) for _ in range(5))
                print(
                    f"{signal:6} {'cold' if cold else 'again':6} {took:8.0f} ms (goal {GOAL_MILLISECONDS:.0f})"
                    f"   plain scan {peer:8.0f} ms   ratio {peer / took:6.1f}"
                )


if __name__ == "__main__":
    main()
