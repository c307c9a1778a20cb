"""How soon open dashboards hear of a change: ``python -m tests.benchmarks.live [--json] [--dashboards 500]``.

A server of its own, so many clients that listen to ``GET /api/v1/alerts/stream``, and alerts that another process
raises one after the other. Each row is the time from a commit until clients have the event, over all clients and
events, in milliseconds; then the same of a single client in the same run, and how many times as long the many take. The
clients are one process, so that its own reading of all of them is part of the figure.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ingest.database import Database
from models.finding import Finding
from service.alerts import book
from service.database import open_state

GOAL = 50
"""Milliseconds from commit to 99 in 100 dashboards."""

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "force" }]
[[machines]]
name = "press-1"
class = "press"
"""


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Give the port of a server that runs in a process of its own."""
    (folder / "plant.toml").write_text(PLANT, encoding="utf-8")
    command = [sys.executable, "-m", "service", "--plant", str(folder / "plant.toml"), "serve", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--no-jobs"], env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None
    try:
        yield next(int(found[1]) for line in server.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


class Dashboard:
    """One who listens, and when each event came."""

    def __init__(self) -> None:
        self.came: dict[int, float] = {}

    async def listen(self, port: int, ready: asyncio.Event) -> None:
        """Note when events come, until it is cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET /api/v1/alerts/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self.came[int(line[4:])] = perf_counter()
                    ready.set()
        finally:
            writer.close()


def raised(state: Database, number: int) -> float:
    """Raise an alert, and return when it was committed."""
    now = datetime.now(UTC)
    finding = Finding(
        machine="press-1", kind="anomaly", cause=f"cause {number}", model="a", version="1", begin=now, end=None,
        level=0.9, act_before=now + timedelta(days=1),
    )  # fmt: skip
    with state.write() as connection:
        book.raise_alert(connection, finding, at=now)
    return perf_counter()


async def heard(port: int, state: Database, dashboards: int, events: int, first: int) -> list[float]:
    """Return how long after its commit each client had each event, in seconds."""
    some, ready = [Dashboard() for _ in range(dashboards)], [asyncio.Event() for _ in range(dashboards)]
    tasks = [asyncio.create_task(each.listen(port, done)) for each, done in zip(some, ready, strict=True)]
    for done in ready:
        await asyncio.wait_for(done.wait(), 60)
    begun = [set(each.came) for each in some]
    committed = []
    for number in range(events):
        committed.append(await asyncio.to_thread(raised, state, first + number))
        # Apart by no whole number of looks of the server, so that all phases of its clock are met.
        await asyncio.sleep(0.137)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    waits = []
    for each, before in zip(some, begun, strict=True):
        came = [each.came[line] for line in sorted(set(each.came) - before)]
        assert len(came) == events, f"{len(came)} of {events} events came"
        waits += [at - sent for at, sent in zip(came, committed, strict=True)]
    return waits


def rows(dashboards: int, events: int) -> list[dict[str, Any]]:
    """Measure a single client and many."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as port,
        closing(open_state(Path(folder) / "andon-data" / "state.db")) as state,
    ):
        one = np.array(asyncio.run(heard(port, state, 1, events, 0))) * 1000
        many = np.array(asyncio.run(heard(port, state, dashboards, events, events))) * 1000
    found = []
    for share in (0.5, 0.99):
        alone, all_of_them = float(np.quantile(one, share)), float(np.quantile(many, share))
        name = f"{dashboards} dashboards, {100 * share:g} in 100"
        found.append({"name": name, "ms": all_of_them, "one_ms": alone, "times": all_of_them / alone, "goal": GOAL})
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dashboards", type=int, default=500)
    parser.add_argument("--events", type=int, default=60)
    asked = parser.parse_args()
    found = rows(asked.dashboards, asked.events)
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for row in found:
        told = f"{row['ms']:>8.1f} ms, one {row['one_ms']:>7.1f} ms, {row['times']:.1f} times"
        sys.stdout.write(f"{row['name']:<30} {told}\n")


if __name__ == "__main__":
    main()
