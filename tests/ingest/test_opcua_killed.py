"""Killed at any moment: no value that was acknowledged to an OPC UA server is lost, and none is doubled."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import sleep

import pytest

from ingest.errors import StoreError
from ingest.store import Store
from tests.ingest.mqtt_plant import wait_for
from tests.nursery import Child, nursery
from tests.opcua_server import running_server

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

# The process kills itself just before its n-th commit, or just before its n-th acknowledgement, or is killed
# from outside at a moment of no meaning. It writes down each value just before it is acknowledged.
CHILD = """
import os, signal, threading
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ingest.intake import Intake
from ingest.sources.opcua import OpcuaStream
from ingest.store import Store
from tests.ingest.opcua_plant import plant_at, stream_of

stop, left = threading.Event(), {}
take = OpcuaStream._take

def step(what):
    left[what] -= 1
    if left[what] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def noted(self, came, inlet, stop):
    await take(self, came, inlet, stop)
    step("acknowledge")
    os.write(1, "".join(f"{each.value:.0f}\\n" for each in came.points).encode())

event.listen(Engine, "commit", lambda connection: step("commit"))
OpcuaStream._take = noted

def run(folder, url, commit, acknowledge):
    left.update(commit=commit, acknowledge=acknowledge)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = Store(Path(folder))
    with Intake(store) as intake:
        stream_of(plant_at(url)).run(intake, stop)
    store.close()
"""


def found(folder: Path) -> dict[int, float]:
    """Return the value of each second; a time that came twice would be two rows."""
    store = Store(folder)
    try:
        table = store.read("press", signals=["a"]).table.to_pylist()
    except StoreError:
        return {}
    finally:
        store.close()
    seconds = [round((each["time"] - BEGIN).total_seconds()) for each in table]
    assert len(set(seconds)) == len(seconds)
    return dict(zip(seconds, [each["a"] for each in table], strict=True))


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_and_doubles_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    random = Random(7)  # noqa: S311
    folder, over, last = tmp_path / "data", Event(), 0
    with (
        running_server("m1.a", "m1.b", "m2.a", "m2.b") as server,
        nursery(CHILD, log := tmp_path / "child.log") as children,
    ):

        def child(*, commit: int = 0, acknowledge: int = 0) -> Child:
            return children.start(str(folder), server.url, commit, acknowledge, stdout=tmp_path / "said")

        def produce() -> None:
            nonlocal last
            while not over.is_set():
                server.set("m1.a", float(last + 1), time=BEGIN + timedelta(seconds=last + 1))
                last += 1
                sleep(0.005)

        thread = Thread(target=produce)
        thread.start()
        for kill in ({"acknowledge": 3}, {"commit": 6}, {"acknowledge": 1}, {}, {}):
            run = child(**kill)
            if not kill:
                wait_for_more(tmp_path)
                sleep(random.uniform(0.0, 0.5))
                run.kill()
            assert run.wait(30) == -signal.SIGKILL, log.read_text()
        run = child()
        wait_for_more(tmp_path)
        over.set()
        thread.join()
        wait_for(lambda: last in said(tmp_path))
        run.terminate()
        assert run.wait(30) == 0, log.read_text()

    kept = found(folder)
    assert len(kept) > 100
    assert set(said(tmp_path)) <= set(kept)
    assert all(value == second for second, value in kept.items())


def wait_for_more(folder: Path) -> None:
    before = len(said(folder))
    wait_for(lambda: len(said(folder)) > before)


def said(folder: Path) -> list[int]:
    """Return the values that were acknowledged."""
    text = (folder / "said").read_text() if (folder / "said").exists() else ""
    return [int(each) for each in text.split("\n")[:-1]]
