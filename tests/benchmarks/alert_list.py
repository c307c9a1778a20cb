"""How soon alerts are listed: ``python -m tests.benchmarks.alert_list [--json] [--alerts 100000] [--open 1000]``.

A book of many alerts of a thousand machines, of which some are open. Each row is one way to ask ``GET /api/v1/alerts``
(and the page of alerts), through the whole application but without a network; median and 99th percentile of repeats, in
milliseconds, and how many times as long as ``/healthz`` in the same run, which looks at nothing.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from service.alerts.tables import alert_event_table, alert_table
from service.app import create_app
from service.control_room import open_control_room
from service.settings import Settings
from service.structured_logs import configure_logs

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
MACHINES = 1000
GOAL = 50
"""Milliseconds that 99 in 100 answers take at most."""

HEAD = """
[[classes]]
name = "press"
signals = [{ name = "force" }]
"""
WAYS = {
    "open, first to look at": "",
    "open, a page further on": "?offset=500&limit=50",
    "open, of one machine": "?machine=press-7",
    "open, of one person": "?assignee=kim",
    "in one state": "?state=acknowledged",
    "all, newest first": "?state=all&order=newest",
    "all of one machine": "?state=all&machine=press-7&order=newest",
    "all, in the middle": "?state=all&order=newest&offset={middle}",
    "all, the last page": "?state=all&order=newest&offset={last}",
    "over, ranked list's end": "?state=all&offset={middle}",
}


def filled(settings: Settings, alerts: int, live: int) -> None:
    """Fill the book of a new plant."""
    with open_control_room(settings) as room, room.state.write() as connection:
        states = ["normal"] * (alerts - live) + ["unacknowledged", "acknowledged"] * (live // 2)
        evidence = [{"signal": "force", "unit": "kN", "feature": "mean", "actual": 2.0, "expected": 1.0, "share": 1.0}]
        rows = [
            {
                "machine": f"press-{each % MACHINES}",
                "cause": f"wear {each // MACHINES}",
                "kind": "failure ahead",
                "model": "risk",
                "version": "v1",
                "state": state,
                "raised_at": NOW - timedelta(minutes=alerts - each),
                "condition_begin": NOW - timedelta(minutes=alerts - each),
                "act_before": NOW + timedelta(hours=each % 100),
                "level": 0.5,
                "sentence": f"press-{each % MACHINES}: force is twice what is expected",
                "evidence": evidence,
                "assignee": "kim" if each % 50 == 0 else "",
            }
            for each, state in enumerate(states)
        ]
        connection.execute(alert_table.insert(), rows)
        line = {"at": NOW, "happening": "raised", "by": "andon", "level": 0.5}
        lines = [line | {"alert": number + 1, "state": state} for number, state in enumerate(states)]
        connection.execute(alert_event_table.insert(), lines)


@contextmanager
def served(folder: Path, alerts: int, live: int) -> Iterator[TestClient]:
    """Give a client of an application whose book holds so many alerts, ``live`` of them open."""
    machines = "".join(f'[[machines]]\nname = "press-{each}"\nclass = "press"\n' for each in range(MACHINES))
    (folder / "plant.toml").write_text(HEAD + machines, encoding="utf-8")
    settings = Settings(plant=folder / "plant.toml", jobs=False)
    filled(settings, alerts, live)
    # As a server does once it is ready: what is loaded by then is no garbage.
    gc.collect()
    gc.freeze()
    with TestClient(create_app(settings, clock=lambda: NOW), base_url="http://127.0.0.1:8420") as client:
        yield client


def spent(client: TestClient, path: str, repeats: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how long each of some answers took, in milliseconds."""
    found = []
    for _ in range(repeats):
        started = perf_counter()
        answer = client.get(path)
        found.append(1000 * (perf_counter() - started))
        assert answer.status_code == 200, answer.text
    return np.array(found)


def rows(alerts: int, live: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield how long each way to ask takes."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), alerts, live) as client:
        nothing = float(np.median(spent(client, "/healthz", repeats)))
        asked = {name: f"/api/v1/alerts{way}" for name, way in WAYS.items()} | {"page of alerts": "/alerts"}
        for name, way in asked.items():
            path = way.format(middle=alerts // 2, last=alerts - 50)
            spent(client, path, 2)
            found = spent(client, path, repeats)
            median, worst = float(np.median(found)), float(np.quantile(found, 0.99))
            yield {"name": name, "median_ms": median, "p99_ms": worst, "times_healthz": median / nothing, "goal": GOAL}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=100)
    asked = parser.parse_args()
    configure_logs("console")
    found = list(rows(asked.alerts, asked.open, asked.repeats))
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for row in found:
        told = f"{row['median_ms']:>8.1f} ms {row['p99_ms']:>8.1f} ms {row['times_healthz']:>7.1f}"
        sys.stdout.write(f"{row['name']:<28} {told}\n")


if __name__ == "__main__":
    main()
