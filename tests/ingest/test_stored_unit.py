"""A history stays in the unit in which it was stored."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.reading import Readings
from ingest.rebuild import rebuild
from ingest.sources.files import ingest_files
from ingest.store import Store
from ingest.stored_unit import UnitChange, declared_units, hold_units, other_units
from tests.ingest.conftest import DATABASES

KEPT = DATABASES

NOW = datetime(2026, 1, 2, tzinfo=UTC)
MakeReadings = Callable[..., Readings]


def plant_of(**units: str) -> Plant:
    signals = [Signal(name=name, unit=unit) for name, unit in units.items()]
    return Plant(
        classes=[MachineClass(name="press", signals=signals)], machines=[Machine(name="m1", machine_class="press")]
    )


@pytest.fixture
def filled(store: Store, make_readings: MakeReadings) -> Store:
    hold_units(plant_of(a="degC", b="bar"), store.units, NOW)
    store.append(make_readings([("m1", 1, {"a": 20})], ("a",)), source="s", position="1")
    return store


def test_another_unit_over_a_history_is_refused_and_says_what_to_do(filled: Store) -> None:
    with pytest.raises(PlantFileError) as raised:
        hold_units(plant_of(a="degF", b="bar"), filled.units, NOW)
    assert raised.value.problems == [
        "signal 'a' of class 'press': its history is in 'degC', the plant file declares 'degF'; keep unit = 'degC' and"
        " write units = { a = 'degF' } for a source that delivers the other one, or run 'andon check --relabel' if the"
        " history was in the new unit all along"
    ]
    with pytest.raises(PlantFileError, match="its history is in 'degC'"):
        ingest_files(plant_of(a="bar", b="bar"), filled, now=NOW)
    assert filled.units.declared()["press", "a"] == "degC"


@pytest.mark.parametrize("units", [{"a": "°C", "b": "bar"}, {"a": "", "b": "bar"}, {"a": "degC", "b": "kPa"}])
def test_other_words_no_unit_and_a_signal_that_never_came_are_fine(filled: Store, units: dict[str, str]) -> None:
    hold_units(plant_of(**units), filled.units, NOW)
    assert [each for each in filled.units.changes() if each.signal == "a"] == []


def test_leaving_a_unit_out_does_not_open_the_door_to_another_one(filled: Store) -> None:
    hold_units(plant_of(a="", b="bar"), filled.units, NOW)
    assert len(other_units(plant_of(a="degF", b="bar"), filled.units)) == 1


def test_a_unit_may_be_named_for_a_history_that_had_none(store: Store, make_readings: MakeReadings) -> None:
    hold_units(plant_of(a=""), store.units, NOW)
    store.append(make_readings([("m1", 1, {"a": 20})], ("a",)), source="s", position="1")
    hold_units(plant_of(a="degC"), store.units, NOW)
    assert (store.units.declared(), store.units.changes()) == ({("press", "a"): "degC"}, [])


def test_a_relabelled_history_is_taken_as_it_is_and_the_change_stays_known(filled: Store) -> None:
    other = plant_of(a="degF", b="bar")
    filled.units.declare(declared_units(other), NOW)
    hold_units(other, filled.units, NOW)
    assert filled.units.changes() == [UnitChange("press", "a", "degC", "degF", NOW)]
    assert filled.read("press", signals=["a"]).table["a"].to_pylist() == [20.0]


def test_what_is_rebuilt_knows_its_units(filled: Store, tmp_path: Path) -> None:
    rebuild(filled, plant_of(a="degC", b="bar"), tmp_path / "again")
    again = Store(tmp_path / "again")
    assert again.units.declared() == filled.units.declared()
    again.close()
