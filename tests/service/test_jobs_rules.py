"""What a job may ask for: whole data, retries, pools, pauses, limits of age; and what a person may ask of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.errors import IllegalTransitionError, PlantFileError, ScheduleError, UnknownNameError
from ingest.plant_file import load_plant
from ingest.reading import Readings, readings_schema
from service.control_room import ControlRoom, open_control_room
from service.jobs import ledger, planning
from service.jobs.action import ACTIONS, Work
from service.jobs.asked import Asked, Filling
from service.jobs.complete import share_arrived
from service.jobs.fires import held_back, next_fires
from service.jobs.pause import pause, resume
from service.jobs.run import Origin, Outcome, Run, RunState
from service.jobs.runner import LONGEST_BACK_OFF, take, tick
from service.settings import Settings

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PLANT = """
time_zone = "Europe/Berlin"
machines = [{{ names = ["m1", "m2"], class = "press" }}]
models = [{{ name = "odd", task = "anomaly", class = "press", horizon = "24 h" }}]
pools = [{{ name = "heavy", at_once = 1 }}]
jobs = [{}]

[[classes]]
name = "press"
signals = [{{ name = "force", every = "1 min" }}, {{ name = "heat", every = "10 min" }}]
"""
Rooms = Callable[[str], ControlRoom]


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    opened: list[ControlRoom] = []

    def make(jobs: str) -> ControlRoom:
        (tmp_path / "plant.toml").write_text(PLANT.format(jobs))
        opened.append(open_control_room(Settings(plant=tmp_path / "plant.toml", lease=timedelta(seconds=30))))
        return opened[-1]

    yield make
    for room in opened:
        room.close()


def send(room: ControlRoom, machine: str, at: datetime, **values: float | None) -> None:
    times = pa.array([at], pa.timestamp("us", "UTC"))
    columns = {name: pa.array([value], pa.float64()) for name, value in values.items()}
    table = pa.table(
        {"machine": pa.array([machine]), "time": times, "arrived": times, **columns},
        schema=readings_schema(tuple(values)),
    )
    room.store.append(Readings("press", table), source="test", position="")


def hand(room: ControlRoom, job: str, slot: datetime, **more: object) -> None:
    with room.state.write() as connection:
        ledger.plan(connection, job, [slot], origin=Origin.BY_HAND, **more)  # type: ignore[arg-type]


def run(room: ControlRoom, at: datetime, outcome: Outcome, seen: list[Work] | None = None) -> list[Run]:
    def do(work: Work) -> Outcome:
        if seen is not None:
            seen.append(work)
        return outcome

    actions = dict.fromkeys(ACTIONS, do)
    return tick(room, room.plant.jobs, clock=lambda: at, worker="w", actions=actions)


def by_hand(room: ControlRoom) -> Run:
    with room.state.read() as connection:
        return next(each for each in ledger.list_runs(connection) if each.origin is Origin.BY_HAND)


WHOLE = '{ name = "look", action = "score", every = "1 h", complete = 0.75 }'


def test_a_slot_waits_for_its_data_and_begins_once_the_share_is_there(rooms: Rooms) -> None:
    room, slot = rooms(WHOLE), NOW + HOUR
    assert run(room, NOW, Outcome(summary="")) == []
    send(room, "m1", slot, force=1.0, heat=1.0)
    send(room, "m2", slot - 2 * MINUTE, force=1.0, heat=None)
    assert share_arrived(room.plant, room.store, room.plant.jobs[0], slot) == 0.5, "force of m2 is a minute too old"
    assert run(room, slot + MINUTE, Outcome(summary="")) == []
    send(room, "m2", slot - 9 * MINUTE, force=None, heat=1.0)
    (done,) = run(room, slot + 2 * MINUTE, Outcome(summary=""))
    assert done.slot == slot


def test_a_slot_waits_for_missing_data_no_longer_than_half_an_hour(rooms: Rooms) -> None:
    room, slot = rooms(WHOLE), NOW + HOUR
    run(room, NOW, Outcome(summary=""))
    assert run(room, slot + 30 * MINUTE - timedelta(seconds=1), Outcome(summary="")) == []
    (done,) = run(room, slot + 30 * MINUTE, Outcome(summary=""))
    assert done.slot == slot


def test_a_run_that_fails_is_tried_again_with_growing_back_off_and_then_stays_failed(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 d", retries = 2, back_off = "4 min" }')
    hand(room, "look", NOW)
    failed = Outcome(state=RunState.FAILED, summary="no route", cpu_seconds=2.0)
    assert run(room, NOW, failed) == []
    first = by_hand(room)
    assert (first.state, first.tries, first.due) == (RunState.WAITING, 1, NOW + 4 * MINUTE)
    assert first.outcome == "no route; tried again at 2026-03-02 06:04:00 UTC"
    assert run(room, NOW + 3 * MINUTE, failed) == [], "not before"
    assert run(room, NOW + 4 * MINUTE, failed) == []
    assert by_hand(room).due == NOW + 12 * MINUTE, "twice as long"
    (last,) = run(room, NOW + 12 * MINUTE, failed)
    assert (last.state, last.tries, last.outcome) == (RunState.FAILED, 2, "no route")
    assert last.cpu_seconds == 6.0, "what all tries cost"


def test_back_off_ends_growing_at_a_day(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "30 d", retries = 20, back_off = "10 h" }')
    hand(room, "look", NOW)
    at = NOW
    for _ in range(4):
        run(room, at, Outcome(state=RunState.FAILED, summary="no"))
        due = by_hand(room).due
        assert due is not None
        assert due - at <= LONGEST_BACK_OFF
        at = due


def test_energy_is_estimated_from_processor_time_and_the_setting(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 d" }')
    room = replace(room, settings=replace(room.settings, core_watts=20.0))
    hand(room, "look", NOW)
    (done,) = run(room, NOW, Outcome(summary="", cpu_seconds=900.0))
    assert done.watt_hours == 5.0


def test_jobs_of_one_pool_do_not_run_at_once_and_others_do(rooms: Rooms) -> None:
    room = rooms(
        '{ name = "a", action = "score", every = "1 d", pool = "heavy" },'
        '{ name = "b", action = "score", every = "1 d", pool = "heavy" },'
        '{ name = "c", action = "seal", every = "1 d" }'
    )
    for job in "abc":
        hand(room, job, NOW)
    taken = [take(room, room.plant.jobs, at=NOW, worker=str(each)) for each in range(3)]
    assert [each and each.job for each in taken] == ["a", "c", None]
    with room.state.read() as connection:
        assert held_back(connection, room.plant, room.plant.jobs[1]) == ["pool 'heavy' is full: a"]
    with room.state.write() as connection:
        assert taken[0] is not None
        ledger.finish(connection, taken[0], Outcome(summary=""), at=NOW)
    after = take(room, room.plant.jobs, at=NOW, worker="4")
    assert after is not None
    assert after.job == "b"


def test_a_paused_job_begins_nothing_but_what_a_person_asks_for_and_catches_up_when_resumed(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 h" }')
    run(room, NOW, Outcome(summary=""))
    with room.state.write() as connection:
        pause(connection, "look", by="eva", why="belt is off", at=NOW)
    with pytest.raises(IllegalTransitionError, match=r"paused since 2026-03-02 06:00 UTC, by eva \(belt is off\)"):
        _pause(room)
    assert run(room, NOW + 3 * HOUR, Outcome(summary="")) == []
    hand(room, "look", NOW + 3.5 * HOUR)
    assert [each.origin for each in run(room, NOW + 3.5 * HOUR, Outcome(summary=""))] == [Origin.BY_HAND]
    with room.state.write() as connection:
        resume(connection, "look")
    (done,) = run(room, NOW + 3.75 * HOUR, Outcome(summary=""))
    assert done.slot == NOW + 3 * HOUR, "the latest stands for all"


def _pause(room: ControlRoom) -> None:
    with room.state.write() as connection:
        pause(connection, "look", by="tom", why="again", at=NOW)


def test_missed_slots_that_are_too_old_are_not_made_up_for(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 h", catch_up = "all", catch_up_within = "150 min" }')
    run(room, NOW, Outcome(summary=""))
    done = run(room, NOW + 10 * HOUR, Outcome(summary=""))
    assert [(each.slot - NOW) / HOUR for each in done] == [8, 9, 10]
    with room.state.read() as connection:
        (old,) = ledger.list_runs(connection, states=(RunState.SKIPPED,))
    assert (old.slot, old.outcome) == (NOW + HOUR, "missed, and older than 150 min by now")


def test_a_slot_that_was_begun_while_the_clock_was_ahead_leaves_no_gap_when_it_is_back(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 h", catch_up = "all", retries = 1 }')
    run(room, NOW, Outcome(summary=""))
    run(room, NOW + 2 * HOUR, Outcome(state=RunState.FAILED, summary="no"))
    ahead = run(room, NOW + 3 * HOUR, Outcome(summary=""))
    assert ahead
    run(room, NOW + HOUR / 2, Outcome(summary=""))
    run(room, NOW + 4 * HOUR, Outcome(summary=""))
    with room.state.read() as connection:
        done = ledger.list_runs(connection, states=(RunState.DONE,))
    assert sorted((each.slot - NOW) / HOUR for each in done) == [1, 2, 3, 4]


def test_a_person_may_ask_for_another_moment_and_for_some_models(rooms: Rooms) -> None:
    room, seen = rooms('{ name = "look", action = "score", every = "1 d" }'), list[Work]()
    hand(room, "look", NOW, parameters=Asked(NOW - HOUR, ("odd",)).to_dict())
    run(room, NOW, Outcome(summary=""), seen)
    (work,) = seen
    assert (work.slot, [each.name for each in work.entries]) == (NOW - HOUR, ["odd"])


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (Asked(NOW + MINUTE), ScheduleError, "lies ahead"),
        (Asked(models=("od",)), UnknownNameError, "no model 'od'; it concerns: odd"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(asked: Asked, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        asked.refuse_what_cannot_be(NOW, ["odd"])


def test_the_next_fires_are_told_in_both_times_through_the_change_of_clocks(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", cron = "30 2 * * *" }')
    fires = next_fires(room.plant.jobs[0], room.plant, datetime(2026, 3, 27, 12, tzinfo=UTC), 3)
    assert [f"{each.local:%a %H:%M %Z} {each.utc:%H:%M}" for each in fires] == [
        "Sat 02:30 CET 01:30",
        "Sun 03:00 CEST 01:00",
        "Mon 02:30 CEST 00:30",
    ]


def filling(start: datetime, end: datetime, **more: bool) -> Filling:
    return Filling(start=start, end=end, done=start, **more)  # type: ignore[arg-type]


def test_history_comes_after_what_is_due(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 h" }')
    run(room, NOW, Outcome(summary=""))
    with room.state.write() as connection:
        planning.make_up_for(
            connection, room.plant.jobs[0], room.plant.zone, filling(NOW - 48 * HOUR, NOW), at=NOW
        )  # fmt: skip
    done = run(room, NOW + HOUR, Outcome(summary=""))
    assert [each.origin for each in done] == [Origin.SCHEDULE, Origin.BACK_FILL]


def test_a_back_fill_that_can_only_raise_alerts_is_refused_unless_they_are_asked_for(rooms: Rooms) -> None:
    room = rooms('{ name = "lost", action = "losses", every = "8 h" }')
    job, zone = room.plant.jobs[0], room.plant.zone
    with pytest.raises(ScheduleError, match="only raises alerts; ask for alerts on history"):
        planning.count_made_up_for(job, zone, filling(NOW - 24 * HOUR, NOW), at=NOW)
    assert planning.count_made_up_for(job, zone, filling(NOW - 24 * HOUR, NOW, alerts=True), at=NOW) == 3


def test_a_span_with_too_many_slots_is_refused_with_how_far_one_may_go(rooms: Rooms) -> None:
    room = rooms('{ name = "tell", action = "report", every = "1 s" }')
    with pytest.raises(ScheduleError, match="more than 10,000 slots"):
        planning.count_made_up_for(room.plant.jobs[0], room.plant.zone, filling(NOW - 24 * HOUR, NOW), at=NOW)


def test_a_job_that_left_the_plant_is_kept_until_a_person_retires_it(rooms: Rooms) -> None:
    room = rooms('{ name = "look", action = "score", every = "1 h" }')
    with room.state.write() as connection:
        ledger.plan(connection, "gone", [NOW, NOW + HOUR], origin=Origin.SCHEDULE)
    run(room, NOW + 2 * HOUR, Outcome(summary=""))
    with room.state.write() as connection:
        assert ledger.unfinished(connection) == {"gone": 2, "look": 1}
        with pytest.raises(ScheduleError, match="pause it: andon jobs pause look"):
            planning.retire(connection, "look", ["look"], at=NOW)
        assert planning.retire(connection, "gone", ["look"], at=NOW) == 2
        with pytest.raises(UnknownNameError):
            planning.retire(connection, "gone", ["look"], at=NOW)
        assert {each.outcome for each in ledger.list_runs(connection, job="gone")} == {"its job left the plant file"}


@pytest.mark.parametrize(
    ("job", "line"),
    [
        ('pool = "heavi"', "jobs[1].pool: no pool 'heavi'; did you mean 'heavy'?"),
        ('done_by = "5:30"', "jobs[1].done_by: '5:30' is no time of day; write hours and minutes such as '05:30'"),
        ('wait = "0 s"', "jobs[1].wait: is no time at all; write a span longer than zero"),
        (
            'catch_up = "none"\ncatch_up_within = "1 d"',
            "jobs[1].catch_up_within: says nothing where catch_up is 'none'",
        ),
        ("complete = 1.5", "jobs[1].complete: 1.5 is too large; write 1 or less"),
    ],
)
def test_a_mistake_in_a_job_is_named(tmp_path: Path, job: str, line: str) -> None:
    head = PLANT.format("").replace("jobs = []\n", "")
    (tmp_path / "plant.toml").write_text(f'{head}\n[[jobs]]\nname = "a"\naction = "seal"\nevery = "1 d"\n{job}\n')
    with pytest.raises(PlantFileError) as caught:
        load_plant(tmp_path / "plant.toml")
    assert any(line in each for each in caught.value.problems), caught.value.problems
