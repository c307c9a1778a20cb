"""Load over HTTP: batches of readings in each format, sent on many connections from one thread."""

import json
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

MACHINES = 200
SIGNALS = tuple(f"signal_{number}" for number in range(10))
CONNECTIONS = 16
TYPES = {"json": "application/json", "arrow": "application/vnd.apache.arrow.stream", "line protocol": "text/plain"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a batch is."""

    rows: int
    signals: int

    @property
    def readings(self) -> int:
        """How many readings a batch has."""
        return self.rows * self.signals

    def __str__(self) -> str:
        return f"{self.rows:,} rows x {self.signals} = {self.readings:,} readings a batch"


class Batches:
    """Batches of one format: each is of moments of its own, so that nothing repeats."""

    def __init__(self, kind: str, shape: Shape) -> None:
        self.kind, self.shape = kind, shape
        self._begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
        self._random = np.random.default_rng(1)
        self._second = 0

    def body(self) -> bytes:
        """Return the next batch."""
        first = self._second
        self._second += 1 + self.shape.rows // MACHINES
        cells = np.round(self._random.normal(50, 5, (self.shape.signals, self.shape.rows)), 2)
        names = [f"machine-{number % MACHINES}" for number in range(self.shape.rows)]
        stamps = [self._begin + timedelta(seconds=first + number // MACHINES) for number in range(self.shape.rows)]
        return _WRITERS[self.kind](names, stamps, cells)


def _json(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    rows = [
        {"machine": name, "time": stamp.isoformat(), **dict(zip(SIGNALS, row, strict=False))}
        for name, stamp, row in zip(names, stamps, cells.T.tolist(), strict=True)
    ]
    return json.dumps(rows).encode()


def _arrow(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    columns = {"machine": pa.array(names), "time": pa.array(stamps, pa.timestamp("us", tz="UTC"))}
    table = pa.table({**columns, **dict(zip(SIGNALS, cells, strict=False))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _lines(names: list[str], stamps: list[datetime], cells: Any) -> bytes:
    parts = [
        f"readings,machine={name} {','.join(f'{key}={value}' for key, value in zip(SIGNALS, row, strict=False))}"
        f" {int(stamp.timestamp())}"
        for name, stamp, row in zip(names, stamps, cells.T.tolist(), strict=True)
    ]
    return "\n".join(parts).encode()


_WRITERS: dict[str, Callable[[list[str], list[datetime], Any], bytes]] = {
    "json": _json,
    "arrow": _arrow,
    "line protocol": _lines,
}


@dataclass
class Load:
    """What came of requests: seconds from when each was due to its answer, of all together, and how many failed."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


def requests(port: int, path: str, batches: Batches, count: int) -> list[bytes]:
    """Return whole requests, each with the next batch."""
    made = []
    for _ in range(count):
        body = batches.body()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {TYPES[batches.kind]}\r\n"
        made.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return made


def send_all(port: int, content: Sequence[bytes], every: float = 0.0) -> Load:
    """Send requests, as fast as they are answered or one each ``every`` seconds, on ``CONNECTIONS`` connections."""
    load, ready = Load(), selectors.DefaultSelector()
    idle: deque[_Line] = deque(_Line(port) for _ in range(min(CONNECTIONS, len(content))))
    lines = list(idle)
    for line in lines:
        ready.register(line.socket, selectors.EVENT_READ, line)
    begun = time.perf_counter()
    sent = 0
    while len(load.latencies) < len(content):
        while idle and sent < len(content) and begun + sent * every <= time.perf_counter():
            idle.popleft().send(content[sent], begun + sent * every if every else time.perf_counter())
            sent += 1
        waits = max(0.0, begun + sent * every - time.perf_counter()) if idle and sent < len(content) else None
        for key, _ in ready.select(waits):
            line = key.data
            if (status := line.receive()) is not None:
                load.latencies.append(time.perf_counter() - line.due)
                load.refused += status >= 300
                idle.append(line)
    load.seconds = time.perf_counter() - begun
    for line in lines:
        line.socket.close()
    return load


class _Line:
    """One connection, with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._answer = b""

    def send(self, request: bytes, due: float) -> None:
        """Send a request whole."""
        self.due, self._answer = due, b""
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Take what there is of the answer; return its status once it is whole."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError(f"the server closed the connection after {self._answer[:200]!r}")
        self._answer += part
        head, blank, body = self._answer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = next(
            (int(each[15:]) for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")), 0
        )
        return int(head[9:12]) if len(body) >= length else None
