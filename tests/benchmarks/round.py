"""How long a plant's day takes from readings to alerts: ``python -m tests.benchmarks.round [--json] [--quick]``.

1,000 machines × 10 signals × 1 day, one reading a minute, in the store: a first round assesses the
whole day, a second one the newest window. A child process does the work, so that its peak memory is
its own. The peer is reading the same readings from the store and nothing else.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.registry import Registry
from models.train import train
from service import monitor
from service.database import open_state

SIGNALS = tuple(f"signal_{number}" for number in range(10))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEARNT, LEARNT_DAYS = 20, 8


def plant_of(machines: int) -> Plant:
    """A plant of one class with one label-free model; its windows are those that the product chooses."""
    return Plant(
        classes=[MachineClass(name="press", signals=[Signal(name=name, every=MINUTE) for name in SIGNALS])],
        machines=[Machine(name=f"machine-{number}", machine_class="press") for number in range(machines)],
        models=[
            ModelEntry(name="strange", task="anomaly", machine_class="press", horizon=timedelta(hours=8), split="time")
        ],
    )


def fill(store: Store, machines: int, begin: datetime, minutes: int) -> None:
    """Put readings of some machines into the store and seal them."""
    random = np.random.default_rng(machines)
    start = int(begin.timestamp()) * 60_000_000 // 60 + 60_000_000
    times = pa.array(start + 60_000_000 * np.arange(minutes), pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    for number in range(machines):
        cells = [np.round(random.normal(50, 5, minutes), 3) for _ in SIGNALS]
        table = pa.table(
            [pa.array([f"machine-{number}"] * minutes), times, times, *cells], schema=readings_schema(SIGNALS)
        )
        store.append(Readings("press", table), source="benchmark", position=f"{number} {begin}")
        if number % 50 == 49:
            store.seal()
    store.seal()


def child(folder: Path, machines: int) -> dict[str, float]:
    """Assess the day and the newest window; return seconds, windows and the peak of memory."""
    plant, store = plant_of(machines), Store(folder / "data")
    registry, state = Registry(folder / "models"), open_state(folder / "state.db")
    dawn = BEGIN + timedelta(days=LEARNT_DAYS)
    at = dawn + timedelta(days=1)
    whole = monitor.round(plant, store, registry, state, at=at - 60 * MINUTE, since=dawn)
    newest = monitor.round(plant, store, registry, state, at=at)
    begun = perf_counter()
    for first in range(0, machines, 50):
        store.read("press", machines=[f"machine-{number}" for number in range(first, first + 50)], start=dawn)
    read = perf_counter() - begun
    store.close()
    state.close()
    return {
        "day": whole.seconds,
        "windows": whole.windows,
        "newest": newest.seconds,
        "newest_windows": newest.windows,
        "read": read,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(machines: int) -> list[dict[str, Any]]:
    """Prepare a plant in a temporary folder and measure its rounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learnt = Store(folder / "learnt")
        fill(learnt, LEARNT, BEGIN, LEARNT_DAYS * 1440)
        plant = plant_of(machines)
        train(plant, learnt, plant.models[0], Registry(folder / "models"), now=BEGIN)
        learnt.close()
        store = Store(folder / "data")
        fill(store, machines, BEGIN + timedelta(days=LEARNT_DAYS), 1440)
        store.close()
        code = f"from tests.benchmarks.round import *; print(json.dumps(child(Path({name!r}), {machines})))"
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout)
    readings = machines * len(SIGNALS) * 1440
    peer = "reading them from the store"
    return [
        _row(f"round over a day, {machines} machines", figures["day"], "s", peer, figures["read"]),
        _row("readings assessed", readings / figures["day"], "readings/s", peer, readings / figures["read"]),
        _row("windows assessed", figures["windows"], "windows", "", None),
        _row(f"newest {figures['newest_windows']:.0f} windows", figures["newest"], "s", "", None),
        _row("peak memory", figures["megabytes"], "MB", "", None),
    ]


def _row(name: str, value: float, unit: str, peer: str, peer_value: float | None) -> dict[str, Any]:
    ratio = None if peer_value is None else round(value / peer_value, 3)
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "goal": None,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": ratio,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="100 machines")
    asked = parser.parse_args()
    rows = measure(100 if asked.quick else 1000)
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        beside = f"   {row['peer']}: {row['peer_value']:,.3g}; ratio {row['ratio']}" if row["peer"] else ""
        print(f"{row['name']:<40} {row['value']:>14,.4g} {row['unit']}{beside}")


if __name__ == "__main__":
    main()
