"""How fast and how small ingest is: ``python -m tests.benchmarks.ingest [--json] [--quick]``.

Store and lake stand beside the same work done by pyarrow alone, HTTP beside InfluxDB and VictoriaMetrics
where they are installed, MQTT beside a client that keeps nothing; all in the same run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ingest.plant import Machine, MachineClass, Plant, Signal, Source
from ingest.reading import Readings, readings_schema
from ingest.sources.files import ingest_files
from ingest.store import Store
from tests.benchmarks import http, mqtt
from tests.benchmarks.window_peers import peak_megabytes

MACHINES = 200
SIGNALS = tuple(f"signal_{number}" for number in range(10))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def plant_in(folder: Path) -> Plant:
    """A plant of one class whose readings lie in ``readings.parquet``."""
    return Plant(
        classes=[MachineClass(name="press", signals=[Signal(name=name) for name in SIGNALS])],
        machines=[Machine(name=f"machine-{number}", machine_class="press") for number in range(MACHINES)],
        sources=[Source(name="file", path="readings.parquet", machine=["machine"], time=["time"])],
        folder=folder,
    )


def write_readings(path: Path, readings: int) -> datetime:
    """Write readings of all machines, once a minute, minute by minute; return the newest time."""
    minutes = readings // (MACHINES * len(SIGNALS))
    random = np.random.default_rng(7)
    machines = pa.array([f"machine-{number}" for number in range(MACHINES)])
    writer = None
    for first in range(0, minutes, 1000):
        several = min(1000, minutes - first)
        when = np.repeat(np.arange(first, first + several), MACHINES) * 60_000_000
        stamps = pa.array(when + int(BEGIN.timestamp()) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
        who = pa.DictionaryArray.from_arrays(np.tile(np.arange(MACHINES, dtype=np.int32), several), machines)
        cells = [np.round(random.normal(50, 5, several * MACHINES), 3) for _ in SIGNALS]
        table = pa.table([who.cast(pa.string()), stamps, *cells], names=["machine", "time", *SIGNALS])
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return BEGIN + timedelta(minutes=minutes - 1)


def store_alone(folder: Path, rows: int, batches: int) -> float:
    """Return million readings a second of batches appended one by one, each durable before the next."""
    names = pa.array([f"machine-{number % MACHINES}" for number in range(rows)])
    random = np.random.default_rng(7)
    schema = readings_schema(SIGNALS)
    made = []
    for number in range(batches):
        seconds = number * (1 + rows // MACHINES) + np.arange(rows) // MACHINES
        stamps = pa.array(seconds * 1_000_000 + int(BEGIN.timestamp()) * 1_000_000).cast(schema.field("time").type)
        cells = [np.round(random.normal(50, 5, rows), 3) for _ in SIGNALS]
        arrived = pa.repeat(pa.scalar(NOW, stamps.type), rows)
        made.append(Readings("press", pa.table([names, stamps, arrived, *cells], schema=schema)))
    store = Store(folder / f"alone-{rows}")
    begun = perf_counter()
    for number, each in enumerate(made):
        store.append(each, source="benchmark", position=f"{number}")
    seconds_taken = perf_counter() - begun
    store.close()
    return batches * rows * len(SIGNALS) / seconds_taken / 1e6


def ingest_in_child(folder: Path) -> dict[str, float]:
    """Ingest in a process of its own; return its seconds and its peak memory in MB."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.ingest", "--child", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(run.stdout))


def child(folder: Path) -> None:
    """Ingest and print what it cost."""
    store = Store(folder / "andon-data")
    before = peak_megabytes()
    begun, busy = perf_counter(), process_time()
    report = ingest_files(plant_in(folder), store, now=NOW)
    seconds, busy = perf_counter() - begun, process_time() - busy
    store.close()
    peak = peak_megabytes()
    accepted = sum(each.readings for each in report.files)
    print(json.dumps({"seconds": seconds, "busy": busy, "peak": peak, "before": before, "readings": accepted}))


def timed(work: Callable[[], Any], times: int = 5) -> float:
    """Return the median seconds of several runs."""
    seconds = []
    for _ in range(times):
        begun = perf_counter()
        work()
        seconds.append(perf_counter() - begun)
    return median(seconds)


