"""The edge and the centre killed at any moment: what the broker handed over is at the centre, once and in order."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import sleep

import pytest

from ingest.errors import StoreError
from ingest.store import Store
from service.edge.status import read_status
from tests.broker import Broker, Publisher, running_broker
from tests.ingest.mqtt_plant import wait_for

ROOT = Path(__file__).parents[2]
CLASSES = """
[[classes]]
name = "press"
signals = [{ name = "a" }]
[[machines]]
names = ["m1", "m2"]
class = "press"
"""
MQTT = """
[[mqtt]]
name = "hall"
host = "127.0.0.1"
port = {port}
[[mqtt.topics]]
template = "plant/{{line}}/{{machine}}/{{signal}}"
"""

# The edge kills itself just before its n-th durable step or request.
EDGE = """
import os, signal, sys

left = int(sys.argv[1])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from service.edge.centre import Centre
from service.cli.main import main

sync, ask = os.fsync, Centre._ask

def asked(*arguments):
    step()
    answer = ask(*arguments)
    step()
    return answer

os.fsync = lambda descriptor: (step(), sync(descriptor))[1]
Centre._ask = asked
main(sys.argv[2:])
"""


class Plant:
    """An edge, a broker before it and a centre behind it, each of which can be started and killed."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder, self.broker = folder, broker
        self.port = _quiet_port()
        for name, text in (("edge", CLASSES + MQTT.format(port=broker.port)), ("centre", CLASSES)):
            (folder / name).mkdir()
            (folder / name / "plant.toml").write_text('data = "data"' + text, encoding="utf-8")
        self.spool = folder / "edge" / "spool"
        self.running: list[subprocess.Popen[bytes]] = []

    def edge(self, kill_at: int = 0, **settings: str) -> "subprocess.Popen[bytes]":
        arguments = ["forward", "plant.toml", "--to", f"http://127.0.0.1:{self.port}"]
        return self._run("edge", ["-c", EDGE, str(kill_at), *arguments], ANDON_SPOOL=str(self.spool), **settings)

    def centre(self) -> "subprocess.Popen[bytes]":
        run = self._run("centre", ["-m", "service", "serve", "--no-jobs", "--port", str(self.port)])
        wait_for(lambda: self._listens() or run.poll() is not None, 60)
        assert run.poll() is None, self.log()
        return run

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def found(self) -> dict[str, list[float]]:
        """Return what is at the centre, by machine in the order of time."""
        try:
            store = Store(self.folder / "centre" / "data")
        except StoreError:
            return {}
        try:
            tables = {each: store.read("press", machines=[each], signals=["a"]).table for each in ("m1", "m2")}
            return {name: table["a"].to_pylist() for name, table in tables.items()}
        except StoreError:
            return {}
        finally:
            store.close()

    def count(self) -> int:
        return sum(map(len, self.found().values()))

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _run(self, name: str, arguments: Sequence[str], **settings: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            run = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder / name,
                env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
                stdout=log,
                stderr=log,
            )
        self.running.append(run)
        return run


def _quiet_port() -> int:
    """Return a free port below those that clients get.

    Whoever calls a port of theirs again and again while nobody listens is connected to itself one day, and takes it.
    """
    random = Random()  # noqa: S311
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with running_broker(tmp_path / "broker", inflight=1000) as broker:
        plant = Plant(tmp_path, broker)
        try:
            yield plant
        finally:
            for each in plant.running:
                each.kill()
                each.wait(20)


@contextmanager
def publishing(port: int) -> Iterator[Callable[[], int]]:
    """Publish numbers that grow, to two machines in turn; give a function that ends it and says how many they were."""
    over, sent = Event(), 0

    def publish() -> None:
        nonlocal sent
        publisher = Publisher(port)
        while not over.is_set():
            publisher.send((f"plant/l/m{each % 2 + 1}/a", str(each).encode()) for each in range(sent, sent + 100))
            sent += 100
            sleep(0.02)
        publisher.close()

    thread = Thread(target=publish)

    def end() -> int:
        over.set()
        thread.join()
        return sent

    thread.start()
    try:
        yield end
    finally:
        end()


@pytest.mark.slow(seconds=25)
def test_kills_of_the_edge_and_the_centre_lose_double_and_reorder_nothing(plant: Plant) -> None:
    random = Random(7)  # noqa: S311
    first = plant.edge()  # subscribes, while there is no centre
    wait_for(lambda: (plant.spool / "status.json").exists() and read_status(plant.spool).streams == {"hall": ""})
    with publishing(plant.broker.port) as end:
        sleep(0.5)
        first.kill()
        centre = plant.centre()
        for kill_at in (4, 0, 21):
            edge = plant.edge(kill_at)
            if kill_at == 0:
                sleep(random.uniform(1.0, 2.0))
                centre.kill()
                edge.kill()
                centre.wait(20)
                centre = plant.centre()
            assert edge.wait(60) == -signal.SIGKILL, plant.log()
        sent = end()
    last = plant.edge()
    wait_for(lambda: plant.count() >= sent, 60)
    wait_for(lambda: read_status(plant.spool).well)
    last.terminate()
    assert last.wait(30) == 0, plant.log()

    assert sent > 1000
    assert plant.found() == {"m1": [*map(float, range(0, sent, 2))], "m2": [*map(float, range(1, sent, 2))]}


@pytest.mark.slow
def test_a_full_spool_leaves_messages_at_the_broker_until_the_centre_is_back(plant: Plant) -> None:
    edge = plant.edge(ANDON_SPOOL_MEGABYTES="1")
    wait_for(lambda: (plant.spool / "status.json").exists() and read_status(plant.spool).streams == {"hall": ""})
    with publishing(plant.broker.port) as end:
        wait_for(lambda: read_status(plant.spool).bytes > 900_000, 60)
        sleep(1.5)
        sent = end()
    status = read_status(plant.spool)
    assert status.bytes <= 1_000_000
    assert "does not answer" in status.problem
    assert status.waiting_since is not None

    plant.centre()
    wait_for(lambda: plant.count() >= sent, 60)
    wait_for(lambda: read_status(plant.spool).well)
    edge.terminate()
    assert edge.wait(30) == 0, plant.log()

    assert plant.found() == {"m1": [*map(float, range(0, sent, 2))], "m2": [*map(float, range(1, sent, 2))]}
    assert read_status(plant.spool).dropped == 0
