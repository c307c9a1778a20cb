"""Limits of the plant file raise alerts from the first day on, before anything was trained."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.database import Database
from ingest.plant import SIGNAL_LIMITS, Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.registry.registry import Registry
from service import monitor
from service.alerts import book
from service.alerts.alert import Alert, AlertState
from service.release import why_unwatched
from service.round_report import RoundReport
from tests.ready_state import open_state

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plant_of(*signals: Signal, models: Sequence[ModelEntry] = ()) -> Plant:
    return Plant(
        classes=[MachineClass(name="fan", signals=list(signals))],
        machines=[Machine(name=name, machine_class="fan") for name in ("fan-1", "fan-2")],
        models=list(models),
    )


TEMPERATURE = Signal(name="temperature", unit="degC", limits=(10.0, 80.0), every="20 min")
VIBRATION = Signal(name="vibration", unit="mm/s", zones="ISO 10816-1 II", every="20 min")
FREE = Signal(name="load", unit="kW", every="20 min")


@dataclass
class World:
    """A plant without any model."""

    plant: Plant
    store: Store
    state: Database
    registry: Registry

    def say(self, machine: str, hours: range, **signals: float) -> None:
        times = [START + (hour + late) * HOUR for hour in hours for late in (1 / 3, 2 / 3, 1)]
        names = tuple(each.name for each in self.plant.classes[0].signals)
        columns = [[signals.get(name, 20.0 if name == "temperature" else 1.0)] * len(times) for name in names]
        table = pa.table([[machine] * len(times), times, times, *columns], schema=readings_schema(names))
        self.store.append(Readings("fan", table), source="test", position=f"{machine} {hours}")

    def round(self, hour: float) -> RoundReport:
        return monitor.round(self.plant, self.store, self.registry, self.state, at=START + hour * HOUR)

    def alerts(self) -> list[Alert]:
        with self.state.read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))[::-1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(Store(tmp_path)) as store, closing(open_state(tmp_path / "state.db")) as state:
        yield World(plant_of(TEMPERATURE, VIBRATION, FREE), store, state, Registry(tmp_path / "models"))


def test_a_limit_of_the_plant_file_raises_one_alert_before_any_training(world: World) -> None:
    world.say("fan-1", range(8), temperature=91.5)
    world.say("fan-2", range(8), temperature=79.0)
    report = world.round(8)

    (alert,) = world.alerts()
    assert (report.raised, report.errors, report.findings) == (1, (), 1)
    assert (alert.machine, alert.cause, alert.kind, alert.model) == (
        "fan-1",
        "temperature limit",
        "limit",
        SIGNAL_LIMITS,
    )
    assert alert.sentence == "fan-1: temperature at 91.5 degC is above its limit of 80 degC (1 h mean)"
    assert (alert.evidence[0].actual, alert.evidence[0].expected) == (91.5, 80.0)


def test_a_vibration_zone_says_where_it_comes_from_and_that_nobody_checked_it(world: World) -> None:
    world.say("fan-1", range(8), vibration=4.0)
    world.round(8)

    (alert,) = world.alerts()
    assert alert.sentence == (
        "fan-1: vibration at 4 mm/s is above its limit of 2.8 mm/s"
        " (1 h mean, zone C of ISO 10816-1:1995, Annex B, class II, unchecked)"
    )


def test_the_alert_is_over_when_the_signal_is_back_for_as_long_as_any_alert_needs(world: World) -> None:
    world.say("fan-1", range(8), temperature=91.5)
    world.round(8)
    world.say("fan-1", range(8, 16), temperature=60.0)
    report = world.round(16)

    assert report.over == 1
    assert [each.state for each in world.alerts()] == [AlertState.RETURNED]


def test_rounds_again_and_again_raise_nothing_again(world: World) -> None:
    world.say("fan-1", range(8), temperature=5.0)
    raised = [world.round(hour).raised for hour in (3, 4, 6, 8, 8)]

    assert sum(raised) == 1
    assert "below its limit of 10 degC" in world.alerts()[0].sentence


def test_one_window_beyond_the_limit_raises_nothing(world: World) -> None:
    world.say("fan-1", range(4))
    world.say("fan-1", range(4, 5), temperature=91.5)
    world.say("fan-1", range(5, 9))
    world.round(9)

    assert world.alerts() == []


def test_a_plant_without_limits_is_not_looked_at(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store, closing(open_state(tmp_path / "state.db")) as state:
        world = World(plant_of(FREE), store, state, Registry(tmp_path / "models"))
        world.say("fan-1", range(8), load=1e6)

        assert world.round(8).findings == 0


def test_an_alert_ends_when_its_limit_leaves_the_plant_file(world: World) -> None:
    world.say("fan-1", range(8), temperature=91.5)
    world.round(8)
    world.plant = plant_of(TEMPERATURE.model_copy(update={"limits": None}), FREE)

    assert world.round(9).over == 1
    assert "no limits" in why_unwatched(world.plant, SIGNAL_LIMITS, "fan-1")
