"""The runner does what is due and writes down how it went, whatever happens in the work."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, current_thread, main_thread
from time import process_time
from typing import get_args

import pytest
from sqlalchemy import insert, select

from ingest.errors import SourceError
from ingest.plant import Job
from models.finding import Finding
from service.alerts import book
from service.alerts.alert import Verdict
from service.alerts.record import track_record
from service.control_room import ControlRoom, open_control_room
from service.database import assessment_table
from service.jobs import ledger
from service.jobs.action import ACTIONS, Work
from service.jobs.ledger import Origin, Outcome, Run, RunState
from service.jobs.report import MOST_LINES
from service.jobs.runner import tick
from service.jobs.waker import Waker
from service.settings import Settings

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
PLANT = """
name = "Works"
time_zone = "Europe/Berlin"
classes = [{ name = "press", signals = [{ name = "force", every = "1 h" }] }]
machines = [{ name = "m1", class = "press" }]
models = [{ name = "odd", task = "anomaly", class = "press", horizon = "24 h" }]
jobs = [
  { name = "score", action = "score", every = "1 h" },
  { name = "morning", action = "report", cron = "0 7 * * *" },
  { name = "tidy", action = "clean", every = "24 h" },
]
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ControlRoom]:
    (tmp_path / "plant.toml").write_text(PLANT)
    with open_control_room(Settings(plant=tmp_path / "plant.toml", lease=timedelta(seconds=30))) as opened:
        yield opened


def by_hand(room: ControlRoom, job: str, slot: datetime = NOW) -> None:
    with room.state.write() as connection:
        ledger.plan(connection, job, [slot], origin=Origin.BY_HAND)


def run(room: ControlRoom, **actions: object) -> list[Run]:
    mine = {**ACTIONS, **actions}
    return tick(room, room.plant.jobs, clock=lambda: NOW, worker="w", actions=mine)  # type: ignore[arg-type]


def test_every_action_of_the_plant_file_can_be_done() -> None:
    assert set(ACTIONS) == set(get_args(Job.model_fields["action"].annotation))


def test_a_tick_does_what_is_due_and_enters_what_comes_next(room: ControlRoom) -> None:
    assert run(room) == []
    done = tick(room, room.plant.jobs, clock=lambda: NOW + timedelta(hours=1), worker="w")
    assert [(each.job, each.slot, each.state) for each in done] == [
        ("score", NOW + timedelta(hours=1), RunState.DONE),
    ]
    with room.state.read() as connection:
        waiting = ledger.list_runs(connection, states=(RunState.WAITING,))
    assert {(each.job, each.slot) for each in waiting} == {
        ("score", NOW + timedelta(hours=2)),
        ("morning", datetime(2026, 3, 3, 6, tzinfo=UTC)),
        ("tidy", datetime(2026, 3, 3, tzinfo=UTC)),
    }


def test_a_run_is_charged_the_processor_time_of_its_work_and_the_memory_of_its_process(room: ControlRoom) -> None:
    def toil(work: Work) -> Outcome:
        until = process_time() + 0.1
        held = b"x" * (64 << 20)
        while process_time() < until:
            pass
        return Outcome(summary=f"held {len(held)}")

    by_hand(room, "score")
    begun = process_time()
    (done,) = run(room, score=toil)

    assert done.cpu_seconds is not None
    assert 0.1 <= done.cpu_seconds <= process_time() - begun + 0.05, "the kernel counts in steps"
    assert done.peak_memory is not None
    assert 64 << 20 <= done.peak_memory <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_work_is_given_its_slot_and_the_present(room: ControlRoom) -> None:
    seen: list[Work] = []

    def look(work: Work) -> Outcome:
        seen.append(work)
        return Outcome(summary="looked")

    by_hand(room, "score", NOW - timedelta(days=1))
    run(room, score=look)
    (work,) = seen
    assert (work.slot, work.now, work.job.name) == (NOW - timedelta(days=1), NOW, "score")


def test_an_error_for_people_is_recorded_in_one_line(room: ControlRoom) -> None:
    def fail(work: Work) -> Outcome:
        raise SourceError("press.csv: cannot be read\nsecond line")

    by_hand(room, "score")
    (failed,) = run(room, score=fail)
    assert (failed.state, failed.outcome) == (RunState.FAILED, "press.csv: cannot be read")


