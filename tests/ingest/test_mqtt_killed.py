"""Killed at any moment: no message that was acknowledged is lost, and none is doubled."""

import signal
from collections import Counter
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import sleep

import pytest

from ingest.errors import StoreError
from ingest.store import Store
from tests.broker import Publisher, running_broker
from tests.ingest.mqtt_plant import wait_for
from tests.nursery import Child, nursery

# The process kills itself just before its n-th durable step, a commit or the sending of an acknowledgement,
# or is killed from outside at a moment of no meaning.
CHILD = """
import os, signal, threading
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ingest.intake import Intake
from ingest.sources.mqtt_connection import Connection
from ingest.store import Store
from tests.ingest.mqtt_plant import plant_at, stream_of

stop, left = threading.Event(), 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def heard(self):
    came = answers(self)
    if came:
        os.write(1, b"subscribed\\n")
    return came

event.listen(Engine, "commit", lambda connection: step())
acknowledge, answers = Connection.acknowledge, Connection.answers
Connection.acknowledge = lambda self, packets: (step(), acknowledge(self, packets))[1]
Connection.answers = heard

def run(folder, port, protocol, kill_at):
    global left
    left = kill_at
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = Store(Path(folder))
    with Intake(store) as intake:
        stream_of(plant_at(port, protocol=protocol)).run(intake, stop)
    store.close()
"""


def found(folder: Path) -> list[float]:
    store = Store(folder)
    try:
        return [each for each in store.read("press", signals=["a"]).table["a"].to_pylist() if each is not None]
    except StoreError:
        return []
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_kill_at_any_moment_loses_and_doubles_nothing_even_without_times(tmp_path: Path, protocol: str) -> None:
    random = Random(protocol)  # noqa: S311
    folder, said = tmp_path / "data", tmp_path / "said"
    sent, over = 0, Event()
    with (
        running_broker(tmp_path / "broker", inflight=1000) as broker,
        nursery(CHILD, log := tmp_path / "child.log") as children,
    ):

        def child(kill_at: int) -> Child:
            said.write_bytes(b"")
            return children.start(str(folder), broker.port, protocol, kill_at, stdout=said)

        first = child(4)  # subscribes; killed with its first messages

        def publish() -> None:
            nonlocal sent
            publisher = Publisher(broker.port)
            while not over.is_set():
                publisher.send((f"plant/l/m{each % 2 + 1}/a", str(each).encode()) for each in range(sent, sent + 100))
                sent += 100
                sleep(0.02)
            publisher.close()

        wait_for(said.read_bytes)
        thread = Thread(target=publish)
        thread.start()
        try:
            assert first.wait(30) == -signal.SIGKILL
            for kill_at in (2, 3, 5, 4, 0, 0):
                run = child(kill_at)
                if kill_at == 0:
                    sleep(random.uniform(0.2, 1.0))
                    run.kill()
                assert run.wait(60) == -signal.SIGKILL, log.read_text()
        finally:
            over.set()
            thread.join()
        last = child(0)
        wait_for(lambda: len(found(folder)) >= sent, 60)
        last.terminate()
        assert last.wait(30) == 0, log.read_text()
        again = child(0)
        wait_for(said.read_bytes)
        sleep(0.5)  # ample time for what was not acknowledged to come again
        again.terminate()
        assert again.wait(30) == 0

    assert sent > 1000
    assert Counter(found(folder)) == Counter(float(each) for each in range(sent))
