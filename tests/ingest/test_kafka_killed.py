"""Killed at any moment: no message is lost, and none is doubled, even without a time of its own."""

import os
import signal
import subprocess
import sys
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

ROOT = Path(__file__).parents[2]

# The process kills itself just before its n-th durable step: a commit of the database, or one to the group.
CHILD = """
import os, signal, sys, threading

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())

from pathlib import Path

left = int(sys.argv[3])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from sqlalchemy import event
from sqlalchemy.engine import Engine

event.listen(Engine, "commit", lambda connection: step())

from ingest.intake import Intake
from ingest.sources import kafka_connection
from ingest.store import Store
from tests.ingest.kafka_plant import plant_at, stream_of

kafka_connection.SESSION_SECONDS = 3.5  # so that a killed member is not waited for
commit = kafka_connection.Connection.commit
kafka_connection.Connection.commit = lambda *given, **more: (step(), commit(*given, **more))[1]
store = Store(Path(sys.argv[1]))
with Intake(store) as intake:
    stream_of(plant_at(sys.argv[2])).run(intake, stop)
store.close()
"""


def child(folder: Path, servers: str, kill_at: int) -> "subprocess.Popen[bytes]":
    with (folder.parent / "child.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), servers, str(kill_at)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log,
        )  # fmt: skip


def found(folder: Path) -> list[float]:
    store = Store(folder)
    try:
        return values(store)
    except StoreError:
        return []
    finally:
        store.close()


@pytest.mark.slow(seconds=25)
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
    thread.start()
    try:
        for kill_at in (4, 5, 8, 11):
            assert child(folder, cluster.servers, kill_at).wait(60) == -signal.SIGKILL, (
                tmp_path / "child.log"
            ).read_text()
    finally:
        over.set()
        thread.join()
    last = child(folder, cluster.servers, 0)
    wait_for(lambda: len(found(folder)) >= sent, 60)
    last.terminate()
    assert last.wait(30) == 0, (tmp_path / "child.log").read_text()

    assert sent > 1_000
    assert Counter(found(folder)) == Counter(float(each) for each in range(sent))
    assert sum(committed(cluster.servers, "andon-works-bus", "t")) == sent