def measure(folder: Path, readings: int) -> list[dict[str, Any]]:
    """Return the rows of the benchmark."""
    path = folder / "readings.parquet"
    newest = write_readings(path, readings)
    cost = ingest_in_child(folder)
    plain = timed(lambda: pq.write_table(pq.read_table(path), folder / "copy.parquet", compression="zstd"), 1)
    store = Store(folder / "andon-data")
    counts = store.counts()
    hour = newest - timedelta(hours=1)
    peer = ds.dataset(str(path))

    def peer_rows(condition: pc.Expression) -> pa.Table:
        return peer.to_table(filter=condition).sort_by([("machine", "ascending"), ("time", "ascending")])

    last_hour = timed(lambda: store.read("press", start=hour))
    one_machine = timed(lambda: store.read("press", machines=["machine-17"]))
    one_signal = timed(lambda: store.read("press", machines=["machine-17"], signals=["signal_3"]))
    everything = timed(lambda: store.read("press"), 3)
    again = timed(lambda: ingest_files(plant_in(folder), store, now=NOW), 1)
    lake_bytes = sum(each.stat().st_size for each in (folder / "andon-data" / "lake").rglob("*.parquet"))
    store.close()
    alone = [median(store_alone(folder / f"{run}", *size) for run in range(3)) for size in ((100, 400), (10_000, 20))]
    rows = [
        row("store alone, 1,000 readings a batch", alone[0], "M readings/s", 1.4, None),
        row("store alone, 100,000 readings a batch", alone[1], "M readings/s", 8, None),
        row("ingest", cost["readings"] / cost["seconds"] / 1e6, "M readings/s", 1.0, readings / plain / 1e6),
        row("ingest per second of processor", cost["readings"] / cost["busy"] / 1e6, "M readings/s", 2.0, None),
        row("peak memory of ingest", cost["peak"], "MB", 600, None),
        row("size in the lake", lake_bytes / counts.readings, "bytes/reading", 3.2, path.stat().st_size / readings),
        row("same file again", again * 1e3, "ms", 1000, None),
        row("last hour of all", last_hour * 1e3, "ms", 45, timed(lambda: peer_rows(pc.field("time") > hour)) * 1e3),
        row(
            "one machine, all its history",
            one_machine * 1e3,
            "ms",
            16,
            timed(lambda: peer_rows(pc.field("machine") == "machine-17")) * 1e3,
        ),
        row("one machine, one signal", one_signal * 1e3, "ms", 50, None),
        row(
            "everything, sorted",
            everything * 1e3,
            "ms",
            800,
            timed(lambda: peer_rows(pc.scalar(True)), 3) * 1e3,
        ),
        row("segments", counts.segments, "files", 100, None),
    ]
    if counts.readings != readings:
        raise SystemExit(f"{counts.readings} readings are in the store, {readings} were in the file")
    return rows


def row(name: str, value: float, unit: str, goal: float, peer_value: float | None) -> dict[str, Any]:
    """One row of the benchmark; the peer is pyarrow on the plain file."""
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "goal": goal,
        "peer": "" if peer_value is None else "pyarrow on the plain file",
        "peer_value": None if peer_value is None else round(peer_value, 3),
        "ratio": None if not peer_value else round(value / peer_value, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="two million readings instead of twenty, and less of the rest"
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(arguments.child)
        return
    rows = []
    for each in parts(quick=arguments.quick):
        rows += each
        if not arguments.json:
            tell(each)
    if arguments.json:
        print(json.dumps(rows, indent=1))


def parts(*, quick: bool) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of one part after the other, each as soon as it is measured."""
    with tempfile.TemporaryDirectory() as folder:
        yield measure(Path(folder), 2_000_000 if quick else 20_000_000)
    yield http.table(1.0 if quick else 4.0, Path.cwd())
    with tempfile.TemporaryDirectory() as folder:
        yield mqtt.measure(Path(folder), *((20_000, 1) if quick else (100_000, 3)))


def tell(rows: list[dict[str, Any]]) -> None:
    """Print rows for people."""
    for each in rows:
        peer = f"{each['peer_value']} {each['peer']} (x {each['ratio']})" if each["peer"] else ""
        goal = "" if each["goal"] is None else f"goal {each['goal']}"
        print(f"{each['name']:75} {each['value']:>10} {each['unit']:14} {goal:12} {peer}", flush=True)


if __name__ == "__main__":
    main()