def test_a_mistake_of_ours_is_recorded_with_its_trace_and_stops_nothing(room: ControlRoom) -> None:
    def stumble(work: Work) -> Outcome:
        return Outcome(summary=str(1 // 0))

    by_hand(room, "score")
    by_hand(room, "tidy")
    first, second = run(room, score=stumble)
    assert (first.state, first.outcome) == (RunState.FAILED, "ZeroDivisionError: integer division or modulo by zero")
    assert "Traceback" in first.log
    assert second.state is RunState.DONE


def test_nothing_is_begun_while_stopping(room: ControlRoom) -> None:
    by_hand(room, "score")
    assert tick(room, room.plant.jobs, clock=lambda: NOW, worker="w", stopping=lambda: True) == []


def test_a_lease_is_renewed_while_the_work_goes_on(room: ControlRoom) -> None:
    renewed, looks = Event(), []

    def clock() -> datetime:
        if current_thread() is main_thread():
            return NOW
        looks.append(1)
        if len(looks) == 2:
            renewed.set()
        return NOW + timedelta(hours=1)

    leases = []

    def long(work: Work) -> Outcome:
        assert renewed.wait(20)
        with room.state.write() as connection:
            leases.append(ledger.list_runs(connection, states=(RunState.RUNNING,))[0].lease_until)
        return Outcome(summary="at last")

    brief = timedelta(milliseconds=60)
    hasty = ControlRoom(Settings(lease=brief), room.plant, room.store, room.registry, room.state)
    by_hand(hasty, "score")
    (done,) = tick(hasty, hasty.plant.jobs, clock=clock, worker="w", actions={**ACTIONS, "score": long})
    assert done.state is RunState.DONE
    assert leases[0] == NOW + timedelta(hours=1) + brief


def test_work_that_another_worker_took_over_is_not_recorded(room: ControlRoom) -> None:
    def overtaken(work: Work) -> Outcome:
        with room.state.write() as connection:
            later = NOW + timedelta(hours=1)
            assert ledger.claim(connection, jobs=["score"], worker="other", at=later, lease=timedelta(hours=1))
        return Outcome(summary="too late")

    by_hand(room, "score")
    assert run(room, score=overtaken) == []
    with room.state.read() as connection:
        (still,) = ledger.list_runs(connection, states=(RunState.RUNNING,))
    assert still.worker == "other"


def test_cleaning_removes_old_assessments_and_keeps_alerts(room: ControlRoom) -> None:
    row = {"model": "a", "machine": "m1", "version": "1", "level": 0.1, "reason": "ok", "threshold": 0.5}
    with room.state.write() as connection:
        for days in (1, 500):
            connection.execute(insert(assessment_table).values(row | {"time": NOW - timedelta(days=days)}))
    by_hand(room, "tidy")
    (done,) = run(room)
    assert done.outcome == "removed 1 assessments and 0 runs"
    with room.state.read() as connection:
        assert connection.scalars(select(assessment_table.c.time)).all() == [NOW - timedelta(days=1)]


def raise_wear(room: ControlRoom, cause: str = "wear", level: float = 0.8, *, at: datetime) -> int:
    finding = Finding(
        machine="m1",
        kind="failure ahead",
        cause=cause,
        model="a",
        version="1",
        begin=at,
        end=None,
        level=level,
        act_before=NOW + timedelta(hours=9),
        sentence=f"m1: {cause} {level:.0%}",
    )
    with room.state.write() as connection:
        return book.raise_alert(connection, finding, at=at)[0].number


def report_of(room: ControlRoom) -> str:
    by_hand(room, "morning")
    (done,) = run(room)
    return Path(done.log).read_text()


def test_a_report_of_a_past_slot_tells_what_was_known_then(room: ControlRoom) -> None:
    hour = timedelta(hours=1)
    closed_since, louder_since = (raise_wear(room, cause, at=NOW - hour) for cause in ("leak", "wear"))
    over_before = raise_wear(room, "noise", at=NOW - 3 * hour)
    with room.state.write() as connection:
        book.acknowledge(connection, over_before, by="eva", at=NOW - 2 * hour)
        book.condition_over(connection, over_before, at=NOW - 2 * hour)
        book.acknowledge(connection, closed_since, by="eva", at=NOW - hour / 2)
        book.close(connection, closed_since, verdict=Verdict.RIGHT, by="eva", at=NOW + hour)
    raise_wear(room, level=0.95, at=NOW + hour)
    raise_wear(room, "rust", at=NOW + hour)

    page = report_of(room)

    looked_at = page[page.index("## Where") : page.index("## In this time")].split("\n")[2:-2]
    assert looked_at == [
        "1. m1: wear – 8,000 at stake (80 % of 10,000), 9 h left",
        "2. m1: leak – 8,000 at stake (80 % of 10,000), 9 h left",
    ], "the acknowledged one comes last, and no sentence tells numbers of later"
    assert "- alerts raised: 3\n" in page
    assert "by eva" not in page
    assert louder_since == 2


def test_a_verdict_counts_in_a_track_record_from_its_time_on(room: ControlRoom) -> None:
    number = raise_wear(room, at=NOW - timedelta(hours=1))
    with room.state.write() as connection:
        book.close(connection, number, verdict=Verdict.RIGHT, by="eva", at=NOW)
        assert track_record(connection, "a", {}, until=NOW).judged == 1
        assert track_record(connection, "a", {}, until=NOW - timedelta(minutes=1)).judged == 0


def test_a_report_has_so_many_lines_and_says_that_there_are_more(room: ControlRoom) -> None:
    for each in range(MOST_LINES + 5):
        raise_wear(room, f"cause {each}", at=NOW - timedelta(hours=1))

    page = report_of(room)

    assert f"\n{MOST_LINES}. m1" in page
    assert f"\n{MOST_LINES + 1}. m1" not in page
    assert f"\n- and more than these {MOST_LINES}\n" in page


def test_the_report_tells_what_is_open_what_was_closed_and_what_failed(room: ControlRoom) -> None:
    with room.state.write() as connection:
        for cause in ("wear", "leak"):
            finding = Finding(
                machine="m1",
                kind="failure ahead",
                cause=cause,
                model="a",
                version="1",
                begin=NOW,
                end=None,
                level=0.8,
                act_before=NOW + timedelta(hours=9),
                sentence=f"m1: {cause}",
            )
            number = book.raise_alert(connection, finding, at=NOW - timedelta(hours=1))[0].number
        book.close(connection, number, verdict=Verdict.WRONG, by="eva", at=NOW)
    by_hand(room, "morning")
    (done,) = run(room)
    page = Path(done.log).read_text()
    assert page.startswith("# Works\n\nFrom 2026-03-01 07:00 to 2026-03-02 07:00 (Europe/Berlin).\n")
    assert "1. m1: wear – 8,000 at stake (80 % of 10,000), 9 h left\n" in page
    assert "- alerts raised: 2\n- alert 2 (m1, leak): wrong, by eva\n" in page
    assert [each.name for each in Path(done.log).parent.iterdir()] == ["morning-20260302T060000Z.md"]


def test_jobs_bring_readings_in_train_on_them_and_score_them(tmp_path: Path) -> None:
    begin, hours = datetime(2026, 1, 1, tzinfo=UTC), 24 * 40
    rows = (f"m1,{(begin + timedelta(hours=hour)).isoformat()},{10 + hour % 7 / 7}" for hour in range(hours))
    (tmp_path / "force.csv").write_text("\n".join(["machine,time,force", *rows, "m1,soon,3"]))
    (tmp_path / "plant.toml").write_text(
        PLANT.replace(
            "jobs = [",
            """jobs = [
  { name = "in", action = "ingest", every = "7 d" },
  { name = "learn", action = "train", every = "7 d" },""",
        )
        + '[[sources]]\nname = "files"\npath = "force.csv"\nmachine = "machine"\ntime = "time"\n'
    )
    at = begin + timedelta(hours=hours)
    with open_control_room(Settings(plant=tmp_path / "plant.toml")) as room:
        for job in ("in", "learn", "score"):
            by_hand(room, job, at)
        done = {each.job: each for each in tick(room, room.plant.jobs, clock=lambda: at, worker="w")}
    assert {each.state for each in done.values()} == {RunState.DONE}
    assert done["in"].outcome == "1 files: 960 rows accepted, 1 rejected"
    assert "force.csv, line 962: time 'soon': not an ISO time" in done["in"].log
    assert done["learn"].models == ("odd",)
    assert done["learn"].outcome == "trained 1 of 1 models, 0 of them not live"
    assert done["score"].models == ("odd",)


def test_a_job_that_left_the_plant_file_is_not_begun(room: ControlRoom) -> None:
    by_hand(room, "gone")
    assert run(room) == []


def test_the_waker_runs_what_is_due_until_it_is_stopped(room: ControlRoom) -> None:
    begun = Event()

    def look(work: Work) -> Outcome:
        begun.set()
        return Outcome(summary="looked")

    by_hand(room, "score")
    waker = Waker(room, lambda: NOW, actions={**ACTIONS, "score": look})
    waker.start()
    assert begun.wait(20)
    waker.stop()
    with room.state.read() as connection:
        (done,) = ledger.list_runs(connection, states=(RunState.DONE,))
    assert (done.job, done.outcome) == ("score", "looked")
