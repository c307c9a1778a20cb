"""Killed at any moment: no message is lost, and none is doubled, even without a time of its own."""

import signal
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest

from ingest.errors import StoreError
from ingest.store import Store
from tests.ingest.kafka_plant import numbers, values
from tests.ingest.mqtt_plant import wait_for
from tests.kafka_cluster import Cluster, Sender, committed
from tests.nursery import nursery

# The process kills itself just before its n-th durable step: a commit of the database, or one to the group.
CHILD = """
import os, signal, threading
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ingest.intake import Intake
from ingest.sources import kafka_connection
from ingest.store import Store
from tests.ingest.kafka_plant import plant_at, stream_of

stop, left = threading.Event(), 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "commit", lambda connection: step())
kafka_connection.SESSION_SECONDS = 1.5  # so that a killed member is not waited for
commit = kafka_connection.Connection.commit
kafka_connection.Connection.commit = lambda *given, **more: (step(), commit(*given, **more))[1]

def run(folder, servers, kill_at):
    global left
    left = kill_at
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = Store(Path(folder))
    with Intake(store) as intake:
        stream_of(plant_at(servers)).run(intake, stop)
    store.close()
"""


def found(folder: Path) -> list[float]:
    store = Store(folder)
    try:
        return values(store)
    except StoreError:
        return []
    finally:
        store.close()


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_and_doubles_nothing_even_without_times(tmp_path: Path) -> None:
    folder, cluster = tmp_path / "data", Cluster()
    sent, over = 0, Event()

    def publish() -> None:
        nonlocal sent
        sender = Sender(cluster.servers)
        while not over.is_set():
            for part in range(4):
                sender.send("t", numbers(range(sent, sent + 50)), partition=part)
                sent += 50
            sleep(0.05)

    thread = Thread(target=publish)
    with nursery(CHILD, log := tmp_path / "child.log") as children:
        thread.start()
        try:
            for kill_at in (4, 5, 10):
                killed = children.start(str(folder), cluster.servers, kill_at).wait(60)
                assert killed == -signal.SIGKILL, log.read_text()
        finally:
            over.set()
            thread.join()
        last = children.start(str(folder), cluster.servers, 0)
        wait_for(lambda: len(found(folder)) >= sent, 60)
        last.terminate()
        assert last.wait(30) == 0, log.read_text()

    assert sent > 1_000
    assert Counter(found(folder)) == Counter(float(each) for each in range(sent))
    assert sum(committed(cluster.servers, "andon-works-bus", "t")) == sent
