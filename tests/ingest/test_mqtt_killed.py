"""Killed at any moment: no message that was acknowledged is lost, and none is doubled."""

import os
import signal
import subprocess
import sys
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

ROOT = Path(__file__).parents[2]

# The process kills itself just before its n-th durable step, a commit or the sending of an acknowledgement,
# or is killed from outside at a moment of no meaning.
CHILD = """
import os, signal, sys, threading

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())

from pathlib import Path

left = int(sys.argv[4])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from sqlalchemy import event
from sqlalchemy.engine import Engine

event.listen(Engine, "commit", lambda connection: step())

from ingest.intake import Intake
from ingest.sources.mqtt_connection import Connection
from ingest.store import Store
from tests.ingest.mqtt_plant import plant_at, stream_of

acknowledge = Connection.acknowledge
Connection.acknowledge = lambda self, packets: (step(), acknowledge(self, packets))[1]
store = Store(Path(sys.argv[1]))
with Intake(store) as intake:
    stream_of(plant_at(int(sys.argv[2]), protocol=sys.argv[3])).run(intake, stop)
store.close()
"""


def child(folder: Path, port: int, protocol: str, kill_at: int) -> "subprocess.Popen[bytes]":
    with (folder.parent / "child.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(port), protocol, str(kill_at)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log,
        )  # fmt: skip


def found(folder: Path) -> list[float]:
    store = Store(folder)
    try:
        return [each for each in store.read("press", signals=["a"]).table["a"].to_pylist() if each is not None]
    except StoreError:
        return []
    finally:
        store.close()


@pytest.mark.slow(seconds=25)
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_kill_at_any_moment_loses_and_doubles_nothing_even_without_times(tmp_path: Path, protocol: str) -> None:
    random = Random(protocol)  # noqa: S311
    folder = tmp_path / "data"
    sent, over = 0, Event()
    with running_broker(tmp_path / "broker", inflight=1000) as broker:
        first = child(folder, broker.port, protocol, 4)  # subscribes; killed with its first messages

        def publish() -> None:
            nonlocal sent
            publisher = Publisher(broker.port)
            while not over.is_set():
                publisher.send((f"plant/l/m{each % 2 + 1}/a", str(each).encode()) for each in range(sent, sent + 100))
                sent += 100
                sleep(0.02)
            publisher.close()

        wait_for(lambda: (folder / "readings.db").exists())
        sleep(1.0)
        thread = Thread(target=publish)
        thread.start()
        assert first.wait(30) == -signal.SIGKILL
        for kill_at in (2, 3, 5, 7, 4, 6, 0, 0, 0):
            run = child(folder, broker.port, protocol, kill_at)
            if kill_at == 0:
                sleep(random.uniform(1.0, 3.0))
                run.kill()
            assert run.wait(60) == -signal.SIGKILL, (tmp_path / "child.log").read_text()
        over.set()
        thread.join()
        last = child(folder, broker.port, protocol, 0)
        wait_for(lambda: len(found(folder)) >= sent, 60)
        sleep(1.0)
        last.terminate()
        assert last.wait(30) == 0, (tmp_path / "child.log").read_text()
        again = child(folder, broker.port, protocol, 0)
        sleep(2.0)
        again.terminate()
        assert again.wait(30) == 0

    assert sent > 1000
    assert Counter(found(folder)) == Counter(float(each) for each in range(sent))
