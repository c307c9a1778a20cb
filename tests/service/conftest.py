"""A small plant behind the web application, with a clock that stands still."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.event import events_table
from ingest.plant import Job, Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.anomaly.level import AnomalyLevel
from models.anomaly.normal import Normal
from models.bundle import Bundle
from models.finding import Evidence, Finding, FindingKind
from models.judging.interval import wilson
from models.judging.threshold import Choice
from models.registry.card import card_of, judged_of
from models.registry.registry import Registry
from service.alerts import book
from service.alerts.alert import Alert
from service.app import create_app
from service.control_room import ControlRoom
from service.database import assessment_table
from service.settings import Settings
from tests.ready_state import ReadySchemas, open_state

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="session")
def ready_schemas() -> Iterator[ReadySchemas]:
    ready = ReadySchemas()
    yield ready
    ready.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, ready_schemas: ReadySchemas) -> Iterator[str]:
    """Where the state is: empty for SQLite, else a schema that has its tables and no rows."""
    if request.param == "sqlite":
        yield ""
        return
    with ready_schemas.lend() as url:
        yield url


@dataclass
class Works:
    """The application, its rooms, and ways to fill them."""

    room: ControlRoom
    now: datetime = datetime(2026, 5, 3, 4, tzinfo=UTC)
    client: TestClient = field(init=False)

    def send(
        self, machine: str = "press-1", *, minutes: int = 60, until: datetime | None = None, **signals: float
    ) -> None:
        """Keep one reading a minute up to ``until``, the present if left out; of a signal that is NaN none."""
        end = until or self.now
        times = [end - timedelta(minutes=each) for each in reversed(range(minutes))]
        machine_class = self.room.plant.class_of(machine)
        names = tuple(each.name for each in machine_class.signals)
        columns = {name: [signals.get(name, 1.0) + place for place in range(minutes)] for name in names}
        table = pa.table(
            {"machine": [machine] * minutes, "time": times, "arrived": times, **columns}, schema=readings_schema(names)
        )
        self.room.store.append(
            Readings(machine_class.name, table), source="test", position=f"{machine} {end} {minutes}"
        )

    def alert(
        self,
        machine: str = "press-1",
        *,
        cause: str = "bearing",
        level: float = 0.6,
        hours: float = 10,
        kind: FindingKind = "failure ahead",
        version: str = "ab12",
    ) -> Alert:
        """Raise an alert whose time to act is over in ``hours``."""
        finding = Finding(
            machine=machine,
            kind=kind,
            cause=cause,
            model="press failure",
            version=version,
            begin=self.now - timedelta(hours=2),
            end=None,
            level=level,
            act_before=self.now + timedelta(hours=hours),
            evidence=(
                Evidence(signal="vibration", unit="mm/s", feature="24 h mean", actual=4.5, expected=2.0, share=0.6),
            ),
            sentence=f"{machine}: {cause} likely to fail",
        )
        with self.room.state.write() as connection:
            return book.raise_alert(connection, finding, at=self.now)[0]

    def learn(self, *, stride: timedelta = timedelta(hours=1), right: tuple[int, int] | None = None) -> str:
        """Save a version with this stride, of whose alerts so many of so many were right, and return its name."""
        entry, nothing = self.room.plant.models[0], np.empty(0)
        recipe = Recipe(
            machine_class="press", signals=("vibration",), windows=(stride,), stride=stride, features=("last",)
        )
        table = FeatureTable(nothing.astype(object), nothing.astype("datetime64[us]"), (), nothing[:, None], nothing)
        learner = AnomalyLevel()
        card = card_of(
            entry,
            self.room.plant,
            recipe,
            table=table,
            reasons={},
            labels=nothing.astype(np.int8),
            targets=events_table(),
            learner=learner,
            diagnosis=None,
            choice=Choice(0.5, "budget", "a test", 0),
        )
        if right is not None:
            unknown = wilson(0, 0).to_dict()
            report = {
                "precision": wilson(*right).to_dict(),
                "lead_hours": {"median": None, "p10": None},
                "money": {},
                "machine_weeks": 1.0,
                **dict.fromkeys(("found", "events"), 0),
                **dict.fromkeys(("recall", "false_alarms_per_machine_week"), unknown),
            }
            card["judged"] = judged_of(report, right=right[0], alerts=right[1])
        normal = Normal((), nothing, nothing, nothing, (), nothing[:, None])
        bundle = Bundle(entry, recipe, learner, 0.5, normal, card=card)
        return self.room.registry.save(bundle, created=self.now).version

    def assess(
        self,
        machine: str = "press-1",
        *,
        level: float | None = 0.1,
        age: timedelta = timedelta(0),
        version: str = "ab12",
        reason: str = "no readings",
        filled: float | None = None,
        thin: dict[str, float] | None = None,
    ) -> None:
        """Write down what the model said; the reason where it said no level."""
        row = {
            "model": "press failure",
            "machine": machine,
            "time": self.now - age,
            "version": version,
            "level": level,
            "reason": reason if level is None else "ok",
            "threshold": 0.5,
            "filled": filled,
            "thin": thin,
        }
        with self.room.state.write() as connection:
            connection.execute(assessment_table.insert(), [row])

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON document of a GET that must succeed."""
        response = self.client.get(path, params=query or None)
        assert response.status_code == 200, response.text
        return response.json()


def small_plant(folder: Path) -> Plant:
    press = MachineClass(
        name="press",
        components=["bearing"],
        signals=[
            Signal(name="temperature", unit="°C", range=(-40, 200), every="1 min"),
            Signal(name="vibration", unit="mm/s", every="1 min"),
        ],
    )
    machines = [Machine(name=f"press-{each}", machine_class="press", site="Ulm", line="Line 1") for each in (1, 2, 3)]
    return Plant(
        name=f"Works {HOSTILE}",
        time_zone="Europe/Berlin",
        classes=[press],
        machines=[*machines, Machine(name=HOSTILE, machine_class="press", site=HOSTILE)],
        models=[ModelEntry(name="press failure", task="failure_risk", machine_class="press", horizon="24 h")],
        jobs=[Job(name="score", action="score", every="10 min"), Job(name="by hand", action="train")],
        folder=folder,
    )


def open_works(folder: Path, plant_in: Callable[[Path], Plant] = small_plant, **options: Any) -> Iterator[Works]:
    """Open the application over an empty plant, and close it."""
    plant = plant_in(folder)
    settings = Settings(jobs=False, hosts=("testserver",))
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    works = Works(ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state))
    app = create_app(settings, clock=lambda: works.now, open_room=lambda _: works.room, **options)
    with TestClient(app, raise_server_exceptions=False, headers={"Accept": "application/json"}) as client:
        works.client = client
        yield works


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    yield from open_works(tmp_path)


@pytest.fixture(scope="module")
def lasting_works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """The same plant for all tests of a module: for many requests that need not know of one another."""
    yield from open_works(tmp_path_factory.mktemp("works"))


@pytest.fixture
def works_with(tmp_path: Path) -> Iterator[Callable[..., Works]]:
    """Return a function that opens the application with other options."""
    opened: list[Iterator[Works]] = []

    def open_with(**options: Any) -> Works:
        opened.append(open_works(tmp_path, **options))
        return next(opened[-1])

    yield open_with
    for each in opened:
        next(each, None)
