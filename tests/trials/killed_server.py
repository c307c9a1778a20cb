"""Kill a server with SIGKILL at random moments under full load: what it acknowledged is there, once.

Run ``python -m tests.trials.killed_server --kills 1000``. Clients push batches over HTTP and send each one again
until it is acknowledged; half of them name their batches, half of them leave that to the server. At the same time a
broker hands over messages that have no times of their own.
"""

import argparse
import http.client
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.store import Store
from tests.broker import Publisher, running_broker
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CLIENTS = 4
ROWS = 50
MESSAGES = 100
LONGEST_UP_SECONDS = 0.6
PLANT = """\
name = "Killed"
[[classes]]
name = "press"
signals = [{{ name = "force" }}]
[[machines]]
names = ["client-0..3", "node"]
class = "press"

[[mqtt]]
name = "hall"
host = "127.0.0.1"
port = {broker}
[[mqtt.topics]]
template = "{{machine}}/{{signal}}"
"""


@dataclass
class Server:
    """A server that is killed and started again on one folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    up: threading.Event = field(default_factory=threading.Event)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start, and return the seconds until it was ready."""
        command = [sys.executable, "-m", "service", "--plant", str(self.folder / "plant.toml")]
        # An installed server has its modules compiled; one that may not keep them would compile them at each start.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        begun = time.perf_counter()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "serve", "--no-jobs", "--port", str(self.port)],
                cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
            )  # fmt: skip
        while not self.get("/readyz"):
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended by itself; see {self.folder / 'server.log'}")
            time.sleep(0.01)
        self.up.set()
        return time.perf_counter() - begun

    def kill(self) -> None:
        """Kill without a warning."""
        assert self.process is not None
        self.up.clear()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def get(self, path: str) -> str:
        """Return what the server says there; empty while it does not answer, or says that something is wrong."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.read().decode() if answer.status == 200 else ""
            except (OSError, http.client.HTTPException):
                return ""


@dataclass
class Client:
    """Pushes batches of rows that nobody sent before, each until it is acknowledged."""

    number: int
    port: int
    stop: threading.Event
    acknowledged: int = 0
    sent_again: int = 0

    def run(self) -> None:
        """Push until told to stop, and until the last batch is acknowledged."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            while not self.stop.is_set():
                body, key = self._batch()
                while not self._push(connection, body, key):
                    self.sent_again += 1
                    time.sleep(0.02)
                self.acknowledged += 1

    def _push(self, connection: http.client.HTTPConnection, body: bytes, key: Mapping[str, str]) -> bool:
        try:
            connection.request("POST", "/api/v1/readings", body, {"Content-Type": "text/csv", **key})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        assert answer.status in (200, 503), said
        return answer.status == 200

    def _batch(self) -> tuple[bytes, dict[str, str]]:
        first = self.acknowledged * ROWS
        lines = [
            f"client-{self.number},{(BEGIN + timedelta(seconds=each)).isoformat()},{each}"
            for each in range(first, first + ROWS)
        ]
        key = {"Idempotency-Key": f"{self.number}-{self.acknowledged}"} if self.number % 2 else {}
        return "\n".join(["machine,time,force", *lines]).encode(), key


@dataclass
class Node:
    """Publishes numbers from zero on, each once, to a broker that hands them over.

    It goes on for a moment when the server is down, so that some always wait, but never more than are soon taken.
    """

    broker: int
    up: threading.Event
    stop: threading.Event
    sent: int = 0

    def run(self) -> None:
        """Publish until told to stop."""
        publisher = Publisher(self.broker)
        while not self.stop.is_set():
            publisher.send(("node/force", str(each).encode()) for each in range(self.sent, self.sent + MESSAGES))
            self.sent += MESSAGES
            time.sleep(0.05)
            self.up.wait(timeout=0.5)
        publisher.close()


@contextmanager
def load(server: Server, broker: int) -> Iterator[tuple[list[Client], Node]]:
    """Let clients push and a node publish while the block runs; the clients have all acknowledged when it ends."""
    stop = threading.Event()
    made = [Client(number, server.port, stop) for number in range(CLIENTS)], Node(broker, server.up, stop)
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        running = [threads.submit(each.run) for each in (*made[0], made[1])]
        try:
            yield made
        finally:
            stop.set()
        for each in running:
            each.result()


def kill_often(folder: Path, kills: int, seed: int = 0) -> str:
    """Kill a server this often, and return what came of it.

    Raises
    ------
    AssertionError
        When something acknowledged is gone or is there twice.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    server = Server(folder)
    with running_broker(folder / "broker", inflight=2000) as broker:
        (folder / "plant.toml").write_text(PLANT.format(broker=broker.port))
        waits = [server.start()]
        _wait_for(lambda: 'andon_stream_connected{stream="hall"} 1.0' in server.get("/metrics"))
        try:
            with load(server, broker.port) as (clients, node):
                for _ in range(kills):
                    time.sleep(draw.uniform(0, LONGEST_UP_SECONDS))
                    server.kill()
                    waits.append(server.start())
            _wait_for(lambda: len(_values(folder, "node")) >= node.sent)
        finally:
            server.kill()
    for each in clients:
        assert _values(folder, f"client-{each.number}") == [float(number) for number in range(each.acknowledged * ROWS)]
    assert Counter(_values(folder, "node")) == Counter(float(number) for number in range(node.sent))
    batches, again = sum(each.acknowledged for each in clients), sum(each.sent_again for each in clients)
    return (
        f"{kills:,} kills, {batches:,} batches of {ROWS} readings over HTTP, {again:,} of them sent again, and"
        f" {node.sent:,} messages over MQTT acknowledged: 0 lost, 0 doubled;"
        f" ready again after {statistics.median(waits):.2f} s (median), {max(waits):.2f} s (longest)"
    )


def _values(folder: Path, machine: str) -> list[float]:
    store = Store(folder / "andon-data")
    try:
        return [each.as_py() for each in store.read("press", machines=[machine], signals=["force"]).table["force"]]
    finally:
        store.close()


def _wait_for(fact: Callable[[], bool], seconds: float = 1800) -> None:
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, "that takes too long"
        time.sleep(0.1)


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(kill_often(Path(folder), arguments.kills, arguments.seed) + "\n")


if __name__ == "__main__":
    main()
