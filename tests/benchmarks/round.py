"""How long a plant's rounds take from readings to alerts: ``python -m tests.benchmarks.round [--json] [--quick]``.

1,000 machines × 10 signals, one reading a minute for 17 days, in the store, so that windows are full and sensors have a
past to be compared with. A first round assesses six hours; then a plant goes on: for each of the next newest windows
its readings arrive and are sealed, and a round is measured, some of them at a whole hour, when all sensors are looked
at too. Loading the model, its context, shares and explanations, and leaving out readings that cannot be believed, are
part of each. The latency of one machine is that of assessing its newest window. A child process does the work, so that
its peak memory is its own.

The peer is reading the newest two days from the store and nothing else; the processor's speed is measured beside it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.believed import believed
from models.engine.named import engine_named
from models.registry.registry import Registry
from models.train import train
from service import monitor
from service.database import open_state
from service.watch import watches

SIGNALS = tuple(f"signal_{number}" for number in range(10))
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEARNT, DAYS, HOURS = 20, 16, 6
STRIDE = 20
"""Minutes between two windows; the product chooses it for this model."""


def plant_of(machines: int) -> Plant:
    """A plant of one class with one label-free model; its windows are those that the product chooses."""
    return Plant(
        classes=[MachineClass(name="press", signals=[Signal(name=name, every=MINUTE) for name in SIGNALS])],
        machines=[Machine(name=f"machine-{number}", machine_class="press") for number in range(machines)],
        models=[
            ModelEntry(name="strange", task="anomaly", machine_class="press", horizon=timedelta(hours=8), split="time")
        ],
    )


def readings_of(machines: range, begin: datetime, minutes: int) -> Readings:
    """Make up readings of some machines after a moment: a load of each day that all signals follow, and noise."""
    start = int(begin.timestamp()) // 60
    clock = start + 1 + np.arange(minutes)
    times = pa.array(np.tile(clock * 60_000_000, len(machines)), pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    random = np.random.default_rng((machines.start, start))
    load = np.concatenate([np.sin(clock * 2 * np.pi / 1440 + number) for number in machines])
    cells = [
        np.round(50 + (1 + place) * load + random.normal(0, 2, len(load)), 3) for place in range(len(SIGNALS))
    ]  # fmt: skip
    names = pa.array(np.repeat([f"machine-{number}" for number in machines], minutes))
    return Readings("press", pa.table([names, times, times, *cells], schema=readings_schema(SIGNALS)))


def fill(store: Store, machines: int, begin: datetime, minutes: int) -> None:
    """Put readings of machines into the store, day by day, and seal them."""
    for day in range(-(-minutes // 1440)):
        some = min(1440, minutes - 1440 * day)
        for first in range(0, machines, 50):
            part = range(first, min(first + 50, machines))
            store.append(
                readings_of(part, begin + day * 1440 * MINUTE, some), source="benchmark", position=f"{first} {day}"
            )
        store.seal()


def child(folder: Path, machines: int, rounds: int, engine_name: str) -> dict[str, float]:
    """Assess some hours, then one newest window after the other; return seconds, windows and the peak of memory."""
    plant, store = plant_of(machines), Store(folder / "data")
    registry, state = Registry(folder / "models"), open_state(folder / "state.db")
    engine = engine_named(engine_name)
    dawn = BEGIN + timedelta(days=DAYS)
    at = dawn + timedelta(hours=HOURS)
    whole = monitor.round(plant, store, registry, state, at=at, since=dawn, engine=engine)
    again = monitor.round(plant, store, registry, state, at=at, engine=engine)
    newest, hourly = [], []
    for number in range(rounds):
        fresh = readings_of(range(machines), at, STRIDE)
        store.append(fresh, source="benchmark", position=str(number))
        store.seal()
        at += STRIDE * MINUTE
        report = monitor.round(plant, store, registry, state, at=at, engine=engine)
        if report.windows != machines or report.errors:
            raise SystemExit(f"{report.windows} windows assessed, not {machines}: {report.errors[:3]}")
        (hourly if at.minute == 0 else newest).append(report.seconds)
    bundle = registry.load("strange")
    alone = [
        _seconds(lambda number=number: believed(plant, store, bundle, [f"machine-{number}"], at - STRIDE * MINUTE, at))
        for number in range(0, machines, max(1, machines // 100))
    ]
    with state.read() as connection:
        active = sum(watch.condition.active for watch in watches(connection, "strange").values())
    read = _seconds(
        lambda: [
            store.read(
                "press",
                machines=[f"machine-{number}" for number in range(first, first + 50)],
                start=at - 2 * timedelta(days=1),
            )
            for first in range(0, machines, 50)
        ]
    )
    store.close()
    state.close()
    engine.close()
    return {
        "whole": whole.seconds,
        "windows": whole.windows,
        "nothing": again.seconds,
        "p50": float(np.median(newest + hourly)),
        "p99": float(np.quantile(newest + hourly, 0.99)),
        "most": max(newest + hourly),
        "between": float(np.median(newest)),
        "hourly": float(np.median(hourly)),
        "rounds": len(newest + hourly),
        "alone_p50": 1000 * float(np.median(alone)),
        "alone_p99": 1000 * float(np.quantile(alone, 0.99)),
        "active": active,
        "read": read,
        "speed": _seconds(_known_work),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _seconds(work: Callable[[], Any]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _known_work() -> int:
    return sum(each * each % 7 for each in range(3_000_000))


def measure(machines: int, rounds: int, engine: str) -> list[dict[str, Any]]:
    """Prepare a plant in a temporary folder and measure its rounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, machines)
        asked = f"child(Path({name!r}), {machines}, {rounds}, {engine!r})"
        code = f"from tests.benchmarks.round import *; print(json.dumps({asked}))"
        done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    return rows_of(machines, json.loads(done.stdout))


