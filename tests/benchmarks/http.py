"""How fast readings come in over HTTP: ``python -m tests.benchmarks.http [--json] [--quick]``.

A server of its own and one client with many connections share the machine; every batch is new, and durable before
it is answered. Beside it, where installed (Debian: ``influxdb``, ``victoria-metrics``): InfluxDB 1, which is durable,
and VictoriaMetrics, which is not, on the same readings as line protocol.
"""

import argparse
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.benchmarks.http_load import MACHINES, SIGNALS, Batches, Load, Shape, requests, send_all
from tests.ports import free_port

SHAPES = (Shape(100, 10), Shape(1_000, 1), Shape(1_000, 10))
MOST_BYTES = 400_000_000
GOALS: Mapping[tuple[str, Shape], float] = {
    ("arrow", Shape(100, 10)): 1.5,
    ("json", Shape(100, 10)): 0.8,
    ("line protocol", Shape(100, 10)): 0.8,
    ("arrow", Shape(1_000, 1)): 1.5,
    ("json", Shape(1_000, 1)): 0.8,
    ("line protocol", Shape(1_000, 1)): 0.8,
    ("arrow", Shape(1_000, 10)): 6.0,
}
"""Million readings a second."""

MOST_P99_MS = 25
PLANT = """\
name = "Benchmark"
[[classes]]
name = "press"
signals = [{signals}]
[[machines]]
names = ["machine-0..{last}"]
class = "press"
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it takes readings, and in which formats."""

    name: str
    process: int
    port: int
    path: str
    kinds: tuple[str, ...] = ("line protocol",)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one server did with batches of one kind and shape."""

    readings_per_second: float
    busy_per_request: float
    half: Load
    refused: int


def measure(server: Server, kind: str, shape: Shape, seconds: float) -> Figures:
    """Load a server fully, then by half."""
    batches = Batches(kind, shape)
    warm = send_all(server.port, requests(server.port, server.path, batches, 100))
    bytes_each = len(batches.body())
    count = max(100, min(int(seconds * warm.rate), MOST_BYTES // bytes_each))
    content = requests(server.port, server.path, batches, count)
    process = psutil.Process(server.process)
    before = sum(process.cpu_times()[:2])
    full = send_all(server.port, content)
    busy = sum(process.cpu_times()[:2]) - before
    content = requests(server.port, server.path, batches, max(50, count // 3))
    half = send_all(server.port, content, every=2 / full.rate)
    return Figures(full.rate * shape.readings, busy / count, half, warm.refused + full.refused + half.refused)


@contextmanager
def running(command: list[str], port: int, folder: Path, work: Path | None = None) -> Iterator[int]:
    """Run a server until the block ends, once it listens."""
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=work)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended: {log.read_text()[-500:]}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def andon(folder: Path, tree: Path) -> Iterator[Server]:
    """Run our own server, of the source tree given."""
    signals = ", ".join(f'{{ name = "{name}" }}' for name in SIGNALS)
    (folder / "plant.toml").write_text(PLANT.format(signals=signals, last=MACHINES - 1))
    port = free_port()
    command = [sys.executable, "-m", "service", "--plant", str(folder / "plant.toml"), "serve"]
    with running([*command, "--port", str(port), "--no-jobs"], port, folder, tree) as process:
        yield Server("andon", process, port, "/api/v1/readings?precision=s", ("arrow", "json", "line protocol"))


@contextmanager
def influx(folder: Path) -> Iterator[Server]:
    """Run InfluxDB 1, which syncs its log before it answers."""
    port, inner = free_port(), free_port()
    (folder / "influx.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
    )
    with running(["influxd", "-config", str(folder / "influx.conf")], port, folder) as process:
        made = http.client.HTTPConnection("127.0.0.1", port)
        made.request("POST", "/query?q=CREATE+DATABASE+b")
        made.getresponse().read()
        yield Server("InfluxDB 1", process, port, "/write?db=b&precision=s")


@contextmanager
def victoria(folder: Path) -> Iterator[Server]:
    """Run VictoriaMetrics, which answers before anything is durable."""
    port = free_port()
    options = [f"-storageDataPath={folder}/victoria", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=2y"]
    with running(["victoria-metrics", *options], port, folder) as process:
        yield Server("VictoriaMetrics (not durable)", process, port, "/write?precision=s")


def peers(seconds: float) -> dict[tuple[str, Shape], float]:
    """Return million readings a second of each peer that is installed, by its name and the shape."""
    found: dict[tuple[str, Shape], float] = {}
    for program, run in (("influxd", influx), ("victoria-metrics", victoria)):
        if shutil.which(program):
            with tempfile.TemporaryDirectory() as folder, run(Path(folder)) as server:
                for shape in SHAPES:
                    rate = measure(server, "line protocol", shape, seconds).readings_per_second
                    found[server.name, shape] = rate / 1e6
    return found


def rows_of(kind: str, shape: Shape, figures: Figures, peer: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Give the rows of the benchmark for one kind and shape."""
    name, rate = f"{kind}, {shape}", figures.readings_per_second / 1e6
    goal = GOALS.get((kind, shape))
    for each, value in peer.items() or [("", None)]:
        yield row(name, rate, "M readings/s", goal, each, value)
    yield row(f"{name}: server's processor time", figures.busy_per_request * 1e6, "us/request", None)
    for part in (50, 99):
        latency = float(np.percentile(figures.half.latencies, part)) * 1e3
        yield row(f"{name}: p{part} at half load", latency, "ms", MOST_P99_MS if part == 99 else None)
    if figures.refused:
        yield row(f"{name}: refused", figures.refused, "requests", 0)


def row(
    name: str, value: float, unit: str, goal: float | None, peer: str = "", peer_value: float | None = None
) -> dict[str, Any]:
    """Return one row of the benchmark."""
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "goal": goal,
        "peer": peer,
        "peer_value": None if peer_value is None else round(peer_value, 3),
        "ratio": None if not peer_value else round(value / peer_value, 2),
    }


def table(seconds: float, tree: Path) -> list[dict[str, Any]]:
    """Return the rows of the benchmark; ``seconds`` for each figure."""
    beside = peers(seconds)
    rows: list[dict[str, Any]] = []
    for shape in SHAPES:
        peer = {name: value for (name, size), value in beside.items() if size == shape}
        with tempfile.TemporaryDirectory() as folder, andon(Path(folder), tree) as server:
            for kind in server.kinds:
                rows += rows_of(kind, shape, measure(server, kind, shape, seconds), peer)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="one second for each figure instead of four")
    parser.add_argument("--tree", type=Path, default=Path.cwd(), help="source tree whose server is measured")
    arguments = parser.parse_args()
    rows = table(1.0 if arguments.quick else 4.0, arguments.tree)
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for each in rows:
        peer_text = f"x {each['ratio']} {each['peer']} ({each['peer_value']})" if each["peer"] else ""
        goal = "" if each["goal"] is None else f"goal {each['goal']}"
        print(f"{each['name']:75} {each['value']:>10} {each['unit']:14} {goal:9} {peer_text}")


if __name__ == "__main__":
    main()
