"""Each prediction has the grade of the signals that it rests on beside it, from the newest grading."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ingest.database import Database
from ingest.delivery import Delivery
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.quality.assess import SignalGrade
from ingest.quality.fault import Fault
from ingest.quality.grade import Grade
from ingest.reading import DAY, Readings, readings_schema
from ingest.store import Store
from ingest.turned_away import Cell, TurnedAway
from service.grades import grade_of_alert, grade_of_model, grade_when_due, keep_grades, kept_grades
from tests.ready_state import open_state

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 10
END = START + timedelta(days=DAYS)
SIGNALS = ("flow", "power", "heat")


class Pumps:
    """Two pumps with ten days of readings; from day 8 on the flow of the first stands still."""

    def __init__(self, folder: Path) -> None:
        self.plant = Plant(
            classes=[
                MachineClass(
                    name="pump", signals=[Signal(name=name, every="10 min", range=(0, 99)) for name in SIGNALS]
                )
            ],
            machines=[Machine(name=name, machine_class="pump") for name in ("m1", "m2")],
            models=[
                ModelEntry(name="all", task="anomaly", horizon="24 h", machine_class="pump"),
                ModelEntry(name="two", task="anomaly", horizon="24 h", machine_class="pump", signals=["power", "heat"]),
            ],
            folder=folder,
        )
        self.store, self.state = Store(folder), open_state(folder / "state.db")
        chance, count = np.random.default_rng(1), DAYS * 144
        times = [START + timedelta(minutes=10 * each) for each in range(count)]
        for machine in ("m1", "m2"):
            values = 50 + chance.standard_normal((3, count))
            if machine == "m1":
                values[0, 8 * 144 :] = 50.0
            table = pa.table([[machine] * count, times, times, *values], schema=readings_schema(SIGNALS))
            self.store.append(Readings("pump", table), source="test", position=machine)

    def kept(self, machine: str = "m1") -> Any:
        """Return the grades of a machine."""
        return kept_grades(self.state, self.plant, [machine])[machine]


@pytest.fixture
def pumps(tmp_path: Path) -> Iterator[Pumps]:
    pumps = Pumps(tmp_path)
    yield pumps
    pumps.store.close()
    pumps.state.close()


def grade(pumps: Pumps, at: datetime) -> int:
    return grade_when_due(pumps.plant, pumps.store, pumps.state, at=at)


def test_a_grading_looks_at_nothing_that_came_later(pumps: Pumps) -> None:
    grade(pumps, START + timedelta(days=8))
    assert [(each.number, each.reason) for each in pumps.kept().values()] == [(100, "ok")] * 3

    grade(pumps, END)
    assert (pumps.kept()["flow"].reason, pumps.kept()["flow"].at) == ("flat", END)
    assert pumps.kept()["flow"].level != "high"


def test_machines_are_graded_once_a_day_and_not_at_each_round(pumps: Pumps) -> None:
    assert grade(pumps, END) == 2
    assert grade(pumps, END + timedelta(hours=23)) == 0
    assert grade(pumps, END + timedelta(hours=24)) == 2


def test_an_older_grade_never_takes_the_place_of_a_newer_one(pumps: Pumps) -> None:
    newer, older = (SignalGrade("m1", "flow", Grade(number, ())) for number in (70, 90))
    with pumps.state.write() as connection:
        keep_grades(connection, [newer], at=END)
        keep_grades(connection, [older], at=START)

    assert pumps.kept()["flow"].number == 70


def test_a_prediction_has_the_worst_grade_of_the_signals_that_it_rests_on(pumps: Pumps) -> None:
    grade(pumps, END)
    kept = pumps.kept()

    assert (grade_of_model(pumps.plant, "all", kept) or kept["heat"]).signal == "flow"
    two = grade_of_model(pumps.plant, "two", kept)
    assert two is not None
    assert (two.signal in ("power", "heat"), two.reason) == (True, "ok")
    gone = grade_of_model(pumps.plant, "a model that was taken away", kept)
    assert gone == kept["flow"]
    assert grade_of_alert(pumps.plant, "all", kept) == kept["flow"]
    assert grade_of_alert(pumps.plant, "sensor health", kept) is None
    assert grade_of_model(pumps.plant, "all", {}) is None


def test_cells_that_were_turned_away_are_graded(pumps: Pumps) -> None:
    day = round(START.timestamp() * 1e6) // DAY
    away = TurnedAway({Cell("m2", "heat", day, "no number"): 100, Cell("m2", "power", day, "out of range"): 100})
    pumps.store.deliver([Delivery(source="s", turned_away=away)])

    grade(pumps, END)

    assert {name: each.reason for name, each in pumps.kept("m2").items()} == {
        "flow": "ok",
        "heat": "invalid",
        "power": "out_of_domain",
    }


def keep(state: Database, machine: str, signal: str, fault: Fault, at: datetime) -> None:
    with state.write() as connection:
        keep_grades(connection, [SignalGrade(machine, signal, Grade.of([fault]))], at=at)


def test_the_interface_and_the_pages_show_the_grade_beside_levels_signals_and_alerts(works: Any) -> None:
    works.send(minutes=3, temperature=60.0)
    works.assess(level=0.3)
    number = works.alert().number
    fault = Fault("flat", 0.5, 0, 1, "700 readings of 61 one after the other")
    keep(works.room.state, "press-1", "temperature", fault, works.now)

    machine = works.get("/api/v1/machines/press-1")
    listed = works.get("/api/v1/machines")["items"]
    alert = works.get(f"/api/v1/alerts/{number}")

    expected = {"signal": "temperature", "level": "low", "reason": "flat"}
    for shown in (machine["said"][0], machine["level"], listed[0]["said"][0], machine["signals"][0], alert):
        assert expected.items() <= shown["grade"].items()
    assert listed[1]["said"] == []
    assert "temperature: flat" in works.client.get("/", headers={"accept": "text/html"}).text
    for path in ("/machines/press-1", f"/alerts/{number}"):
        page = works.client.get(path, headers={"accept": "text/html"}).text
        assert "700 readings of 61 one after the other" in page
        assert "(flat)" in page
