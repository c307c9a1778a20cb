"""The control room opens a plant's files together and lets go of them together."""

from pathlib import Path

import pytest

from ingest.errors import PlantFileError, StoreError
from service.alerts.book import list_alerts
from service.control_room import open_control_room
from service.settings import Settings

PLANT = """
data = "kept"
classes = [{ name = "press", signals = [{ name = "force" }] }]
machines = [{ name = "m1", class = "press" }]
"""


def test_a_plant_is_opened_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(PLANT)
    with open_control_room(Settings(plant=tmp_path / "plant.toml")) as room:
        assert room.plant.machines[0].name == "m1"
        assert room.store.counts().readings == 0
        with room.state.read() as connection:
            assert list_alerts(connection) == []
    assert {path.name for path in (tmp_path / "kept").iterdir()} >= {"readings.db", "state.db"}


def test_a_wrong_plant_file_makes_no_data_folder(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text("machines = 3")
    with pytest.raises(PlantFileError):
        open_control_room(Settings(plant=tmp_path / "plant.toml"))
    assert [path.name for path in tmp_path.iterdir()] == ["plant.toml"]


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(PLANT)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "state.db").write_text("no database at all" * 100)
    with pytest.raises(StoreError, match=r"state\.db: not a database, or damaged"):
        open_control_room(Settings(plant=tmp_path / "plant.toml"))
