"""Late readings score again the windows that they touch: as if they had come in time, and no others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from features.running import Running
from features.table import FeatureTable
from ingest.catalogue import LATE, SETTLED
from ingest.errors import NotEnoughDataError
from ingest.plant import Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.bundle import Bundle
from models.registry.registry import Registry
from service import monitor, rescore
from service.database import assessment_table, open_state
from service.late_looks import given_up
from service.round_report import RoundReport
from tests.features.table_history import TableHistory, after
from tests.models.conftest import fitted
from tests.models.pumps import HOURS, MACHINES, PLANT, pump_history
from tests.service.test_monitor import HOUR, START, Shelf, World, a_world, bundle_of, entry

Rows = list[tuple[Any, ...]]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*bundles: Bundle) -> World:
        made.append(a_world(tmp_path / str(len(made)), *bundles))
        return made[-1]

    yield make
    for world in made:
        world.store.close()
        world.state.close()


def give(world: World, machine: str, hours: Sequence[float], level: float) -> None:
    """Give a machine readings at these hours after the start, sealed."""
    times = [START + hour * HOUR for hour in hours]
    columns = [[machine] * len(times), times, times, [level] * len(times)]
    world.store.append(
        Readings("press", pa.table(columns, schema=readings_schema(("vibration",)))), source="late", position=""
    )
    world.store.seal()


def levels(world: World) -> Rows:
    with world.state.read() as connection:
        return [
            tuple(row) for row in connection.execute(select(assessment_table).order_by(*assessment_table.primary_key))
        ]


def test_a_late_reading_rescores_only_the_windows_it_touches(worlds: Callable[..., World]) -> None:
    world, in_time = worlds(), worlds()
    for each in (world, in_time):
        each.say("m1", [0.1] * 6)
        each.say("m2", [0.1] * 6)
    give(in_time, "m1", [2.9], 0.3)
    world.round(6)
    assert (world.round(6).windows, world.round(6).rescored) == (0, 0)
    before = levels(world)
    give(world, "m1", [2.9], 0.3)
    report = world.round(6)
    assert (report.windows, report.rescored, report.too_late, report.errors) == (0, 1, 0, ())
    in_time.round(6)
    assert levels(world) == levels(in_time)
    assert len([1 for old, new in zip(before, levels(world), strict=True) if old != new]) <= 1
    assert world.round(6).rescored == 0, "once is enough"


def test_a_late_reading_that_says_when_a_machine_ran_rescores_what_is_left_out_for_it(
    worlds: Callable[..., World],
) -> None:
    bundle = bundle_of(entry())
    running = Running("speed > 0", ("speed",), settle=timedelta(0), hold=HOUR)
    world = worlds(replace(bundle, recipe=replace(bundle.recipe, running=running)))
    world.say("m1", [0.1] * 6)
    world.round(6)
    moment = START + 1.9 * HOUR
    columns = [["m1"], [moment], [moment], [0.0]]
    late = Readings("press", pa.table(columns, schema=readings_schema(("speed",))))
    world.store.append(late, source="late", position="")
    world.store.seal()
    assert world.round(6).rescored == 2, "the windows that end at hours 2 and 3"


def test_windows_after_the_last_scored_one_are_left_to_the_round_that_scores_them(
    worlds: Callable[..., World],
) -> None:
    bundle = bundle_of(entry())
    longer = replace(bundle, recipe=replace(bundle.recipe, windows=(HOUR, 4 * HOUR)))
    world = worlds(longer)
    world.say("m1", [0.1] * 6)
    world.round(6)
    world.say("m1", [0.1] * 6, first=7)
    give(world, "m1", [2.5, 4.5], 0.3)
    report = world.round(6)
    assert (report.windows, report.rescored) == (0, 4), "the windows that end from hour 3 to 6"
    report = world.round(12)
    assert (report.windows, report.rescored) == (6, 0)


def test_a_reading_that_comes_in_time_rescores_nothing(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.say("m1", [0.1] * 3)
    world.round(3)
    world.store.seal()
    world.say("m1", [0.1] * 2, first=4)
    world.store.seal()
    report = world.round(5)
    assert (report.windows, report.rescored) == (2, 0)


def test_a_late_window_that_is_over_the_threshold_raises_no_alert(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.say("m1", [0.1] * 6)
    world.round(6)
    give(world, "m1", [2.1, 3.1, 4.1, 3, 4, 5], 0.9)
    assert (world.round(6).rescored, world.alerts()) == (3, [])
    assert [row[4] for row in levels(world)] == [0.1, 0.1, 0.9, 0.9, 0.9, 0.1]
    world.say("m1", [0.1], first=7)
    assert (world.round(7).raised, world.alerts()) == (0, [])


def test_what_is_too_late_is_said_and_rescores_nothing(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.plant = world.plant.model_copy(update={"late_within": 2 * HOUR})
    world.say("m1", [0.1] * 6)
    world.round(6)
    give(world, "m1", [3.9, 4.1], 0.3)
    report = world.round(6)
    assert (report.rescored, report.too_late) == (1, 1)
    assert world.store.read("press", start=START + 3.8 * HOUR, end=START + 3.95 * HOUR).count == 1
    assert world.store.late.counts()["press"].too_late == 1


def test_machines_that_were_scored_before_anybody_looked_for_late_readings_are_watched_from_the_next_round_on(
    worlds: Callable[..., World],
) -> None:
    world = worlds()
    world.say("m1", [0.1] * 6)
    world.round(6)
    with world.store._database.write() as connection:
        connection.execute(SETTLED.delete())

    world.round(6)
    give(world, "m1", [3.9], 0.3)

    assert world.round(6).rescored == 1


def test_windows_before_the_first_round_began_are_left_alone(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.say("m1", [0.1] * 6)
    registry, at = cast(Registry, world.shelf), START + 6 * HOUR
    monitor.round(world.plant, world.store, registry, world.state, at=at, since=START + 4 * HOUR)
    give(world, "m1", [1.5, 4.5], 0.3)
    assert world.round(6).rescored == 1
    assert len(levels(world)) == 2


def test_each_model_looks_once_and_what_all_have_looked_at_is_forgotten(worlds: Callable[..., World]) -> None:
    world = worlds(bundle_of(entry("a")), bundle_of(entry("b", "seal")))
    world.say("m1", [0.1] * 4)
    world.round(4)
    give(world, "m1", [1.5], 0.3)
    registry, at = cast(Registry, world.shelf), START + 4 * HOUR

    def round_of(model: str) -> RoundReport:
        return monitor.round(world.plant, world.store, registry, world.state, at=at, only=[model])

    assert (round_of("a").rescored, round_of("a").rescored) == (1, 0)
    assert len(list(world.store.late.after("press", 0))) == 1
    assert (round_of("b").rescored, round_of("b").rescored) == (1, 0)
    assert list(world.store.late.after("press", 0)) == []


def test_a_late_reading_of_a_signal_that_the_model_does_not_read_rescores_nothing(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.say("m1", [0.1] * 6)
    world.round(6)
    moment = START + 2.9 * HOUR
    late = Readings("press", pa.table([["m1"], [moment], [moment], [7.0]], schema=readings_schema(("speed",))))
    world.store.append(late, source="late", position="")
    world.store.seal()
    report = world.round(6)
    assert (report.rescored, report.errors) == (0, ())


def two_signals(world: World, *, first: int, last: int, gap: range, only: range | None = None) -> None:
    """Give m1 noise of two signals every 20 min of (first, last] hours; no vibration in the hours of the gap.

    Parameters
    ----------
    only : give just the vibration of these hours
    """
    random = np.random.default_rng(1)
    level = 0.1 + 0.01 * random.standard_normal((2, 3 * 400))
    rows = [row for row in range(3 * first, 3 * last) if only is None or row // 3 in only]
    times = [START + (row + 1) * HOUR / 3 for row in rows]
    vibration = [None if only is None and row // 3 in gap else level[0, row] for row in rows]
    speed = [level[1, row] if only is None else None for row in rows]
    table = pa.table(
        [["m1"] * len(rows), times, times, vibration, speed], schema=readings_schema(("vibration", "speed"))
    )
    world.store.append(Readings("press", table), source="late", position="")
    world.store.seal()


def of_two_signals(world: World) -> World:
    (press,) = world.plant.classes
    speed = Signal(name="speed", unit="rpm", every="20 min")
    both = press.model_copy(update={"signals": [*press.signals, speed]})
    world.plant = world.plant.model_copy(update={"classes": [both]})
    return world


def reasons_of(world: World, *hours: int) -> list[str]:
    said = {row[2]: row[5] for row in levels(world)}
    return [said[START + hour * HOUR] for hour in hours]


def test_a_gap_that_is_filled_later_is_no_sensor_fault_any_more(worlds: Callable[..., World]) -> None:
    in_time, world, gap = of_two_signals(worlds()), of_two_signals(worlds()), range(200, 206)
    two_signals(in_time, first=0, last=220, gap=range(0))
    in_time.round(220)
    two_signals(world, first=0, last=220, gap=gap)
    world.round(220)
    assert reasons_of(world, 207, 212, 213) == ["sensor fault", "sensor fault", "ok"], "it is not there in between"
    two_signals(world, first=200, last=206, gap=range(0), only=gap)
    report = world.round(220)
    assert levels(world) == levels(in_time)
    assert report.rescored == 13, (
        "six that hold late readings, six that said sensor fault, one that held what was left out"
    )
    assert world.round(220).rescored == 0


def test_a_late_reading_changes_no_window_beyond_it_that_says_the_same_of_the_sensors(
    worlds: Callable[..., World],
) -> None:
    world = of_two_signals(worlds())
    two_signals(world, first=0, last=220, gap=range(200, 206))
    world.round(220)
    give(world, "m1", [180.1], 0.1)
    assert world.round(220).rescored == 1


def test_late_readings_of_a_machine_that_always_fail_are_given_up_and_do_not_hold_up_others(
    worlds: Callable[..., World],
) -> None:
    broken: list[int] = []

    def refuse(table: FeatureTable) -> None:
        if broken and "m1" in table.machine:
            raise NotEnoughDataError("not this one")

    world = worlds(bundle_of(entry(), refuse))
    for machine in ("m1", "m2"):
        world.say(machine, [0.1] * 6)
    world.round(6)
    broken.append(1)
    give(world, "m1", [2.5], 0.3)
    give(world, "m2", [2.5], 0.3)
    reports = [world.round(6) for _ in range(7)]
    assert [report.rescored for report in reports] == [1, 0, 0, 0, 0, 0, 0], "m2 once, and not again with m1"
    said = "risk, late readings of m1: not this one"
    given_up_of = f"{said}; given up after 5 tries"
    assert [report.errors for report in reports] == [(said,)] * 4 + [(given_up_of,)] + [()] * 2
    assert list(world.store.late.after("press", 0)) == [], "the list of late rows does not grow meanwhile"
    with world.state.read() as connection:
        assert given_up(connection) == {"risk": 1}
    broken.clear()
    assert world.round(6).rescored == 0
    give(world, "m1", [4.5], 0.3)
    assert world.round(6).rescored == 1, "what comes later is tried anew"


def test_a_damaged_list_of_late_rows_stops_no_scoring_and_goes_on_where_it_was_once_put_aside(
    worlds: Callable[..., World],
) -> None:
    world = worlds()
    world.say("m1", [0.1] * 6)
    world.round(6)
    for hour in (1.5, 2.5, 3.5):
        give(world, "m1", [hour], 0.3)
    with world.store._database.write() as connection:
        connection.execute(LATE.update().where(LATE.c.id == 2).values(body=b"LATE and no more"))
    world.say("m1", [0.1], first=7)

    report = world.round(7)
    assert (report.windows, report.rescored) == (1, 1)
    assert "late rows 2 of class 'press': damaged" in report.errors[0]
    world.store.set_aside(world.store.find_damage())
    report = world.round(7)
    assert (report.rescored, report.errors) == (1, ())


def test_late_readings_that_cannot_be_scored_are_said_and_tried_again(worlds: Callable[..., World]) -> None:
    broken: list[int] = []

    def refuse(table: FeatureTable) -> None:
        if broken:
            raise NotEnoughDataError("not today")

    world = worlds(bundle_of(entry(), refuse))
    world.say("m1", [0.1] * 4)
    world.round(4)
    give(world, "m1", [1.5], 0.3)
    broken.append(1)
    report = world.round(4)
    assert (report.rescored, report.errors) == (0, ("risk, late readings of m1: not today",))
    broken.clear()
    assert world.round(4).rescored == 1


def test_a_reading_that_comes_while_its_window_is_scored_is_found_late(worlds: Callable[..., World]) -> None:
    once: list[int] = []

    def interrupt(table: FeatureTable) -> None:
        if not once:
            once.append(1)
            give(world, "m1", [3.9], 0.9)

    world = worlds(bundle_of(entry(), interrupt))
    world.say("m1", [0.1] * 4)
    world.store.seal()
    world.round(4)
    give(world, "m1", [3.95], 0.3)
    assert world.round(4).rescored == 1


@settings(max_examples=5, deadline=None)
@given(late=st.dictionaries(st.integers(1, 70), st.sampled_from([0.2, 0.7]), max_size=8), cut=st.integers(3, 20))
def test_levels_are_those_of_readings_in_time_and_as_many_are_rescored_as_are_touched(
    tmp_path_factory: pytest.TempPathFactory, late: dict[int, float], cut: int
) -> None:
    """Readings at odd minutes of the first twenty hours come late, one of them or more to a batch."""
    in_time, world = (a_world(tmp_path_factory.mktemp("w")) for _ in range(2))
    for each in (in_time, world):
        each.say("m1", [0.1] * 20)
    at = {(17 * place + 5) / 60: level for place, level in late.items()}
    for hour, level in at.items():
        give(in_time, "m1", [hour], level)
    in_time.round(20)
    world.round(cut)
    for hour, level in at.items():
        give(world, "m1", [hour], level)
    report = world.round(20)
    assert levels(world) == levels(in_time)
    assert report.rescored == len({-(-hour // 1) for hour in at if -(-hour // 1) <= cut})
    for each in (in_time, world):
        each.store.close()
        each.state.close()


def stored(folder: Path, history: TableHistory, bundle: Bundle) -> World:
    plant = PLANT.model_copy(update={"models": [bundle.entry], "late_within": timedelta(days=60)})
    world = World(Store(folder), open_state(folder / "state.db"), plant, Shelf(bundle))
    world.store.append(history.read("pump"), source="test", position="")
    world.store.add_events(history.events(), source="test")
    world.store.seal()
    return world


def round_of_pumps(world: World, until: datetime) -> RoundReport:
    registry = cast(Registry, world.shelf)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    return monitor.round(world.plant, world.store, registry, world.state, at=until, since=since)


@pytest.mark.parametrize("task", ["failure_risk", "anomaly"])
def test_a_fitted_model_says_byte_for_byte_what_it_had_said_of_readings_in_time(tmp_path: Path, task: str) -> None:
    history = pump_history(failures=task == "failure_risk")
    bundle = fitted(history, name=task, task=task)
    whole, end = history.readings, after(hours=HOURS)
    late = (whole["machine"] == MACHINES[1]) & (np.arange(len(whole)) % HOURS >= 300) & (np.arange(len(whole)) % 7 == 0)
    in_time = stored(tmp_path / "in time", history, bundle)
    world = stored(tmp_path / "late", TableHistory(whole[~late]), bundle)
    world.store.add_events(history.events(), source="test")
    round_of_pumps(in_time, end)
    round_of_pumps(world, end)
    assert levels(world) != levels(in_time)
    world.store.append(TableHistory(whole[late]).read("pump"), source="late", position="")
    world.store.seal()
    assert round_of_pumps(world, end).rescored > 0
    assert levels(world) == levels(in_time)
    for each in (world, in_time):
        each.store.close()
        each.state.close()


def test_a_long_span_is_scored_again_in_pieces(worlds: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    world = worlds(bundle_of(entry(), lambda table: most.append(len(table))))
    for machine in ("m1", "m2"):
        world.say(machine, [0.1] * 60)
    world.round(60)
    most.clear()
    for machine in ("m1", "m2"):
        give(world, machine, [hour + 0.5 for hour in range(60)], 0.3)
    monkeypatch.setattr(rescore, "WINDOWS_AT_ONCE", 8)
    assert world.round(60).rescored == 120
    assert max(most) <= 8
