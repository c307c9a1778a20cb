"""How fast readings come in over HTTP: ``python -m tests.benchmarks.http [--json] [--seconds 5]``.

A server of its own, two clients that keep their connections, every batch new and durable before it is
answered. Beside it, where installed: InfluxDB 1 (durable) and VictoriaMetrics (not durable) on the same
readings as line protocol.
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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

MACHINES = 200
SIGNALS = tuple(f"signal_{number}" for number in range(10))
CLIENTS = 2
PLANT = """\
name = "Benchmark"
[[classes]]
name = "press"
signals = [{signals}]
[[machines]]
names = ["machine-0..{last}"]
class = "press"
"""


@dataclass
class Load:
    """What clients sent and how long each answer took."""

    readings: int = 0
    seconds: list[float] = field(default_factory=list)
    refused: int = 0


class Batches:
    """Batches of one format: each is of a moment of its own, so that nothing repeats."""

    def __init__(self, kind: str, readings: int) -> None:
        self.kind = kind
        self.rows = readings // len(SIGNALS)
        self.readings = self.rows * len(SIGNALS)
        self._begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
        self._random = np.random.default_rng(1)
        self._lock = threading.Lock()
        self._minute = 0

    def body(self) -> bytes:
        """Return the next batch."""
        with self._lock:
            first = self._minute
            self._minute += 1 + self.rows // MACHINES
        cells = np.round(self._random.normal(50, 5, (len(SIGNALS), self.rows)), 2)
        names = [f"machine-{number % MACHINES}" for number in range(self.rows)]
        stamps = [self._begin + timedelta(seconds=first + number // MACHINES) for number in range(self.rows)]
        return _WRITERS[self.kind](names, stamps, cells)


def _json(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    rows = [
        {"machine": name, "time": stamp.isoformat(), **dict(zip(SIGNALS, row, strict=True))}
        for name, stamp, row in zip(names, stamps, cells.T.tolist(), strict=True)
    ]
    return json.dumps(rows).encode()


def _arrow(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    columns = {"machine": pa.array(names), "time": pa.array(stamps, pa.timestamp("us", tz="UTC"))}
    table = pa.table({**columns, **dict(zip(SIGNALS, cells, strict=True))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _lines(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    parts = [
        f"readings,machine={name} {','.join(f'{key}={value}' for key, value in zip(SIGNALS, row, strict=True))}"
        f" {int(stamp.timestamp())}"
        for name, stamp, row in zip(names, stamps, cells.T.tolist(), strict=True)
    ]
    return "\n".join(parts).encode()


_WRITERS: dict[str, Callable[[list[str], list[datetime], Any], bytes]] = {
    "json": _json,
    "arrow": _arrow,
    "line protocol": _lines,
}
_TYPES = {"json": "application/json", "arrow": "application/vnd.apache.arrow.stream", "line protocol": "text/plain"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def deserted_port() -> Iterator[int]:
    """Give a port that nobody listens on, nor can meanwhile."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[int]:
    """Run a server until the block ends, once it listens."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
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


def send(port: int, path: str, kind: str, bodies: list[bytes], every: float, load: Load, lock: threading.Lock) -> None:
    """Send bodies one after the other, or one each ``every`` seconds, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    due = time.perf_counter()
    for body in bodies:
        if every:
            due += every
            time.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": _TYPES[kind]})
        answer = connection.getresponse()
        answer.read()
        seconds = time.perf_counter() - begun
        with lock:
            load.seconds.append(seconds)
            load.refused += answer.status >= 300
    connection.close()


