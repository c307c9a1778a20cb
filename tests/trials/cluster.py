"""Train and assess a plant on a Dask cluster of two workers, kill one of them, and compare every byte with one process.

Run ``python -m tests.trials.cluster --machines 60``. The cluster is a real one: a scheduler and two workers, each a
process of its own that nobody starts again. A short form of it runs in the tests.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.engine.engine import Engine
from models.engine.named import engine_named
from models.registry.registry import Registry
from models.train import train
from service import monitor
from service.database import assessment_table, open_state
from tests.ports import free_port

SIGNALS = ("flow", "power", "pressure", "heat")
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAYS, JUDGED, EVERY = 36, 6, timedelta(minutes=20)
ROOT = Path(__file__).parents[2]


def plant_of(machines: int) -> Plant:
    """Pumps whose four signals follow one load."""
    entry = ModelEntry(
        name="strange", task="anomaly", machine_class="pump", horizon=timedelta(hours=24), split="time",
        stride=timedelta(hours=1), windows=(timedelta(hours=2), timedelta(hours=12)),
    )  # fmt: skip
    return Plant(
        classes=[MachineClass(name="pump", signals=[Signal(name=name, every=EVERY) for name in SIGNALS])],
        machines=[Machine(name=f"pump-{number:03}", machine_class="pump") for number in range(machines)],
        models=[entry],
    )


def fill(store: Store, machines: int) -> None:
    """Put five weeks of every pump into the store: each fifth has a sensor that steps, each seventh wears."""
    count = DAYS * timedelta(days=1) // EVERY
    times = pa.array([BEGIN + (row + 1) * EVERY for row in range(count)], pa.timestamp("us", tz="UTC"))
    for number in range(machines):
        random = np.random.default_rng(number)
        load = 10 * np.sin(np.arange(count) / 20 + number) + random.normal(0, 1, count)
        cells = [50 + (1 + place) * load / 2 + random.normal(0, 1, count) for place in range(len(SIGNALS))]
        late = np.arange(count) >= count * (DAYS - 3) // DAYS
        if number % 5 == 1:
            cells[number % 4][late] += 40
        if number % 7 == 2:
            for own in cells:
                own[late] += np.linspace(0, 30, late.sum())
        machine = [f"pump-{number:03}"] * count
        table = pa.table([machine, times, times, *(np.round(own, 3) for own in cells)], schema=readings_schema(SIGNALS))
        store.append(Readings("pump", table), source="trial", position=str(number))
    store.seal()


@dataclass(frozen=True, slots=True)
class Run:
    """What a plant's models said, wherever they were asked.

    Attributes
    ----------
    version : content hash of the trained model
    said : digest of every assessment, as it lies in the state
    """

    version: str
    said: str
    windows: int
    raised: int
    errors: tuple[str, ...]
    train_seconds: float
    score_seconds: float

    def same_as(self, other: "Run") -> bool:
        """Whether both said the same."""
        return (self.version, self.said, self.windows, self.raised, self.errors) == (
            other.version, other.said, other.windows, other.raised, other.errors
        )  # fmt: skip


def run(plant: Plant, folder: Path, name: str, engine: Engine) -> Run:
    """Train and assess with an engine, in a registry and a state of its own."""
    registry, own = Registry(folder / name / "models"), folder / name / "state.db"
    own.parent.mkdir()
    end = BEGIN + timedelta(days=DAYS)
    with closing(Store(folder / "data")) as store, closing(open_state(own)) as state:
        begun = time.perf_counter()
        trained = train(
            plant, store, plant.models[0], registry, now=end, until=end - timedelta(days=JUDGED), engine=engine
        )
        if not trained.live:
            registry.promote("strange", trained.version, at=end, by="trial", why="to be compared")
        between = time.perf_counter()
        report = monitor.round(plant, store, registry, state, at=end, since=end - timedelta(days=JUDGED), engine=engine)
        over = time.perf_counter()
        with state.read() as connection:
            rows = connection.execute(select(assessment_table).order_by(*assessment_table.primary_key)).all()
    said = sha256(pickle.dumps([tuple(row) for row in rows])).hexdigest()
    return Run(
        trained.version, said, report.windows, report.raised, report.errors, between - begun, over - between
    )  # fmt: skip


@dataclass
class DaskCluster:
    """A scheduler and its workers, each a process that this one started."""

    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_one_at_work(self, stop: threading.Event, killed: list[float]) -> None:
        """Wait until the first worker has work in hand, and kill it."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            (process,) = self.workers[:1]
            while not stop.is_set():
                busy = client.processing()
                own = client.run(os.getpid)
                if any(tasks and own.get(worker) == process.pid for worker, tasks in busy.items()):
                    process.kill()
                    killed.append(time.perf_counter())
                    return
                time.sleep(0.01)


