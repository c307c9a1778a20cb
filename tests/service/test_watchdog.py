"""What is wrong with Andon itself is one alarm that ends with it, seen by another process than the one that failed."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import insert, select, update

from ingest.errors import StoreError
from ingest.plant_watchdog import Watchdog
from ingest.reading import Readings, readings_schema
from service.control_room import ControlRoom, open_control_room
from service.delivery.mail import mail_text
from service.delivery.notice import notice_of
from service.delivery.outbox import NoticeKind, put
from service.delivery.tables import notice_table
from service.jobs import ledger
from service.jobs.pause import pause
from service.jobs.run import Origin, Outcome, RunState
from service.jobs.runner import take
from service.jobs.tables import run_table
from service.settings import Settings
from service.watchdog import checks
from service.watchdog.alarms import Alarm, going_on, hold, newest
from service.watchdog.look import Glance, look, miss_the_watch
from service.watchdog.trouble import Room, Sight, Trouble, TroubleKind
from tests.service.conftest import Works

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PLANT = """
time_zone = "Europe/Berlin"
classes = [{ name = "press", signals = [{ name = "force", every = "1 min" }] }]
machines = [{ names = ["m1", "m2", "m3"], class = "press" }]
jobs = [{ name = "look", action = "seal", cron = "0 2 * * *", done_by = "05:30" }]
"""
NIGHT = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""02:00 in the plant."""


@pytest.fixture
def room(tmp_path: Path, database: str) -> Iterator[ControlRoom]:
    (tmp_path / "plant.toml").write_text(PLANT)
    with open_control_room(Settings(plant=tmp_path / "plant.toml", database=database)) as opened:
        yield opened


def glance(at: datetime, seconds: float | None = None) -> Glance:
    return Glance(at, (at - NOW).total_seconds() if seconds is None else seconds)


def seen(room: ControlRoom, at: datetime = NOW, **more: Any) -> list[tuple[str, str]]:
    more = {"room_of": lambda folder: Room(100, 50), **more}
    look(room, glance(at), by="watch", **more)
    with room.state.read() as connection:
        return [(each.kind.value, each.about) for each in going_on(connection)]


def enter(room: ControlRoom, *slots: datetime, job: str = "look") -> None:
    with room.state.write() as connection:
        ledger.plan(connection, job, slots, origin=Origin.SCHEDULE)


def end(room: ControlRoom, slot: datetime, state: RunState, at: datetime) -> None:
    with room.state.write() as connection:
        run = ledger.claim(connection, jobs=["look"], worker="w", at=at, lease=MINUTE)
        assert run is not None
        assert run.slot == slot
        ledger.finish(connection, run, Outcome(state=state, summary="so it went"), at=at)


def send(room: ControlRoom, machine: str, at: datetime) -> None:
    times = pa.array([at], pa.timestamp("us", "UTC"))
    table = pa.table(
        {"machine": pa.array([machine]), "time": times, "arrived": times, "force": pa.array([1.0])},
        schema=readings_schema(("force",)),
    )
    room.store.append(Readings("press", table), source="test", position="")


def alarms(room: ControlRoom) -> list[Alarm]:
    with room.state.read() as connection:
        return newest(connection, limit=100)


def test_a_plant_without_trouble_has_no_alarm(room: ControlRoom) -> None:
    assert seen(room) == []


def test_a_slot_that_nobody_begins_is_a_missed_run_until_it_is_done(room: ControlRoom) -> None:
    enter(room, NIGHT)
    assert seen(room, NIGHT + 15 * MINUTE) == []
    assert seen(room, NIGHT + 16 * MINUTE) == [("missed run", "look")]
    assert alarms(room)[0].sentence.startswith("job 'look': nobody did slot 2026-03-02 02:00")
    end(room, NIGHT, RunState.DONE, NIGHT + 17 * MINUTE)
    assert seen(room, NIGHT + 18 * MINUTE) == []


