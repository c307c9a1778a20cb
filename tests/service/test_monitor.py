"""A round turns new readings into assessments and alerts: exactly once, whoever is killed or broken."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.engine import Connection

from features.recipe import Recipe
from features.running import Running
from features.table import FeatureTable
from ingest.database import Database
from ingest.errors import NotEnoughDataError, RegistryError
from ingest.event import Event, EventKind, events_table
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal, Target
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.anomaly.normal import Normal
from models.bundle import Bundle
from models.engine.engine import HERE, Engine
from models.engine.processes import Processes
from models.filled import Filled
from models.judging.split import Fold
from models.registry.registry import Registry
from models.subject import Subject
from models.why.parts import Parts, log_odds
from service import monitor
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Happening, Verdict
from service.alerts.kept_why import kept_why
from service.database import assessment_table, metadata, open_state
from service.levels import newest_levels
from service.release import why_unwatched
from service.round_report import RoundReport
from service.subjects import watch_of
from tests.models.engine_work import Several, kill_for

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMN = "vibration__last__1h"


def entry(name: str = "risk", component: str = "bearing") -> ModelEntry:
    return ModelEntry(
        name=name,
        task="failure_risk",
        machine_class="press",
        horizon="24 h",
        needed_lead="2 h",
        target=Target(component=component),
    )


def plant_of(*entries: ModelEntry, machines: Sequence[str] = ("m1", "m2")) -> Plant:
    signal_of_class = Signal(name="vibration", unit="mm/s", every="20 min")
    return Plant(
        classes=[MachineClass(name="press", components=["bearing", "seal"], signals=[signal_of_class])],
        machines=[Machine(name=name, machine_class="press") for name in machines],
        models=list(entries),
    )


@dataclass
class Passed:
    """A learner whose level is the newest vibration, and that may do something else first."""

    first: Callable[[FeatureTable], None] = lambda table: None
    groups: tuple[str, ...] = ("vibration",)
    held_out: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold]) -> Self:
        return self

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        self.first(table)
        return table.values[:, table.names.index(COLUMN)]

    def parts(self, table: FeatureTable) -> Parts:
        level = table.values[:, table.names.index(COLUMN)]
        return Parts("log-odds", np.full(len(table), -3.0), (log_odds(level) + 3.0)[:, np.newaxis])


def bundle_of(model: ModelEntry, first: Callable[[FeatureTable], None] = lambda table: None) -> Bundle:
    recipe = Recipe(
        machine_class="press",
        signals=("vibration",),
        windows=(HOUR,),
        stride=HOUR,
        features=("last",),
        every=(HOUR / 3,),
    )
    zero, one = np.zeros(1), np.ones(1)
    normal = Normal(recipe.names, zero, one, one, (), np.empty((0, 1)))
    return Bundle(model, recipe, Passed(first), 0.5, normal, units={"vibration": "mm/s"}, version=f"{model.name}-1")


class Shelf:
    """A registry of bundles in memory."""

    def __init__(self, *bundles: Bundle, broken: Sequence[str] = ()) -> None:
        self.bundles = {each.entry.name: each for each in bundles}
        self.broken = broken

    def live(self, model: str, at: datetime | None = None) -> str | None:
        return "1" if model in self.bundles or model in self.broken else None

    def load(self, model: str, version: str | None = None) -> Bundle:
        if model in self.broken:
            raise RegistryError(f"{model}: altered")
        return self.bundles[model]

    def card(self, model: str, version: str) -> Mapping[str, Any]:
        raise RegistryError(f"{model}: no card of version {version}")


@dataclass
class World:
    """A small plant with its store and state; levels are written as readings."""

    store: Store
    state: Database
    plant: Plant
    shelf: Shelf

    def say(self, machine: str, levels: Sequence[float], *, first: int = 1) -> None:
        """Give a machine three equal readings in each hour, the first hour ending ``first`` hours after the start."""
        times = [START + (first + hour - late) * HOUR for hour in range(len(levels)) for late in (2 / 3, 1 / 3, 0)]
        values = [level for level in levels for _ in range(3)]
        table = pa.table([[machine] * len(times), times, times, values], schema=readings_schema(("vibration",)))
        self.store.append(Readings("press", table), source="test", position="")

    def happen(self, machine: str, kind: EventKind, hour: float) -> None:
        event = Event(machine=machine, kind=kind, time=START + hour * HOUR)
        self.store.add_events(events_table([event]), source="test")

    def round(self, hour: float, state: Database | None = None, engine: Engine = HERE) -> RoundReport:
        registry = cast(Registry, self.shelf)
        at = START + hour * HOUR
        return monitor.round(self.plant, self.store, registry, state or self.state, at=at, since=START, engine=engine)

    def alerts(self) -> list[Alert]:
        with self.state.read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))[::-1]

    def history(self, number: int) -> list[Happening]:
        with self.state.read() as connection:
            return [line.happening for line in book.history(connection, number)]

    def act(self, work: Callable[[Connection], Any]) -> None:
        with self.state.write() as connection:
            work(connection)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.state.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in metadata.sorted_tables
            }


def a_world(folder: Path, *bundles: Bundle, machines: Sequence[str] = ("m1", "m2")) -> World:
    bundles = bundles or (bundle_of(entry()),)
    plant = plant_of(*(each.entry for each in bundles), machines=machines)
    return World(Store(folder), open_state(folder / "state.db"), plant, Shelf(*bundles))


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*bundles: Bundle, machines: Sequence[str] = ("m1", "m2")) -> World:
        made.append(a_world(tmp_path / str(len(made)), *bundles, machines=machines))
        return made[-1]

    yield make
    for world in made:
        world.store.close()
        world.state.close()


Worlds = Callable[..., World]


def test_a_condition_that_lasts_raises_one_alert_that_says_what_was_found(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.1, 0.1, 0.9, 0.8])
    world.say("m2", [0.1, 0.1, 0.1, 0.1])
    report = world.round(4)
    assert (report.models, report.machines, report.windows) == (("risk",), 2, 8)
    assert (report.findings, report.raised, report.over, report.stale, report.errors) == (1, 1, 0, (), ())
    (alert,) = world.alerts()
    assert (alert.machine, alert.cause, alert.kind, alert.level) == ("m1", "bearing", "failure ahead", 0.8)
    assert alert.condition_begin == START + 4 * HOUR
    assert alert.act_before == START + 26 * HOUR, "begin + horizon − needed lead"
    assert alert.evidence[0].signal == "vibration"
    assert alert.sentence.startswith("m1: bearing likely to fail within 24 h (80 %")


def test_what_makes_the_level_is_kept_with_the_alert_and_follows_it(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.1, 0.1, 0.9, 0.8])
    world.round(4)
    (alert,) = world.alerts()
    with world.state.read() as connection:
        first = kept_why(connection, alert.number)
    world.say("m1", [0.7], first=5)
    world.round(5)
    with world.state.read() as connection:
        then = kept_why(connection, alert.number)

    assert first is not None
    assert then is not None
    assert (first.at, then.at) == (START + 4 * HOUR, START + 5 * HOUR)
    assert (first.level, then.level) == (pytest.approx(0.8), pytest.approx(0.7))
    assert then.base + sum(each.amount for each in then.contributions) == pytest.approx(then.score, abs=1e-6)
    assert [each.signal for each in then.contributions] == ["vibration"]


def test_a_round_without_new_readings_changes_nothing(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9, 0.9])
    world.round(3)
    before = world.dump()
    report = world.round(3.5)
    assert (report.windows, report.raised) == (0, 0)
    assert world.dump() == before


def test_a_condition_that_was_over_again_before_the_round_raises_nothing(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9, 0.9, 0.1, 0.1, 0.1])
    report = world.round(6)
    assert report.windows == 6
    assert world.alerts() == []


def test_an_alert_returns_when_its_condition_is_over_and_comes_back_as_the_same(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.say("m1", [0.1, 0.1, 0.1], first=3)
    assert world.round(5).over == 1
    (alert,) = world.alerts()
    assert (alert.state, alert.condition_end) == (AlertState.RETURNED, START + 5 * HOUR)
    world.say("m1", [0.9, 0.9], first=6)
    world.round(7)
    (alert,) = world.alerts()
    assert (alert.state, alert.condition_end) == (AlertState.UNACKNOWLEDGED, None)
    assert world.history(1) == [Happening.RAISED, Happening.CONDITION_OVER, Happening.CONDITION_BACK]


def test_over_and_back_within_one_round_are_both_written(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.say("m1", [0.1, 0.1, 0.1, 0.9, 0.9], first=3)
    world.round(7)
    assert world.history(1) == [Happening.RAISED, Happening.CONDITION_OVER, Happening.CONDITION_BACK]
    assert len(world.alerts()) == 1


def test_an_acknowledged_alert_becomes_normal_when_its_condition_is_over(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.act(lambda connection: book.acknowledge(connection, 1, by="eva", at=START + 2 * HOUR))
    world.say("m1", [0.1, 0.1, 0.1], first=3)
    world.round(5)
    assert world.alerts()[0].state is AlertState.NORMAL


def test_a_closed_alert_is_not_raised_again_before_its_condition_was_over(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.act(lambda c: book.close(c, 1, verdict=Verdict.WRONG, by="eva", at=START + 2 * HOUR))
    world.say("m1", [0.9, 0.9], first=3)
    world.round(4)
    assert len(world.alerts()) == 1
    world.say("m1", [0.1, 0.1, 0.1, 0.9, 0.9], first=5)
    world.round(9)
    assert [alert.state for alert in world.alerts()] == [AlertState.NORMAL, AlertState.UNACKNOWLEDGED]


def test_a_failure_ends_the_condition_and_begins_a_new_life(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.happen("m1", "failure", 2.5)
    world.say("m1", [0.9], first=3)
    world.round(3)
    (alert,) = world.alerts()
    assert (alert.state, alert.condition_end) == (AlertState.RETURNED, START + 2.5 * HOUR)


def test_the_level_of_an_open_alert_follows_the_newest_windows(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.6, 0.6])
    world.round(2)
    world.say("m1", [0.95, 0.2], first=3)
    world.round(4)
    (alert,) = world.alerts()
    assert alert.level == 0.95
    assert alert.act_before == START + 24 * HOUR, "counted from the begin of the condition"
    assert "95 %" in alert.sentence
    assert alert.sentence.endswith("act before 2026-03-02 00:00")
    assert world.history(1) == [Happening.RAISED, Happening.CHANGED]


def test_one_broken_machine_does_not_stop_the_others(worlds: Worlds) -> None:
    def refuse(table: FeatureTable) -> None:
        if "m1" in table.machine:
            raise NotEnoughDataError("m1 cannot be said")

    world = worlds(bundle_of(entry(), refuse))
    for machine in ("m1", "m2"):
        world.say(machine, [0.9, 0.9])
    report = world.round(2)
    assert report.errors == ("risk, m1: m1 cannot be said",)
    assert [alert.machine for alert in world.alerts()] == ["m2"]
    world.shelf.bundles["risk"] = bundle_of(entry())
    assert world.round(2).windows == 2, "the broken machine is caught up with"


def test_one_broken_model_does_not_stop_the_others_and_an_untrained_one_is_named(worlds: Worlds) -> None:
    world = worlds()
    world.plant = plant_of(entry("altered"), entry("later"), entry())
    world.shelf.broken = ["altered"]
    world.say("m1", [0.9, 0.9])
    report = world.round(2)
    assert report.errors == ("altered: altered: altered",)
    assert report.untrained == ("later",)
    assert report.raised == 1


def test_machines_without_recent_readings_are_stale(worlds: Worlds) -> None:
    world = worlds(machines=("m1", "m2", "m3"))
    world.say("m1", [0.1] * 10)
    world.say("m2", [0.1] * 4)
    assert world.round(10).stale == ("m2", "m3")


def test_the_round_names_the_machines_that_are_off(worlds: Worlds) -> None:
    running = Running("vibration > 0.05", ("vibration",), settle=timedelta(0), hold=HOUR)
    bundle = bundle_of(entry())
    world = worlds(replace(bundle, recipe=replace(bundle.recipe, running=running)), machines=("m1", "m2"))
    world.say("m1", [0.1, 0.1, 0.9, 0.0, 0.0])
    world.say("m2", [0.1] * 5)

    report = world.round(5)

    assert report.not_assessed == {"off": ("m1",)}
    with world.state.read() as connection:
        said = connection.execute(
            select(assessment_table.c.level, assessment_table.c.reason)
            .where(assessment_table.c.machine == "m1")
            .order_by(assessment_table.c.time)
        ).all()
    assert [tuple(row) for row in said] == [(0.1, "ok"), (0.1, "ok"), (0.9, "ok"), (None, "off"), (None, "off")]


def test_the_round_keeps_what_a_level_was_built_from_and_names_signals_of_which_little_came(worlds: Worlds) -> None:
    bundle = bundle_of(entry())
    two = replace(bundle.recipe, signals=("vibration", "force"), every=(HOUR / 3, HOUR / 3))
    world = worlds(replace(bundle, recipe=two), machines=("m1", "m2"))
    world.say("m1", [0.1, 0.2])
    world.say("m2", [0.1])

    report = world.round(5)

    assert report.thin == {"force": ("m1", "m2")}
    (level,) = newest_levels(world.state, [("risk", "m1")], until=START + 5 * HOUR)
    assert (level.level, level.filled) == (0.2, Filled(0.5, {"force": 0.0}))


def test_windows_whose_readings_may_still_come_wait_for_them(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.1, 0.1])
    assert world.round(8).windows == 2
    world.say("m1", [0.9, 0.9, 0.9], first=3)
    assert world.round(8).windows == 3
    assert world.alerts()[0].condition_begin == START + 4 * HOUR


def test_a_machine_that_is_behind_waits_while_the_others_go_on(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.1, 0.1])
    world.say("m2", [0.1] * 6)
    assert world.round(6).windows == 2 + 6
    world.say("m1", [0.1] * 4, first=3)
    assert world.round(6).windows == 4


def test_the_first_round_looks_back_a_week_or_two_horizons(worlds: Worlds) -> None:
    world = worlds()
    world.say("m1", [0.1] * (24 * 10))
    at = START + 240 * HOUR
    registry = cast(Registry, world.shelf)
    assert monitor.round(world.plant, world.store, registry, world.state, at=at).windows == 7 * 24


def test_only_the_asked_models_look(worlds: Worlds) -> None:
    world = worlds(bundle_of(entry("a")), bundle_of(entry("b", "seal")))
    world.say("m1", [0.9, 0.9])
    registry, at = cast(Registry, world.shelf), START + 2 * HOUR
    report = monitor.round(world.plant, world.store, registry, world.state, at=at, since=START, only=["b"])
    assert (report.models, [alert.cause for alert in world.alerts()]) == (("b",), ["seal"])


def test_an_alert_that_two_models_see_is_over_when_both_say_so(worlds: Worlds) -> None:
    early, late = bundle_of(entry("early")), bundle_of(entry("late"))
    world = worlds(early, late)
    world.say("m1", [0.9, 0.9])
    assert world.round(2).raised == 1
    world.say("m1", [0.1, 0.1, 0.1], first=3)
    registry, at = cast(Registry, world.shelf), START + 5 * HOUR
    first = monitor.round(world.plant, world.store, registry, world.state, at=at, only=["early"])
    assert (first.over, world.alerts()[0].state) == (0, AlertState.UNACKNOWLEDGED)
    second = monitor.round(world.plant, world.store, registry, world.state, at=at, only=["late"])
    assert (second.over, world.alerts()[0].state) == (1, AlertState.RETURNED)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (plant_of(entry(), machines=("m2",)), "machine 'm1' is no longer in the plant file"),
        (plant_of(), "model 'risk' is no longer in the plant file"),
    ],
    ids=["machine", "model"],
)
def test_an_alert_whose_machine_or_model_left_the_plant_file_ends_and_says_why(
    worlds: Worlds, left: Plant, why: str
) -> None:
    world = worlds()
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.plant = left
    assert world.round(3).over == 1
    (alert,) = world.alerts()
    assert (alert.state, alert.condition_end) == (AlertState.RETURNED, START + 3 * HOUR)
    with world.state.read() as connection:
        assert book.history(connection, 1)[-1].why == why
    before = world.dump()
    assert world.round(3).over == 0
    assert world.dump() == before


def test_a_machine_that_came_back_into_the_plant_file_is_watched_on(worlds: Worlds) -> None:
    world = worlds()
    whole = world.plant
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.plant = plant_of(entry(), machines=("m2",))
    world.round(3)
    world.plant = whole
    world.say("m1", [0.9, 0.9], first=3)
    assert world.round(4).windows == 2
    assert world.history(1) == [Happening.RAISED, Happening.CONDITION_OVER, Happening.CONDITION_BACK]


def test_an_alert_stands_while_one_model_that_sees_it_is_left(worlds: Worlds) -> None:
    world = worlds(bundle_of(entry("early")), bundle_of(entry("late")))
    world.say("m1", [0.9, 0.9])
    world.round(2)
    world.plant = plant_of(entry("late"))
    assert world.round(3).over == 0
    assert world.alerts()[0].state is AlertState.UNACKNOWLEDGED


def test_a_machine_of_another_class_is_let_go_of() -> None:
    machines = [Machine(name="m1", machine_class="pump"), Machine(name="m2", machine_class="press")]
    plant = plant_of(entry()).model_copy(update={"machines": machines})
    assert why_unwatched(plant, "risk", "m2") == ""
    assert why_unwatched(plant, "risk", "m1") == (
        "model 'risk' no longer watches machine 'm1', which is of class 'pump' now"
    )
    for subject in Subject:
        assert why_unwatched(plant, watch_of("risk", subject), "m2") == "", "a condition of one signal is its model's"
    assert why_unwatched(plant, watch_of("gone", Subject.EITHER), "m2") == "model 'gone' is no longer in the plant file"


def test_a_round_that_another_one_overtakes_works_anew_and_doubles_nothing(worlds: Worlds) -> None:
    overtaken: list[int] = []

    def overtake(table: FeatureTable) -> None:
        if not overtaken:
            overtaken.append(1)
            world.round(3)

    world = worlds(bundle_of(entry(), overtake))
    world.say("m1", [0.9, 0.9, 0.9])
    assert world.round(3).windows == 0
    left = world.dump()
    assert (len(left["assessment"]), len(left["alert"])) == (3, 1)


LEVELS = st.lists(st.sampled_from([0.1, 0.4, 0.6, 0.9]), min_size=1, max_size=12)


@settings(max_examples=5, deadline=None)
@given(levels=LEVELS, failed=st.integers(0, 12), cuts=st.sets(st.integers(0, 12), max_size=4))
def test_however_many_rounds_assess_a_span_the_assessments_and_watches_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, levels: list[float], failed: int, cuts: set[int]
) -> None:
    once, often = (a_world(tmp_path_factory.mktemp("w"), machines=("m1",)) for _ in range(2))
    for world in (once, often):
        world.say("m1", levels)
        world.happen("m1", "failure", failed + 0.5)
    once.round(len(levels))
    for cut in sorted(cuts | {len(levels)}):
        often.round(min(cut, len(levels)))
    assert once.dump()["assessment"] == often.dump()["assessment"]
    watch, watched = ([row for row in world.dump()["watch"] if row[0] == "risk"] for world in (once, often))
    assert [row[:5] for row in watch] == [row[:5] for row in watched], "all but the number of the alert"
    for world in (once, often):
        live = [alert for alert in world.alerts() if alert.state is AlertState.UNACKNOWLEDGED]
        assert len(live) == bool(watch and watch[0][3]["active"])
        world.store.close()
        world.state.close()


class Interrupted:
    """The state of a process that dies just before a transaction is complete."""

    def __init__(self, state: Database, die: Callable[[], None]) -> None:
        self.name = state.name
        self._state, self._die = state, die

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._state.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._state.write() as connection:
            yield connection
            self._die()


def _killed_round(folder: Path) -> None:
    world = a_world(folder)
    dying = Interrupted(world.state, lambda: os.kill(os.getpid(), signal.SIGKILL))
    world.round(7, state=cast(Database, dying))


def test_a_round_after_a_killed_one_gives_what_an_undisturbed_one_gives(tmp_path: Path) -> None:
    worlds = [a_world(tmp_path / name) for name in ("undisturbed", "killed")]
    for world in worlds:
        world.say("m1", [0.9, 0.9])
        world.round(2)
        world.say("m1", [0.1, 0.1, 0.1, 0.9, 0.9], first=3)
        world.say("m2", [0.7, 0.8, 0.2])
    process = multiprocessing.get_context("spawn").Process(target=_killed_round, args=(tmp_path / "killed",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    for world in worlds:
        world.round(7)
    assert worlds[0].dump() == worlds[1].dump()
    assert len(worlds[0].dump()["alert"]) == 2
    for world in worlds:
        world.store.close()
        world.state.close()


def test_a_report_is_plain_values(worlds: Worlds) -> None:
    report: Mapping[str, Any] = worlds().round(1).to_dict()
    assert report["at"] == "2026-03-01T01:00:00+00:00"
    assert set(report) == set(RoundReport.__dataclass_fields__)


def test_a_mistake_of_ours_is_not_swallowed(worlds: Worlds) -> None:
    def stumble(table: FeatureTable) -> None:
        raise ZeroDivisionError

    world = worlds(bundle_of(entry(), stumble))
    world.say("m1", [0.9])
    with pytest.raises(ZeroDivisionError):
        world.round(1)


def test_a_stuck_sensor_is_a_finding_about_the_sensor_and_the_model_gives_the_reason(worlds: Worlds) -> None:
    world, random = worlds(), np.random.default_rng(0)
    levels = random.uniform(0.1, 0.3, 200).round(3).tolist()
    world.say("m1", [*levels, *[0.2] * 30])
    world.say("m2", levels)
    world.round(200)
    assert world.alerts() == []
    world.round(220)
    (alert,) = world.alerts()
    assert (alert.machine, alert.kind, alert.cause) == ("m1", "sensor fault", "vibration sensor")
    with world.state.read() as connection:
        said = connection.execute(select(assessment_table).where(assessment_table.c.time > START + 205 * HOUR)).all()
    assert {(row.machine, row.level, row.reason) for row in said} == {("m1", None, "sensor fault")}


@pytest.mark.slow(seconds=12)
def test_a_machine_that_kills_its_worker_is_named_and_the_others_are_assessed(worlds: Worlds) -> None:
    machines = ("m1", "m2", "m3")
    world = worlds(bundle_of(entry(), partial(_kill_for_m2, os.getpid())), machines=machines)
    for machine in machines:
        world.say(machine, [0.1, 0.9, 0.9])
    with closing(Engine(Processes(1))) as engine:
        report = world.round(3, engine=engine)
    assert report.windows == 2 * 3
    (error,) = report.errors
    assert error.startswith("risk, m2: set aside, because its worker died")
    assert {alert.machine for alert in world.alerts()} == {"m1", "m3"}
    assert world.round(3).windows == 3, "what was set aside is asked for again"


def test_a_round_says_the_same_in_groups_as_in_one_piece(worlds: Worlds) -> None:
    machines = tuple(f"m{number}" for number in range(9))
    dumps = []
    for workers in (1, 4):
        world = worlds(machines=machines)
        for number, machine in enumerate(machines):
            world.say(machine, [0.1, number / 10, 0.9, number / 5])
        world.round(4, engine=Engine(Several(workers)))
        dumps.append(world.dump())
    assert dumps[0] == dumps[1]


def _kill_for_m2(parent: int, table: FeatureTable) -> None:
    kill_for("m2", parent, table.machine)