@contextmanager
def dask_cluster(workers: int = 2) -> Iterator[DaskCluster]:
    """Start a scheduler and workers on this computer, and end them."""
    dask = Path(sys.executable).parent / "dask"
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    address = f"tcp://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = subprocess.Popen([dask, "scheduler", *here, "--port", str(port)], **quiet)
    cluster = DaskCluster(address)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for _ in range(workers):
                own = ["--host", "127.0.0.1", "--no-dashboard", "--no-nanny", "--nthreads", "1"]
                command = [dask, "worker", address, *own, "--local-directory", scratch]
                cluster.workers.append(subprocess.Popen(command, **quiet))
            _wait(address, workers)
            yield cluster
        finally:
            for process in [*cluster.workers, scheduler]:
                process.terminate()
            for process in [*cluster.workers, scheduler]:
                process.wait(20)


def _wait(address: str, workers: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while True:
        try:
            with Client(address, set_as_default=False, timeout=5) as client:
                client.wait_for_workers(workers, timeout=60)
        except OSError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def compare(machines: int) -> dict[str, Any]:
    """Run here, in processes, on a cluster, and on a cluster that loses a worker; return figures."""
    with tempfile.TemporaryDirectory() as name:
        folder, plant = Path(name), plant_of(machines)
        with closing(Store(folder / "data")) as store:
            fill(store, machines)
        found = {"here": run(plant, folder, "here", engine_named("here"))}
        for label in ("cluster", "cluster, one worker killed"):
            with dask_cluster() as cluster, closing(engine_named(cluster.address)) as engine:
                stop, killed = threading.Event(), []
                killer = threading.Thread(target=cluster.kill_one_at_work, args=(stop, killed))
                if "killed" in label:
                    killer.start()
                found[label] = run(plant, folder, label, engine)
                if "killed" in label:
                    stop.set()
                    killer.join()
                    dead = bool(killed) and cluster.workers[0].poll() is not None
        with closing(engine_named("processes:2")) as engine:
            found["processes:2"] = run(plant, folder, "processes", engine)
    one = found["here"]
    return {
        "machines": machines,
        "windows": one.windows,
        "raised": one.raised,
        "killed": dead,
        "runs": [
            {
                "where": label,
                "same": each.same_as(one),
                "train_seconds": round(each.train_seconds, 2),
                "score_seconds": round(each.score_seconds, 2),
                "errors": each.errors,
            }
            for label, each in found.items()
        ],
    }


def main() -> None:
    """Print the figures; exit 1 where a byte differs or nobody was killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = compare(asked.machines)
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        killed = "killed at work" if found["killed"] else "NOT killed"
        lines = [
            f"{found['machines']} machines, {found['windows']} windows, {found['raised']} alerts; one worker {killed}"
        ]
        lines += [
            f"{each['where']:<28} {'same bytes' if each['same'] else 'DIFFERENT':<12}"
            f" train {each['train_seconds']:>7.2f} s   score {each['score_seconds']:>7.2f} s"
            for each in found["runs"]
        ]
        sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(not (found["killed"] and all(each["same"] for each in found["runs"])))


if __name__ == "__main__":
    main()
