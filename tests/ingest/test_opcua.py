"""A stream at a real OPC UA server: every value that comes is durable, or says why it is not a reading."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.intake import Intake
from ingest.store import Store
from tests.ingest.mqtt_plant import listening, wait_for
from tests.ingest.opcua_plant import VALUES, plant_at, stream_of
from tests.opcua_server import OpcuaServer, running_server

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def one_server() -> Iterator[OpcuaServer]:
    with running_server(*VALUES) as server:
        yield server


@pytest.fixture
def server(one_server: OpcuaServer) -> OpcuaServer:
    one_server.reset()
    return one_server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with Intake(store) as intake:
        yield intake


def rows(store: Store) -> list[tuple[str, datetime, float | None, float | None]]:
    table = store.read("press", signals=["a", "b"]).table
    return [(each["machine"], each["time"], each["a"], each["b"]) for each in table.to_pylist()]


def reasons(store: Store) -> list[str]:
    return sorted(each.letter.reason for each in store.dead_letters())


def test_values_become_readings_at_the_time_of_their_source(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set_all([("m1.a", float(each), BEGIN + timedelta(seconds=each), 0) for each in range(20)])
        server.set_all([("m2.b", 7.0, BEGIN + timedelta(seconds=each), 0) for each in range(3)])
        wait_for(lambda: stream.state.kept == 23)

    assert rows(store) == [
        *[("m1", BEGIN + timedelta(seconds=each), float(each), None) for each in range(20)],
        *[("m2", BEGIN + timedelta(seconds=each), None, 7.0) for each in range(3)],
    ]
    assert stream.state.why == "stopped"
    assert store.dead_letters() == []
