"""History is scored chunk by chunk, raises nothing unless asked, and is taken up where a killed worker left it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from ingest.plant import Job
from models.registry.registry import Registry
from service.control_room import ControlRoom
from service.database import assessment_table, watch_table
from service.jobs import ledger, planning
from service.jobs.action import ACTIONS, Work
from service.jobs.asked import Filling
from service.jobs.run import Outcome, Run, RunState
from service.jobs.runner import do, take, tick
from service.settings import Settings
from tests.service.test_monitor import HOUR, START, World, a_world

LOOK = Job(name="look", action="score", every="1 h")
HOURS = 12
END = START + HOURS * HOUR
LEVELS = [0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.2, 0.3, 0.1, 0.1, 0.1]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[str], tuple[World, ControlRoom]]]:
    made: list[World] = []

    def make(name: str) -> tuple[World, ControlRoom]:
        world = a_world(tmp_path / name)
        made.append(world)
        for machine in ("m1", "m2"):
            world.say(machine, LEVELS)
        plant = world.plant.model_copy(update={"jobs": [LOOK]})
        settings = Settings(lease=timedelta(seconds=30))
        return world, ControlRoom(settings, plant, world.store, cast(Registry, world.shelf), world.state)

    yield make
    for world in made:
        world.store.close()
        world.state.close()


Worlds = Callable[[str], tuple[World, ControlRoom]]


def ask(room: ControlRoom, *, chunk: float = 4, **more: bool) -> None:
    filling = Filling(start=START, end=END, done=START, chunk=chunk * HOUR, **more)
    with room.state.write() as connection:
        planning.make_up_for(connection, LOOK, room.plant.zone, filling, at=END)


def work(room: ControlRoom) -> list[Run]:
    return tick(room, [LOOK], clock=lambda: END, worker="w")


def levels(world: World) -> list[Any]:
    with world.state.read() as connection:
        return connection.execute(select(assessment_table).order_by(*assessment_table.primary_key)).all()  # type: ignore[return-value]


def test_every_window_of_the_past_gets_its_level_and_nothing_is_raised_or_remembered(worlds: Worlds) -> None:
    world, room = worlds("filled")
    ask(room)
    (done,) = work(room)
    assert (done.state, done.outcome) == (RunState.DONE, "3 of 3 chunks, 8 windows in the last one")
    assert len(levels(world)) == 2 * HOURS
    assert world.alerts() == []
    with world.state.read() as connection:
        assert connection.execute(select(func.count()).select_from(watch_table)).scalar_one() == 0


def test_levels_are_the_same_as_rounds_of_then_would_have_said(worlds: Worlds) -> None:
    filled, room = worlds("filled")
    ask(room)
    work(room)
    rounds, _ = worlds("rounds")
    for hour in range(1, HOURS + 1):
        rounds.round(hour)
    assert levels(filled) == levels(rounds)


def test_windows_that_were_scored_stay_as_they_are_unless_asked_for_again(worlds: Worlds) -> None:
    world, room = worlds("filled")
    ask(room)
    work(room)
    with world.state.write() as connection:
        connection.execute(assessment_table.update().values(version="old"))
    for again, version in ((False, "old"), (True, "risk-1")):
        with room.state.write() as connection:
            filling = Filling(start=START, end=END, done=START, again=again)
            planning.make_up_for(connection, LOOK, room.plant.zone, filling, at=END + HOUR * (1 + again))
        tick(room, [LOOK], clock=lambda: END + 3 * HOUR, worker="w", actions={**ACTIONS, "score": _only_history})
        assert {row.version for row in levels(world)} == {version}


def _only_history(work: Work) -> Outcome:
    return ACTIONS["score"](work) if work.run.parameters else Outcome(summary="a round")


def test_alerts_that_are_asked_for_are_raised_by_rounds_of_then(worlds: Worlds) -> None:
    world, room = worlds("filled")
    ask(room, chunk=3, alerts=True)
    work(room)
    assert [(alert.machine, alert.raised_at) for alert in world.alerts()] == [
        ("m1", START + 3 * HOUR),
        ("m2", START + 3 * HOUR),
    ]
    with world.state.read() as connection:
        assert {row.until for row in connection.execute(select(watch_table.c.until))} == {END}


def test_a_worker_that_takes_over_repeats_one_chunk_at_most(worlds: Worlds) -> None:
    world, room = worlds("filled")
    ask(room)
    seen: list[str] = []

    def stop_in_the_second(work: Work) -> Outcome:
        seen.append(work.run.parameters["done"])
        if len(seen) == 2:
            raise KeyboardInterrupt
        return ACTIONS["score"](work)

    with pytest.raises(KeyboardInterrupt):
        tick(room, [LOOK], clock=lambda: END, worker="one", actions={**ACTIONS, "score": stop_in_the_second})
    assert len(levels(world)) == 2 * 4
    (done,) = tick(
        room, [LOOK], clock=lambda: END + HOUR / 2, worker="two", actions={**ACTIONS, "score": stop_in_the_second}
    )
    assert done.state is RunState.DONE
    hours = [START.replace(hour=hour).isoformat() for hour in (0, 4, 4, 8)]
    assert seen == hours, "the second chunk twice, the others once"
    assert len(levels(world)) == 2 * HOURS


def test_a_worker_that_was_overtaken_in_a_chunk_writes_none_of_it(worlds: Worlds) -> None:
    world, room = worlds("filled")
    ask(room)
    first = take(room, [LOOK], at=END, worker="one")
    second = take(room, [LOOK], at=END + HOUR / 2, worker="two")
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert do(room, first, clock=lambda: END + HOUR / 2) is None
    assert levels(world) == []
    assert do(replace(room), second, clock=lambda: END + HOUR / 2) is not None
    with room.state.read() as connection:
        assert ledger.show(connection, first.id).outcome == "1 of 3 chunks, 8 windows in the last one"
