"""A made-up plant that is played as an OPC UA server."""

import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from ingest.errors import TargetError
from ingest.intake import Intake
from ingest.plant_file import load_plant
from ingest.simulation.plant_text import plant_text
from ingest.simulation.play import Played, play
from ingest.simulation.scenario import Scenario
from ingest.simulation.targets.catalogue import target_at
from ingest.simulation.targets.target import Target
from ingest.sources.opcua_browse import browse
from ingest.store import Store
from tests.ingest.mqtt_plant import listening
from tests.ingest.opcua_plant import stream_of
from tests.ports import free_port

PLANT = Scenario(machines={"pump": 1, "press": 1}, days=1, every=timedelta(minutes=30), seed=3)


def played(target: Target) -> Played:
    *_, last = play(PLANT, target, speed=0, now=False, clock=lambda: datetime.now(UTC), sleep=time.sleep)
    return last


def test_the_tables_of_the_server_read_each_reading_that_is_played(tmp_path: Path) -> None:
    target = target_at(f"opc.tcp://127.0.0.1:{free_port()}", PLANT)
    text = plant_text(PLANT, target.tables, dict.fromkeys(PLANT.machines_per_kind, False), files=False)
    (tmp_path / "plant.toml").write_text(text)
    stream, store, ends = stream_of(load_plant(tmp_path / "plant.toml")), Store(tmp_path / "data"), []
    with target, Intake(store) as intake:
        # Nobody listens yet, and so nothing is played.
        thread = Thread(target=lambda: ends.append(played(target)))
        thread.start()
        with listening(stream, intake):
            thread.join(60)
    (last,) = ends

    assert last.taken == last.readings > 100
    assert (stream.state.letters, store.counts().readings) == (0, last.readings)
    store.close()


def test_the_server_can_be_browsed_with_its_units() -> None:
    url = f"opc.tcp://127.0.0.1:{free_port()}"
    with target_at(url, PLANT):
        found = browse(url)

    kinds = {each.name: each.kind for each in PLANT.plant()}
    assert len(found.variables) == sum(len(kind.signals) for kind in kinds.values())
    for each in found.variables:
        line, machine, signal = each.path
        units = {one.name: one.unit for one in kinds[machine].signals}
        assert (line, each.unit) == ("line-1", units[signal])


def test_an_address_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = target_at(f"opc.tcp://127.0.0.1:{taken.getsockname()[1]}", PLANT)
        with pytest.raises(TargetError, match="is another one running there"), target:
            pass