def test_a_slot_that_nobody_even_entered_is_a_missed_run(room: ControlRoom) -> None:
    enter(room, NIGHT - 24 * HOUR)
    end(room, NIGHT - 24 * HOUR, RunState.DONE, NIGHT - 23 * HOUR)
    assert seen(room, NIGHT + 16 * MINUTE) == [("missed run", "look")]


def test_a_run_whose_worker_left_it_is_a_missed_run(room: ControlRoom) -> None:
    enter(room, NIGHT)
    assert take(room, room.plant.jobs, at=NIGHT, worker="gone") is not None
    assert seen(room, NIGHT + 15 * MINUTE) == [], "its lease was over but a moment ago"
    assert seen(room, NIGHT + 21 * MINUTE) == [("missed run", "look")]


def test_a_paused_job_misses_nothing(room: ControlRoom) -> None:
    enter(room, NIGHT)
    with room.state.write() as connection:
        pause(connection, "look", by="eva", why="belt", at=NIGHT)
    assert seen(room, NIGHT + HOUR) == []


def test_what_is_not_done_by_its_deadline_is_an_alarm_until_it_is(room: ControlRoom) -> None:
    enter(room, NIGHT)
    deadline = NIGHT + 3.5 * HOUR
    with room.state.write() as connection:
        run = ledger.claim(connection, jobs=["look"], worker="w", at=NIGHT, lease=24 * HOUR)
    assert run is not None
    assert seen(room, deadline - MINUTE) == [], "it is being worked on"
    assert seen(room, deadline) == [("missed deadline", "look")]
    assert "slot 2026-03-02 02:00 is not done by 05:30" in alarms(room)[0].sentence
    with room.state.write() as connection:
        ledger.finish(connection, run, Outcome(summary=""), at=deadline + MINUTE)
    assert seen(room, deadline + 2 * MINUTE) == []


def test_a_run_that_failed_is_an_alarm_until_one_after_it_is_done(room: ControlRoom) -> None:
    enter(room, NIGHT)
    end(room, NIGHT, RunState.FAILED, NIGHT + MINUTE)
    assert seen(room, NIGHT + 2 * MINUTE) == [("failed run", "look")]
    assert alarms(room)[0].sentence == "job 'look': run 1 failed: so it went"


def test_a_job_that_left_the_plant_file_is_an_alarm_and_stays_in_the_ledger(room: ControlRoom) -> None:
    enter(room, NOW, job="old name")
    assert seen(room) == [("unknown job", "old name")]
    assert "andon jobs retire old name" in alarms(room)[0].sentence
    with room.state.read() as connection:
        assert ledger.unfinished(connection) == {"old name": 1}


def test_machines_that_fall_silent_are_one_alarm_of_their_class(room: ControlRoom) -> None:
    for machine, age in (("m1", 3 * HOUR), ("m2", 4 * HOUR)):
        send(room, machine, NOW - age)
    assert seen(room) == [("silent source", "press")]
    assert alarms(room)[0].sentence.startswith("2 of 2 machines of class 'press' are silent: m1, m2;")
    for machine in ("m1", "m2"):
        send(room, machine, NOW)
    assert seen(room, NOW + MINUTE) == []


def test_a_message_that_does_not_go_out_is_an_alarm_of_its_target(room: ControlRoom) -> None:
    with room.state.write() as connection:
        put(connection, target="shift", kind=NoticeKind.RAISED, body={}, at=NOW - 16 * MINUTE)
        put(connection, target="mail", kind=NoticeKind.RAISED, body={}, at=NOW - 14 * MINUTE)
    assert seen(room) == [("failed delivery", "shift")]
    with room.state.write() as connection:
        dead = update(notice_table).where(notice_table.c.target == "shift").values(state="dead", ended=NOW)
        connection.execute(dead)
    assert seen(room, NOW + MINUTE) == [("failed delivery", "shift")]
    assert "1 were given up" in alarms(room)[0].sentence


