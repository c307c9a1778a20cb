"""Why there is an alert: by the API and on its page, from a real model and real readings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from features.extract import extract
from ingest.plant import Plant
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.believed import explained
from models.bundle import Bundle
from models.finding import Finding
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.registry.registry import Registry
from service.alerts import book
from service.alerts.alert import Verdict
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.features.table_history import TableHistory, after
from tests.models.pumps import FAILURES, HOURS, MACHINES, PLANT, pump_entry, pump_history
from tests.ready_state import open_state

NOW = after(hours=FAILURES["pump-0"][2] - 2)
"""Shortly before the last failure of the first pump: all pumps have failed twice by then."""

PAGE = {"Accept": "text/html"}


@dataclass
class Pumps:
    """Pumps behind the application, watched by a model that knows their first two lives."""

    room: ControlRoom
    bundle: Bundle
    client: TestClient

    def alert(self, machine: str = "pump-0", at: datetime = NOW) -> int:
        """Raise what a round would raise at a moment, and return its number."""
        said = explained(self.room.plant, self.room.store, self.bundle, machine, at)
        finding = Finding(
            machine=machine,
            kind="failure ahead",
            cause=said.cause,
            model=self.bundle.entry.name,
            version=self.bundle.version,
            begin=at,
            end=None,
            level=said.why.level,
            act_before=at + timedelta(hours=9),
            evidence=said.evidence,
            sentence=said.sentence,
            why=said.why,
        )
        with self.room.state.write() as connection:
            return book.raise_alert(connection, finding, at=at)[0].number

    def why(self, number: int) -> dict[str, Any]:
        """Return what the API says."""
        answer = self.client.get(f"/api/v1/alerts/{number}/why")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def trained() -> tuple[Plant, TableHistory, Bundle]:
    entry, history = pump_entry(), pump_history(until=HOURS)
    plant = PLANT.model_copy(update={"models": [entry]})
    known = after(hours=FAILURES["pump-5"][1] + 30)
    recipe = recipe_until(plant, history, entry, known)
    table = extract(recipe, history, MACHINES, after(hours=-1), known)
    events = history.events(end=known)
    return plant, history, fit_bundle(entry, plant, recipe, table, events, known)


@pytest.fixture
def pumps(trained: tuple[Plant, TableHistory, Bundle], tmp_path: Path) -> Iterator[Pumps]:
    plant, history, bundle = trained
    plant = plant.model_copy(update={"data": str(tmp_path)})
    store = Store(tmp_path)
    known = history.readings[history.readings["time"] <= NOW]
    table = pa.table(
        {
            "machine": known["machine"].astype(str).tolist(),
            "time": known["time"].tolist(),
            "arrived": known["time"].tolist(),
            "vibration": known["vibration"].tolist(),
        },
        schema=readings_schema(("vibration",)),
    )
    store.append(Readings("pump", table), source="test", position="")
    store.add_events(history.events(end=NOW), source="test")
    registry = Registry(tmp_path / "models")
    version = registry.save(bundle, created=NOW).version
    registry.promote(bundle.entry.name, version, at=NOW, by="test", why="")
    room = ControlRoom(
        Settings(jobs=False, hosts=("testserver",)), plant, store, registry, open_state(tmp_path / "state.db")
    )
    app = create_app(room.settings, clock=lambda: NOW, open_room=lambda _: room)
    with TestClient(app) as client:
        yield Pumps(room, registry.load(bundle.entry.name), client)


def test_the_contributions_add_up_to_the_level_of_the_alert(pumps: Pumps) -> None:
    why = pumps.why(pumps.alert())

    assert why["scale"] == "log-odds"
    assert why["base"] + sum(each["amount"] for each in why["contributions"]) == pytest.approx(why["score"], abs=1e-6)
    assert why["contributions"][-1]["level"] == pytest.approx(why["level"], abs=1e-6)
    assert (why["contributions"][0]["signal"], why["contributions"][0]["unit"]) == ("vibration", "mm/s")
    assert why["modes"][0]["component"] == "seal"


def test_the_signal_leaves_its_band_before_the_failure_and_not_long_before(pumps: Pumps) -> None:
    (vibration,) = (each for each in pumps.why(pumps.alert())["expected"] if each["signal"] == "vibration")
    outside = [actual > high for actual, high in zip(vibration["actual"], vibration["high"], strict=True)]

    assert vibration["unit"] == "mm/s"
    assert all(outside[-5:])
    assert sum(outside[:10]) <= 2
    assert len({len(vibration[name]) for name in ("time", "actual", "expected", "low", "high")}) == 1


def test_past_failures_that_began_alike_are_listed_and_none_of_the_future(pumps: Pumps) -> None:
    similar = pumps.why(pumps.alert())["similar"]

    assert len(similar) == 3
    assert all(each["kind"] == "failure" and each["component"] == "seal" for each in similar)
    assert all(datetime.fromisoformat(each["begin"]) < NOW for each in similar)
    assert similar[0]["likeness"] > 0.8


def test_an_earlier_alert_comes_back_with_its_verdict_and_what_was_found(pumps: Pumps) -> None:
    earlier = pumps.alert("pump-1", NOW)
    with pumps.room.state.write() as connection:
        book.close(connection, earlier, verdict=Verdict.PREVENTED, by="Ines", at=NOW, note="seal replaced")
    number = pumps.alert("pump-1", NOW)
    first = pumps.why(number)["similar"][0]

    assert (first["alert"], first["code"], first["note"]) == (earlier, "prevented", "seal replaced")
    assert 0.9 < first["likeness"] <= 1
    assert all(each["alert"] == 0 for each in pumps.why(earlier)["similar"]), "it is not its own past"


def test_the_page_shows_the_sum_the_band_and_the_past(pumps: Pumps) -> None:
    text = pumps.client.get(f"/alerts/{pumps.alert()}", headers=PAGE).text

    assert "at its normal to" in text
    assert 'class="band" d="M' in text
    assert "What began alike" in text
    assert "it looked so" in text


def test_an_alert_of_which_nothing_was_kept_says_so_and_is_shown_all_the_same(pumps: Pumps) -> None:
    number = pumps.alert()
    with pumps.room.state.write() as connection:
        connection.exec_driver_sql("DELETE FROM alert_why")

    assert pumps.why(number) == {
        **dict.fromkeys(("at", "base", "base_level", "score", "level")),
        **{name: [] for name in ("contributions", "modes", "expected", "similar")},
        "scale": "",
        "unsaid": "",
    }
    assert pumps.client.get(f"/alerts/{number}", headers=PAGE).status_code == 200


def test_a_version_that_is_gone_leaves_what_was_kept(pumps: Pumps) -> None:
    number = pumps.alert()
    with pumps.room.state.write() as connection:
        connection.exec_driver_sql("UPDATE alert SET version = 'gone'")
    why = pumps.why(number)

    assert "gone" in why["unsaid"]
    assert why["contributions"]
    assert why["expected"] == why["similar"] == []
    assert "cannot be shown" in pumps.client.get(f"/alerts/{number}", headers=PAGE).text


def test_there_is_no_why_of_no_alert(pumps: Pumps) -> None:
    assert pumps.client.get("/api/v1/alerts/77/why").status_code == 404
