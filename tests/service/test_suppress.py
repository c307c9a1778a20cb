"""Rules suppress what means nothing now, with their name, and let go of it by themselves."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest
from pydantic import ValidationError

from ingest.database import Database
from ingest.event import Event, events_table
from ingest.plant import AlertSettings, Machine, MachineClass, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.finding import FindingKind
from models.registry.registry import Registry
from service import monitor
from service.alerts import book, mutes
from service.alerts.alert import Alert, AlertState
from service.alerts.out_of_service import take_out_of_service
from service.alerts.shelve import shelve
from service.round_report import RoundReport
from tests.ready_state import open_state

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOT, COOL = 91.5, 60.0
NAMES = ("temperature", "load")


@dataclass
class World:
    """Two fans that are too hot above 80 degrees, run above half load, and settle for two hours."""

    plant: Plant
    store: Store
    state: Database
    registry: Registry

    def say(self, begin: float, end: float, *, temperature: float = HOT, load: float = 1.0) -> None:
        times = [START + begin * HOUR + each * timedelta(minutes=20) for each in range(1, int(3 * (end - begin)) + 1)]
        columns = [[temperature] * len(times), [load] * len(times)]
        for machine in ("fan-1", "fan-2"):
            table = pa.table([[machine] * len(times), times, times, *columns], schema=readings_schema(NAMES))
            self.store.append(Readings("fan", table), source="test", position=f"{machine} {begin}")

    def maintain(self, begin: float, end: float | None) -> None:
        over = None if end is None else START + end * HOUR
        event = Event(machine="fan-1", kind="maintenance", time=START + begin * HOUR, end=over, component="belt")
        self.store.add_events(events_table([event]), source="test")

    def round(self, hour: float) -> RoundReport:
        return monitor.round(self.plant, self.store, self.registry, self.state, at=START + hour * HOUR)

    def alert(self, hour: float, machine: str = "fan-1") -> Alert:
        with self.state.read() as connection:
            (alert,) = book.list_alerts(connection, states=tuple(AlertState), machine=machine)
            return mutes.muted(connection, [alert], START + hour * HOUR)[0]

    def names(self, hour: float, machine: str = "fan-1") -> list[str]:
        with self.state.read() as connection:
            found = mutes.list_mutes(connection, at=START + hour * HOUR, machine=machine)
        return [each.name for each in found]


def plant_of(running: str | None, latch: bool = False) -> Plant:
    temperature = Signal(name="temperature", unit="degC", limits=(10.0, 80.0), every="20 min")
    load = Signal(name="load", every="20 min")
    settle = 2 * HOUR if running else timedelta(0)
    fan = MachineClass(name="fan", signals=[temperature, load], running=running, settle=settle)
    return Plant(
        classes=[fan],
        machines=[Machine(name=name, machine_class="fan") for name in ("fan-1", "fan-2")],
        alerts=AlertSettings(latch=["limit"] if latch else []),
    )


@pytest.fixture(params=["load > 0.5"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with closing(Store(tmp_path)) as store, closing(open_state(tmp_path / "state.db")) as state:
        yield World(plant_of(request.param), store, state, Registry(tmp_path / "models"))


def test_maintenance_suppresses_its_machine_alone_and_only_while_it_lasts(world: World) -> None:
    world.say(0, 8)
    world.maintain(7, 10)
    assert world.round(8).errors == ()

    (mute,) = world.alert(8).mutes
    assert (mute.name, mute.by, mute.why) == ("suppressed: maintenance", "andon", "maintenance (belt) is recorded")
    assert mute.until == START + 10 * HOUR
    assert world.alert(8, "fan-2").visibility == "shown"
    assert world.alert(10).visibility == "shown", "without any round"
    world.say(8, 11)
    world.round(11)
    with world.state.read() as connection:
        lines = book.history(connection, world.alert(11).number)
    assert [(each.happening, each.at) for each in lines] == [
        ("raised", START + 8 * HOUR),
        ("suppressed", START + 8 * HOUR),
        ("no longer suppressed", START + 10 * HOUR),
    ]


def test_maintenance_that_is_recorded_as_a_moment_suppresses_nothing(world: World) -> None:
    world.say(0, 8)
    world.maintain(7.9, None)
    world.round(8)

    assert world.alert(8).visibility == "shown"


def test_maintenance_that_takes_longer_is_followed(world: World) -> None:
    world.say(0, 8)
    world.maintain(7, 9)
    world.round(8)
    world.maintain(8, 12)
    world.round(8.5)

    assert world.alert(11).visibility == "suppressed"
    assert world.alert(12).visibility == "shown"


def test_a_machine_that_stands_is_suppressed_and_one_that_starts_until_it_settled(world: World) -> None:
    world.say(0, 8)
    world.round(8)
    assert world.names(8) == []
    world.say(8, 10, load=0.0)
    world.round(10)
    assert world.names(10) == ["suppressed: off"]
    world.say(10, 11)
    world.round(11)
    assert world.names(11) == ["suppressed: starting"]
    assert world.alert(11).visibility == "suppressed"
    world.say(11, 14)
    world.round(14)
    assert world.names(14) == []
    assert world.alert(14).visibility == "shown"


def test_what_nobody_knows_suppresses_nothing(world: World) -> None:
    world.say(0, 8)
    world.say(8, 9, load=0.0)
    world.round(9)
    assert world.names(9) == ["suppressed: off"]

    world.round(20)

    assert world.names(20) == [], "silent for longer than a reading holds"


def test_a_suppression_that_no_round_renews_is_over_after_a_day(world: World) -> None:
    world.say(0, 8)
    world.say(8, 9, load=0.0)
    world.round(9)

    assert world.names(9 + 23.9) == ["suppressed: off"]
    assert world.names(9 + 24) == []


@pytest.mark.parametrize("world", [None], indirect=True)
def test_machines_that_always_run_are_never_off(world: World) -> None:
    world.say(0, 8, load=0.0)
    report = world.round(8)

    assert (report.errors, world.names(8)) == ((), [])


def test_each_kind_of_finding_may_latch() -> None:
    kinds = list(get_args(FindingKind))

    assert AlertSettings(latch=kinds).latch == kinds
    with pytest.raises(ValidationError, match="failure ahead"):
        AlertSettings(latch=["a kind that nobody finds"])


def test_a_kind_that_latches_stays_until_somebody_resets_it(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store, closing(open_state(tmp_path / "state.db")) as state:
        world = World(plant_of(None, latch=True), store, state, Registry(tmp_path / "models"))
        world.say(0, 8)
        world.round(8)
        world.say(8, 16, temperature=COOL)
        world.round(16)
        assert world.alert(16).state is AlertState.LATCHED
        world.say(16, 24)
        world.round(24)
        assert world.alert(24).state is AlertState.UNACKNOWLEDGED
        world.say(24, 32, temperature=COOL)
        world.round(32)
        with state.write() as connection:
            number = world.alert(32).number
            book.acknowledge(connection, number, by="eva", at=START)
            assert book.reset(connection, number, by="eva", at=START).state is AlertState.NORMAL


def test_the_story_of_a_known_fault(world: World) -> None:
    """A fan is too hot, shelved for the night, cools down, is too hot again, and is taken out to be repaired."""
    day = timedelta(days=1)
    world.say(0, 8)
    world.round(8)
    number = world.alert(8).number
    with world.state.write() as connection:
        evening = START + 8 * HOUR
        until = START + 16 * HOUR
        shelve(connection, number, by="Ines", why="Spare belt comes at six.", at=evening, longest=day, until=until)
    world.say(8, 12, temperature=COOL)
    world.round(12)
    assert (world.alert(12).state, world.alert(12).visibility) == (AlertState.RETURNED, "shelved")
    world.say(12, 18)
    world.round(18)
    assert (world.alert(18).state, world.alert(18).visibility) == (AlertState.UNACKNOWLEDGED, "shown")
    with world.state.write() as connection:
        take_out_of_service(connection, "fan-1", by="Ben", why="Belt.", at=START + 18 * HOUR, longest=30 * day)
        book.acknowledge(connection, number, by="Ben", at=START + 18 * HOUR)
    world.say(18, 22, temperature=COOL)
    world.round(22)
    assert (world.alert(22).state, world.alert(22).visibility) == (AlertState.NORMAL, "out of service")
    with world.state.read() as connection:
        lines = book.history(connection, number)
    assert [(each.happening, each.by) for each in lines] == [
        ("raised", "andon"),
        ("shelved", "Ines"),
        ("condition over", "andon"),
        ("condition back", "andon"),
        ("shelving over", "andon"),
        ("out of service", "Ben"),
        ("acknowledged", "Ben"),
        ("condition over", "andon"),
    ]