@pytest.mark.parametrize(("step", "words"), [(3600, "went ahead by 1:00:00"), (-3600, "went back by 1:00:00")])
def test_a_clock_that_steps_between_two_looks_is_an_alarm_for_an_hour(room: ControlRoom, step: int, words: str) -> None:
    before, then = glance(NOW), NOW + timedelta(seconds=30 + step)
    seen(room)
    look(room, Glance(then, 30.0), by="watch", before=before, room_of=lambda folder: Room(100, 50))
    (alarm,) = alarms(room)
    assert alarm.kind is TroubleKind.CLOCK_STEP
    assert words in alarm.sentence
    assert seen(room, then + 59 * MINUTE) == [("clock step", "clock")]
    assert seen(room, then + 61 * MINUTE) == []


def test_a_clock_that_drifts_within_the_allowance_has_not_stepped(room: ControlRoom) -> None:
    seen(room)
    assert seen(room, NOW + timedelta(seconds=39), before=glance(NOW, 9.5)) == []


def test_a_clock_that_went_back_while_nobody_looked_is_seen_by_the_next_who_does(room: ControlRoom) -> None:
    seen(room)
    assert seen(room, NOW - HOUR) == [("clock step", "clock")]


def test_a_worker_whose_clock_is_ahead_is_named(room: ControlRoom) -> None:
    enter(room, NOW)
    with room.state.write() as connection:
        ledger.claim(connection, jobs=["look"], worker="edge-7", at=NOW + HOUR, lease=MINUTE)
    assert seen(room) == [("clock step", "edge-7")]


def test_a_disk_with_little_room_is_an_alarm(room: ControlRoom) -> None:
    assert seen(room, room_of=lambda folder: Room(1000, 49)) == [("disk nearly full", str(room.plant.data_folder))]
    assert seen(room, room_of=lambda folder: Room(1000, 50)) == []