def prepare(folder: Path, machines: int) -> None:
    """Train a model on a few machines, and fill a store with the past of all."""
    learnt = Store(folder / "learnt")
    fill(learnt, LEARNT, BEGIN, (DAYS - 8) * 1440)
    plant = plant_of(machines)
    report = train(plant, learnt, plant.models[0], Registry(folder / "models"), now=BEGIN)
    if not report.live:
        Registry(folder / "models").promote("strange", report.version, at=BEGIN, by="benchmark", why="to be measured")
    learnt.close()
    store = Store(folder / "data")
    fill(store, machines, BEGIN, DAYS * 1440 + HOURS * 60)
    store.close()


def rows_of(machines: int, figures: dict[str, float]) -> list[dict[str, Any]]:
    """Return the figures as rows of a benchmark."""
    peer, read, speed = (
        "reading two days from the store",
        figures["read"],
        f"3 M steps of Python: {figures['speed']:.2f} s",
    )
    return [
        _row(f"round over {HOURS} h, {machines} machines", figures["whole"], "s"),
        _row("windows of it", figures["windows"], "windows"),
        _row("round with nothing new", figures["nothing"], "s"),
        _row(f"newest window, p50 of {figures['rounds']:.0f} rounds", figures["p50"], "s", 2.0, peer, read),
        _row("newest window, p99", figures["p99"], "s", 2.0, speed),
        _row("newest window, between hours", figures["between"], "s"),
        _row("newest window and all sensors, at whole hours", figures["hourly"], "s"),
        _row("conditions active at the end", figures["active"], "machines"),
        _row("one machine, p50", figures["alone_p50"], "ms", 20.0),
        _row("one machine, p99", figures["alone_p99"], "ms", 20.0),
        _row("peak memory", figures["megabytes"], "MB"),
    ]


def _row(
    name: str, value: float, unit: str, goal: float | None = None, peer: str = "", peer_value: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "goal": goal,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": None if peer_value is None else round(value / peer_value, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="100 machines")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--engine", default="here")
    asked = parser.parse_args()
    rows = measure(100 if asked.quick else 1000, asked.rounds, asked.engine)
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        goal = "" if row["goal"] is None else f"   goal {row['goal']:g}"
        beside = f"   {row['peer']}" if row["peer"] else ""
        beside += "" if row["peer_value"] is None else f": {row['peer_value']:,.3g}; ratio {row['ratio']}"
        print(f"{row['name']:<50} {row['value']:>12,.4g} {row['unit']}{goal}{beside}")


if __name__ == "__main__":
    main()
