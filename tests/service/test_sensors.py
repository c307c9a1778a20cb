"""A sensor that cannot be believed becomes an alert about the sensor, and the machine gets no number."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingest.database import Database
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.chance import chance
from service.sensors import watch_sensors
from tests.ready_state import open_state

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAULT = 24 * 8
"""Hour at which the flow of m1 gets stuck."""


def plant_of(*machines: str, folder: Path) -> Plant:
    signals = [Signal(name=name, every="15 min") for name in ("flow", "power", "pressure")]
    model = ModelEntry(name="risk", task="failure_risk", machine_class="pump", horizon="24 h", needed_lead="4 h")
    return Plant(
        classes=[MachineClass(name="pump", signals=signals)],
        machines=[Machine(name=name, machine_class="pump") for name in machines],
        models=[model],
        folder=folder,
    )


class Pumps:
    """Two pumps whose readings come hour by hour; the flow of m1 is stuck for two days."""

    def __init__(self, folder: Path) -> None:
        self.plant = plant_of("m1", "m2", folder=folder)
        self.store, self.state = Store(folder), open_state(folder / "state.db")
        random = np.random.default_rng(1)
        count = (FAULT + 100) * 4
        times = [START + (each + 1) * HOUR / 4 for each in range(count)]
        for machine in ("m1", "m2"):
            values = 50 + random.standard_normal((3, count))
            if machine == "m1":
                values[0, FAULT * 4 : (FAULT + 48) * 4] = values[0, FAULT * 4]
            table = pa.table(
                [[machine] * count, times, times, *values], schema=readings_schema(("flow", "power", "pressure"))
            )
            self.store.append(Readings("pump", table), source="test", position=machine)

    def look(self, *hours: float, plant: Plant | None = None, state: Database | None = None) -> list[tuple[int, int]]:
        """Look at all sensors at hours after the fault began; return what was raised and what is over."""
        turns = [
            watch_sensors(plant or self.plant, self.store, state or self.state, at=START + (FAULT + hour) * HOUR)
            for hour in hours
        ]
        return [(turn.raised, turn.over) for turn in turns]

    def alerts(self, state: Database | None = None) -> Sequence[Alert]:
        with (state or self.state).read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))


@pytest.fixture
def pumps(tmp_path: Path) -> Iterator[Pumps]:
    made = Pumps(tmp_path)
    yield made
    made.store.close()
    made.state.close()


def test_a_sensor_fault_raises_one_alert_about_the_sensor_that_ends_with_it(pumps: Pumps) -> None:
    assert pumps.look(-1, 1, 3.5, 4, 20, 47, 60, 70) == [(0, 0)] * 2 + [(1, 0)] + [(0, 0)] * 3 + [(0, 1), (0, 0)]
    (alert,) = pumps.alerts()
    assert (alert.machine, alert.kind, alert.cause) == ("m1", "sensor fault", "flow sensor")
    assert timedelta(0) < alert.condition_begin - (START + FAULT * HOUR) <= 3 * HOUR
    assert alert.act_before == alert.condition_begin + 20 * HOUR, "the model is blind: horizon − needed lead"
    assert alert.state is AlertState.RETURNED
    assert "stands still while others move" in alert.sentence
    assert chance(alert, lambda model, version: {}).share is None, "it says nothing of the machine"


def test_a_fault_that_came_and_went_between_two_looks_raises_nothing(pumps: Pumps) -> None:
    assert pumps.look(-1, 70) == [(0, 0), (0, 0)]


def test_an_alert_that_was_closed_while_the_fault_lasts_stays_closed_until_the_next_fault(pumps: Pumps) -> None:
    pumps.look(10)
    with pumps.state.write() as connection:
        book.close(connection, 1, verdict=Verdict.RIGHT, by="Ada", at=START)
    assert pumps.look(12, 30, 60) == [(0, 0)] * 3
    (alert,) = pumps.alerts()
    assert alert.condition_end is not None, "told from then on as over, so that the next fault is a new matter"


def test_an_earlier_look_that_comes_late_changes_nothing(pumps: Pumps) -> None:
    pumps.look(70)
    assert pumps.look(10, 30) == [(0, 0), (0, 0)]
    assert not pumps.alerts()


def test_the_same_looks_give_the_same_alerts(pumps: Pumps, tmp_path: Path) -> None:
    again = open_state(tmp_path / "again.db")
    pumps.look(3, 10, 30)
    pumps.look(3, 10, 30, state=again)
    assert pumps.alerts() == pumps.alerts(again)
    again.close()


def test_an_alert_about_a_sensor_that_left_the_plant_file_ends(pumps: Pumps, tmp_path: Path) -> None:
    pumps.look(10)
    assert pumps.look(12, plant=plant_of("m2", folder=tmp_path)) == [(0, 1)]