def test_a_check_that_fails_is_an_alarm_and_ends_none_of_its_kind(
    room: ControlRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(sight: Sight) -> Iterator[Trouble]:
        raise StoreError("the lake is away")

    send(room, "m1", NOW - 3 * HOUR)
    seen(room)
    monkeypatch.setitem(checks.CHECKS, TroubleKind.SILENT_SOURCE, fail)
    assert seen(room, NOW + MINUTE) == [("silent source", "press"), ("check failed", "silent source")]


def test_each_trouble_is_one_alarm_however_many_look_and_it_may_come_again(room: ControlRoom) -> None:
    trouble = Trouble(TroubleKind.FULL_DISK, "/data", "full")
    for at in (NOW, NOW + MINUTE):
        with room.state.write() as connection:
            hold(connection, [trouble], looked=[TroubleKind.FULL_DISK], at=at, by="one")
    with room.state.write() as connection:
        assert hold(connection, [], looked=[TroubleKind.MISSED_RUN], at=NOW, by="two").ended == []
        (over,) = hold(connection, [], looked=[TroubleKind.FULL_DISK], at=NOW + HOUR, by="two").ended
        (again,) = hold(connection, [trouble], looked=[TroubleKind.FULL_DISK], at=NOW + 2 * HOUR, by="two").raised
    assert (over.raised_at, over.seen_at, over.ended_at) == (NOW, NOW + MINUTE, NOW + HOUR)
    assert again.id != over.id


def telling_ops(room: ControlRoom) -> ControlRoom:
    return replace(room, plant=room.plant.model_copy(update={"watchdog": Watchdog(targets=["ops"])}))


def notices(room: ControlRoom) -> list[tuple[str, str]]:
    with room.state.read() as connection:
        return [(row.target, row.kind) for row in connection.execute(select(notice_table).order_by(notice_table.c.id))]


def test_targets_get_a_watchdog_message_as_often_as_they_are_to_expect_one(room: ControlRoom) -> None:
    room = telling_ops(room)
    for minute in (0, 1, 5):
        seen(room, NOW + minute * MINUTE)
        with room.state.write() as connection:
            connection.execute(update(notice_table).values(state="sent"))
    assert notices(room) == [("ops", "watchdog")] * 2


def test_watchdog_messages_do_not_pile_up_while_none_goes_out(room: ControlRoom) -> None:
    room = telling_ops(room)
    for minute in (0, 6, 12):
        seen(room, NOW + minute * MINUTE)
    assert notices(room) == [("ops", "watchdog")]


def test_targets_are_told_of_alarms_and_of_their_ends_in_the_same_transaction(room: ControlRoom) -> None:
    room = telling_ops(room)
    enter(room, NOW, job="old name")
    seen(room)
    seen(room, NOW + MINUTE)
    with room.state.write() as connection:
        ledger.abandon(connection, "old name", why="gone", at=NOW)
    seen(room, NOW + 2 * MINUTE)
    assert [kind for _, kind in notices(room) if kind != "watchdog"] == ["raised", "resolved"]
    with room.state.read() as connection:
        told = [notice_of(row) for row in connection.execute(select(notice_table).order_by(notice_table.c.id))]
    said = {each.kind.value: mail_text(each, room.plant.zone)[0] for each in told}
    assert said["raised"].startswith("job 'old name' has 1 runs to do")
    assert said["resolved"] == f"Over: {said['raised']}"
    assert said["watchdog"] == "Andon is watched"


def test_when_nobody_looks_any_more_those_who_run_jobs_say_so_and_the_next_look_ends_it(room: ControlRoom) -> None:
    miss_the_watch(room.state, room.plant, NOW, by="serve")
    assert alarms(room) == [], "nobody ever looked, and so nobody is missed"
    seen(room)
    miss_the_watch(room.state, room.plant, NOW + 16 * MINUTE, by="serve")
    (alarm,) = alarms(room)
    assert (alarm.kind, alarm.raised_by, alarm.ended_at) == (TroubleKind.SILENT_WATCH, "serve", None)
    assert seen(room, NOW + 17 * MINUTE) == []


def test_alarms_are_listed_counted_and_probed_over_http(works: Works) -> None:
    assert works.client.get("/watchz").json()["errors"][0]["reason"] == "nobody ever looked; start 'andon watch'"
    with works.room.state.write() as connection:
        ledger.plan(connection, "old", [works.now], origin=Origin.SCHEDULE)
    look(works.room, Glance(works.now, 0.0), by="watch", room_of=lambda folder: Room(100, 50))
    (alarm,) = works.get("/api/v1/operational-alarms")["items"]
    assert (alarm["kind"], alarm["about"], alarm["raised_by"]) == ("unknown job", "old", "watch")
    assert works.client.get("/watchz").status_code == 503
    assert 'andon_operational_alarms{kind="unknown job"} 1.0' in works.client.get("/metrics").text
    with works.room.state.write() as connection:
        ledger.abandon(connection, "old", why="", at=works.now)
    look(works.room, Glance(works.now + MINUTE, 60.0), by="watch", room_of=lambda folder: Room(100, 50))
    works.now += MINUTE
    assert works.get("/watchz")["status"] == "watched"
    assert works.get("/api/v1/operational-alarms")["items"] == []
    assert len(works.get("/api/v1/operational-alarms", show="all")["items"]) == 1
    works.now += 16 * MINUTE
    assert works.client.get("/watchz").status_code == 503


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_server_that_was_killed_is_missed_by_the_process_that_watches(room: ControlRoom, tmp_path: Path) -> None:
    long_ago = datetime.now(UTC) - 3 * HOUR
    with room.state.write() as connection:
        connection.execute(insert(run_table).values(job="look", slot=long_ago, origin="schedule", state="waiting"))
    command = [sys.executable, "-m", "service", "--plant", str(tmp_path / "plant.toml"), "watch", "--once"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == 1
    assert "missed run, since" in ended.stdout
