"""Offer a server three times what it can take: it must say so, keep its word and still show its alerts.

Run ``python -m tests.trials.overload --seconds 300``. The peak is measured by clients that wait for each answer, half
of the time before and half of it after requests come three times as fast, whether or not earlier ones are answered: a
shared machine is seldom as fast in one five minutes as in the next. Somebody looks at the alerts all the time.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
import pyarrow as pa

from ingest.store import Store
from tests.trials.killed_server import Server

MACHINES, SIGNALS, ROWS = 100, 10, 100
WAITING_CLIENTS = 32
CONNECTIONS = 200
TIMES_THE_PEAK = 3
SECOND = 1_000_000
BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND


class Batches:
    """Arrow batches of 100 machines at one second each; only the times differ, so that making one costs little."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        columns: dict[str, Any] = {
            "machine": pa.array([f"machine-{number}" for number in range(ROWS)]),
            "time": pa.array(np.full(ROWS, BEGIN), pa.timestamp("us", "UTC")),
        }
        columns |= {f"signal_{number}": np.round(random.normal(50, 5, ROWS), 2) for number in range(SIGNALS)}
        table = pa.table(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        self._template = sink.getvalue().to_pybytes()
        self._place = self._template.index(np.full(ROWS, BEGIN, "<i8").tobytes())
        self.made = 0

    def next(self) -> tuple[int, bytes]:
        """Return the second that a batch is of, and its body."""
        number, self.made = self.made, self.made + 1
        times = np.full(ROWS, BEGIN + number * SECOND, "<i8").tobytes()
        return number, self._template[: self._place] + times + self._template[self._place + len(times) :]


@dataclass
class Load:
    """What was answered."""

    kept: list[int] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    unsent: int = 0


@dataclass(frozen=True)
class Phase:
    """What came of one load: answers, seconds of processor and bytes of memory of the server, waits for the alerts."""

    load: Load
    busy: float
    memory: int
    waits: list[float]


class Connection:
    """One connection that sends a batch and waits for its answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def push(self, body: bytes) -> int:
        """Send a batch, and return the status of its answer."""
        self._writer.write(
            b"POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/vnd.apache.arrow.stream\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await self._reader.readexactly(int(fields[b"content-length"]))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        """Close it."""
        self._writer.close()


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[asyncio.Queue[Connection]]:
    """Give connections that are free."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    made = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]
    for each in made:
        free.put_nowait(each)
    yield free
    for each in made:
        each.close()


async def offer(port: int, batches: Batches, seconds: float, per_second: float, load: Load) -> None:
    """Send batches at a steady rate, as long as there is a free connection for each."""
    running: set[asyncio.Task[None]] = set()

    async def send(connection: Connection) -> None:
        number, body = batches.next()
        status = await connection.push(body)
        load.answers[status] += 1
        if status == 200:
            load.kept.append(number)
        free.put_nowait(connection)

    async with connections(port, CONNECTIONS if per_second else WAITING_CLIENTS) as free:
        begun = time.perf_counter()
        sent = 0
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * per_second) - sent if per_second else 1
            for _ in range(due):
                if per_second and free.empty():
                    load.unsent += 1
                else:
                    task = asyncio.create_task(send(await free.get()))
                    running.add(task)
                    task.add_done_callback(running.discard)
            sent += due
            if per_second:
                await asyncio.sleep(0.005)
        await asyncio.gather(*running)


@dataclass(frozen=True)
class Looking:
    """Somebody who looks at the alerts, in a process of their own."""

    process: multiprocessing.Process
    stop: Event
    answers: "multiprocessing.Queue[list[float]]"

    @classmethod
    def begin(cls, port: int) -> Self:
        """Begin to look."""
        stop = multiprocessing.Event()
        answers: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
        process = multiprocessing.Process(target=_look, args=(port, stop, answers))
        process.start()
        return cls(process, stop, answers)

    def end(self) -> list[float]:
        """Return the seconds until each answer; -1 for one that failed."""
        self.stop.set()
        waits = self.answers.get()
        self.process.join()
        return waits


def _look(port: int, stop: Event, answers: "multiprocessing.Queue[list[float]]") -> None:
    """Ask for the alerts five times a second."""
    seconds = []
    while not stop.wait(0.2):
        begun = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/api/v1/alerts")
            answer = connection.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - begun if answer.status == 200 else -1.0)
    answers.put(seconds)


def overload(folder: Path, seconds: float, warm_up: float = 5.0) -> dict[str, Any]:
    """Overload a server and return the figures.

    Parameters
    ----------
    seconds : at the peak, and above it
    warm_up : seconds before them

    Raises
    ------
    AssertionError
        When something acknowledged is gone or is there twice.
    """
    names = ", ".join(f'{{ name = "signal_{number}" }}' for number in range(SIGNALS))
    (folder / "plant.toml").write_text(
        f'name = "Overload"\n[[classes]]\nname = "press"\nsignals = [{names}]\n'
        f'[[machines]]\nnames = ["machine-0..{MACHINES - 1}"]\nclass = "press"\n'
    )
    server, batches = Server(folder), Batches()
    server.start()
    assert server.process is not None
    process = psutil.Process(server.process.pid)

    def phase(seconds: float, per_second: float = 0) -> Phase:
        looking, busy, load = Looking.begin(server.port), _busy(process), Load()
        asyncio.run(offer(server.port, batches, seconds, per_second, load))
        busy = _busy(process) - busy
        return Phase(load, busy, process.memory_info().rss, looking.end())

    try:
        warm = phase(warm_up)
        before = phase(seconds / 2)
        over = phase(seconds, TIMES_THE_PEAK * len(before.load.kept) / (seconds / 2))
        after = phase(seconds / 2)
    finally:
        server.kill()
    kept = sorted(number for each in (warm, before, over, after) for number in each.load.kept)
    _compare(folder, kept)
    load, peak = over.load, (len(before.load.kept) + len(after.load.kept)) / seconds
    return {
        "peak_readings_per_second": round(peak * ROWS * SIGNALS),
        "offered_times_the_peak": round((load.answers.total() + load.unsent) / seconds / peak, 2),
        "goodput_of_peak": round(len(load.kept) / seconds / peak, 3),
        "peak_after_of_before": round(len(after.load.kept) / len(before.load.kept), 3),
        "answers": dict(load.answers),
        "no_free_connection": load.unsent,
        "server_busy_ms_a_batch": [round(each.busy / len(each.load.kept) * 1e3, 3) for each in (before, over, after)],
        "memory_mb": round(max(each.memory for each in (before, over, after)) / 1e6),
        "alerts_asked": len(over.waits),
        "alerts_failed": sum(each < 0 for each in over.waits),
        "alerts_p99_ms": round(float(np.percentile([each for each in over.waits if each >= 0], 99)) * 1e3, 1),
        "acknowledged": len(kept),
    }


def _busy(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def _compare(folder: Path, kept: list[int]) -> None:
    store = Store(folder / "andon-data")
    try:
        for machine in ("machine-0", f"machine-{MACHINES - 1}"):
            times = store.read("press", machines=[machine]).table["time"].cast(pa.int64()).to_numpy()
            found = ((times - BEGIN) // SECOND).tolist()
            assert len(found) == len(set(found)), "doubled"
            assert set(kept) <= set(found), f"{len(set(kept) - set(found))} acknowledged batches are gone"
    finally:
        store.close()


def main() -> None:
    """Overload and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(overload(Path(folder), arguments.seconds), indent=1) + "\n")


if __name__ == "__main__":
    main()