def measure(port: int, path: str, batches: Batches, count: int, every: float = 0.0) -> tuple[float, Load]:
    """Return readings a second, and each answer's time, of ``count`` batches from all clients together."""
    bodies = [[batches.body() for _ in range(count // CLIENTS)] for _ in range(CLIENTS)]
    load, lock = Load(), threading.Lock()
    threads = [
        threading.Thread(target=send, args=(port, path, batches.kind, each, every, load, lock)) for each in bodies
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    load.readings = batches.readings * len(load.seconds)
    return load.readings / seconds, load


def andon(folder: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure our own server."""
    signals = ", ".join(f'{{ name = "{name}" }}' for name in SIGNALS)
    (folder / "plant.toml").write_text(PLANT.format(signals=signals, last=MACHINES - 1))
    port = free_port()
    command = [sys.executable, "-m", "service", "--plant", str(folder / "plant.toml"), "serve"]
    with running([*command, "--port", str(port), "--no-jobs"], port, folder / "log"):
        for kind, readings in (("arrow", 1000), ("json", 1000), ("line protocol", 1000), ("arrow", 10_000)):
            batches = Batches(kind, readings)
            rate, _ = measure(port, "/api/v1/readings?precision=s", batches, 60)
            count = max(60, int(seconds * rate / batches.readings))
            rate, load = measure(port, "/api/v1/readings?precision=s", batches, count)
            half = CLIENTS * batches.readings / (rate / 2)
            _, calm = measure(port, "/api/v1/readings?precision=s", batches, max(60, count // 4), half)
            yield figures(f"andon, {kind}, {readings:,} a batch", rate, load, calm)


def influx(folder: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure InfluxDB 1, which syncs its log before it answers."""
    if shutil.which("influxd") is None:
        return
    port, inner = free_port(), free_port()
    (folder / "influx.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
    )
    with running(["influxd", "-config", str(folder / "influx.conf")], port, folder / "log"):
        made = http.client.HTTPConnection("127.0.0.1", port)
        made.request("POST", "/query?q=CREATE+DATABASE+b")
        made.getresponse().read()
        yield from lines_into("InfluxDB 1", port, "/write?db=b&precision=s", seconds)


def victoria(folder: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure VictoriaMetrics, which answers before anything is durable."""
    if (command := shutil.which("victoria-metrics")) is None:
        return
    port = free_port()
    options = [f"-storageDataPath={folder}/victoria", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=2y"]
    with running([command, *options], port, folder / "log"):
        yield from lines_into("VictoriaMetrics (not durable)", port, "/write?precision=s", seconds)


def lines_into(name: str, port: int, path: str, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure a server that takes line protocol."""
    for readings in (1000, 10_000):
        batches = Batches("line protocol", readings)
        rate, _ = measure(port, path, batches, 60)
        rate, load = measure(port, path, batches, max(60, int(seconds * rate / batches.readings)))
        yield figures(f"{name}, line protocol, {readings:,} a batch", rate, load, None)


def figures(name: str, rate: float, load: Load, calm: Load | None) -> dict[str, Any]:
    """Return one row of the benchmark."""
    return {
        "name": name,
        "readings_per_second": round(rate),
        "p99_ms": round(float(np.percentile(load.seconds, 99)) * 1e3, 1),
        "p99_ms_at_half_load": None if calm is None else round(float(np.percentile(calm.seconds, 99)) * 1e3, 1),
        "refused": load.refused,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for server in (andon, influx, victoria):
        with tempfile.TemporaryDirectory() as folder:
            rows += server(Path(folder), arguments.seconds)
    peers = [each["readings_per_second"] for each in rows if each["name"].startswith("InfluxDB 1, ")]
    for each in rows:
        each["times_influxdb"] = round(each["readings_per_second"] / peers[0], 2) if peers else None
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for each in rows:
        print(
            f"{each['name']:45} {each['readings_per_second'] / 1e6:7.3f} M readings/s  p99 {each['p99_ms']:6.1f} ms"
            f"  at half load {each['p99_ms_at_half_load'] or '-'} ms  refused {each['refused']}"
            f"  x {each['times_influxdb'] or '-'} InfluxDB"
        )


if __name__ == "__main__":
    main()
