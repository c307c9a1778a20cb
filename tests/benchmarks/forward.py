"""How fast an edge drains: ``python -m tests.benchmarks.forward [--json] [--quick]``.

A spool of deliveries of 100 or 1,000 readings, as a stream brings them while a centre is away, is sent to a
server of its own. Beside it the same deliveries posted one by one over one connection, as a plain client does.
"""

import argparse
import http.client
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.delivery import Delivery
from ingest.reading import Readings, readings_schema
from ingest.spool import Spool
from service.edge.aside import Aside
from service.edge.centre import Centre
from service.edge.forwarder import Forwarder
from tests.benchmarks.http import MACHINES, PLANT, SIGNALS, running
from tests.ports import free_port

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)


def deliveries(count: int, rows: int) -> Iterator[Delivery]:
    """Deliveries of so many rows of ten readings, a second apart."""
    random = np.random.default_rng(1)
    for second in range(count):
        names = [f"machine-{(second * rows + row) % MACHINES}" for row in range(rows)]
        when = [BEGIN + timedelta(seconds=second)] * rows
        cells = [np.round(random.normal(50, 5, rows), 2) for _ in SIGNALS]
        table = pa.table([names, when, when, *map(pa.array, cells)], schema=readings_schema(SIGNALS))
        yield Delivery(source="hall", readings=(Readings("press", table),))


@contextmanager
def centre(folder: Path) -> Iterator[int]:
    """Run a server of its own; give its port."""
    folder.mkdir()
    signals = ", ".join(f'{{ name = "{name}" }}' for name in SIGNALS)
    (folder / "plant.toml").write_text(PLANT.format(signals=signals, last=MACHINES - 1))
    port = free_port()
    command = [sys.executable, "-m", "service", "--plant", str(folder / "plant.toml"), "serve", "--no-jobs"]
    with running([*command, "--port", str(port)], port, folder):
        yield port


def forwarded(folder: Path, port: int, some: list[Delivery]) -> float:
    """Fill a spool, then send it; return the seconds of the sending."""
    with Spool(folder / "spool") as spool:
        for future in [spool.put(each, wait=10) for each in some]:
            future.result()
        stop = Event()
        forwarder = Forwarder(
            spool, Centre(f"http://127.0.0.1:{port}"), Aside(folder / "aside"), clock=lambda: datetime.now(UTC)
        )
        thread = Thread(target=forwarder.run, args=(stop,))
        begun = perf_counter()
        thread.start()
        while spool.unsettled:
            sleep(0.002)
        seconds = perf_counter() - begun
        stop.set()
        thread.join()
    readings = sum(part.count for each in some for part in each.readings)
    if forwarder.progress.accepted != readings:
        raise SystemExit(f"{forwarder.progress.accepted} readings were taken, {readings} were sent")
    return seconds


def posted(_: Path, port: int, some: list[Delivery]) -> float:
    """Post each delivery alone; return the seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = perf_counter()
    for delivery in some:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, delivery.readings[0].table.schema) as writer:
            writer.write_table(delivery.readings[0].table)
        headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
        connection.request("POST", "/api/v1/readings", sink.getvalue().to_pybytes(), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(answer.read().decode())
        answer.read()
    return perf_counter() - begun


def measure(count: int, runs: int) -> list[dict[str, Any]]:
    """Return the rows of the benchmark: name, value, unit, goal, peer, peer_value, ratio (of speed)."""
    found = []
    for rows in (10, 100):
        some = list(deliveries(count, rows))
        readings = count * rows * len(SIGNALS)
        rates = {way: median(readings / _once(way, some) for _ in range(runs)) for way in (forwarded, posted)}
        value, peer = rates[forwarded], rates[posted]
        found.append(
            {
                "name": f"draining deliveries of {rows * len(SIGNALS):,} readings",
                "value": round(value),
                "unit": "readings/s",
                "goal": "full speed",
                "peer": "each posted alone",
                "peer_value": round(peer),
                "ratio": round(value / peer, 2),
            }
        )
    return found


def _once(way: Callable[[Path, int, list[Delivery]], float], some: list[Delivery]) -> float:
    with tempfile.TemporaryDirectory() as name, centre(Path(name) / "centre") as port:
        return way(Path(name), port, some)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few deliveries, once")
    arguments = parser.parse_args()
    rows = measure(*((300, 1) if arguments.quick else (2000, 3)))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for each in rows:
        peer = f"{each['peer_value']:,} {each['peer']} (x {each['ratio']})"
        print(f"{each['name']:44} {each['value']:>10,} {each['unit']:11} {peer}")


if __name__ == "__main__":
    main()
