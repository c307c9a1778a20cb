"""Kill a server that has a full log, start it again, and say how long it takes until it works.

Run ``python -m tests.trials.ready --gigabytes 1``. Nothing of the log is sealed between two kills, so that each start
finds the same log.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.reading import Readings, readings_schema
from ingest.store import Store
from tests.trials.killed_server import Server

MACHINES, SIGNALS, ROWS = 100, 10, 1_000
SECOND = 1_000_000
NAMES = [f"signal_{number}" for number in range(SIGNALS)]
PLANT = f"""\
name = "Full"
[[classes]]
name = "press"
signals = [{", ".join(f'{{ name = "{name}" }}' for name in NAMES)}]
[[machines]]
names = ["machine-0..{MACHINES - 1}"]
class = "press"
"""


def fill(folder: Path, size: int) -> int:
    """Put batches of noise, which no packing makes smaller, into the log until it has this many bytes."""
    random = np.random.default_rng(7)
    machines = pa.array([f"machine-{number % MACHINES}" for number in range(ROWS)])
    store, made = Store(folder), 0
    try:
        while (folder / "readings.db").stat().st_size < size:
            # The server would seal what is old; so would it be in a plant, but it is killed before it can.
            times = (made * ROWS // MACHINES + np.arange(ROWS) // MACHINES) * SECOND + 1_767_225_600 * SECOND
            moments = pa.array(times, pa.timestamp("us", "UTC"))
            columns = {"machine": machines, "time": moments, "arrived": moments}
            columns |= {name: pa.array(random.random(ROWS)) for name in NAMES}
            table = pa.table(columns).cast(readings_schema(tuple(NAMES)))
            store.append(Readings("press", table), source="trial", position=str(made))
            made += 1
    finally:
        store.close()
    return made


def ready(folder: Path, size: int, times: int) -> dict[str, Any]:
    """Return the seconds until the server is ready and until pages are shown, each the median of some starts."""
    (folder / "plant.toml").write_text(PLANT)
    batches = fill(folder / "andon-data", size)
    server = Server(folder)
    waits, pages = [], {"/": [], "/metrics": [], "/api/v1/machines": []}
    for turn in range(times):
        waits.append(server.start())
        page = list(pages)[turn % len(pages)]
        begun = time.perf_counter()
        _asked(server.port, page)
        pages[page].append(time.perf_counter() - begun)
        server.kill()
    return {
        "log_mb": round((folder / "andon-data" / "readings.db").stat().st_size / 1e6),
        "batches": batches,
        "ready_s": round(statistics.median(waits), 2),
        "ready_longest_s": round(max(waits), 2),
        "first_page_s": {page: round(statistics.median(seconds), 2) for page, seconds in pages.items() if seconds},
    }


def _asked(port: int, path: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--times", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = ready(Path(folder), round(arguments.gigabytes * 1e9), arguments.times)
        sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
