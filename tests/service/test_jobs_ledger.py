"""The ledger gives each slot to one worker at a time and believes only the newest one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.database import Database
from ingest.errors import ScheduleError, UnknownNameError
from ingest.plant import Job
from service.jobs import ledger
from service.jobs.ledger import MOST_CLAIMS, Origin, Outcome, Run, RunState
from service.jobs.planning import back_fill, enter_slots, run_now, up_to_date
from tests.ready_state import open_state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=5)
ZONE = ZoneInfo("Europe/Berlin")
HOURLY = Job(name="score", action="score", every="1 h")


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def plan(state: Database, *hours: float, job: str = "score") -> None:
    with state.write() as connection:
        ledger.plan(connection, job, [NOW + hour * HOUR for hour in hours], origin=Origin.SCHEDULE)


def claim(state: Database, at: datetime = NOW, worker: str = "one") -> Run | None:
    with state.write() as connection:
        return ledger.claim(connection, jobs=["score"], worker=worker, at=at, lease=LEASE)


def claimed(state: Database, at: datetime = NOW, worker: str = "one") -> Run:
    run = claim(state, at, worker)
    assert run is not None
    return run


def finish(state: Database, run: Run, at: datetime = NOW) -> None:
    with state.write() as connection:
        ledger.finish(connection, run, Outcome(summary="did it", rows=7, models=("a", "b")), at=at)


def states(state: Database) -> dict[float, RunState]:
    with state.read() as connection:
        return {(run.slot - NOW) / HOUR: run.state for run in ledger.list_runs(connection)}


def enter(state: Database, job: Job, at: datetime) -> None:
    with state.write() as connection:
        enter_slots(connection, job, ZONE, at=at)


def test_a_slot_stands_in_the_ledger_once(state: Database) -> None:
    with state.write() as connection:
        assert ledger.plan(connection, "score", [NOW, NOW, NOW + HOUR], origin=Origin.SCHEDULE) == 2
        assert ledger.plan(connection, "score", [NOW], origin=Origin.BY_HAND) == 0
        assert ledger.plan(connection, "other", [NOW], origin=Origin.SCHEDULE) == 1


def test_the_oldest_due_slot_is_claimed_and_a_slot_ahead_is_not(state: Database) -> None:
    plan(state, 1, 0, -1)
    assert claimed(state).slot == NOW - HOUR


def test_while_a_run_is_worked_on_no_other_run_of_its_job_is_due(state: Database) -> None:
    plan(state, -1, 0)
    run = claimed(state)
    assert claim(state, worker="two") is None
    finish(state, run)
    assert claimed(state, worker="two").slot == NOW


def test_a_run_whose_worker_fell_silent_goes_to_another_one(state: Database) -> None:
    plan(state, 0)
    first = claimed(state)
    assert claim(state, NOW + LEASE - timedelta(seconds=1), "two") is None
    second = claimed(state, NOW + LEASE, "two")
    assert (second.id, second.worker, second.token) == (first.id, "two", first.token + 1)


def test_a_worker_that_was_overtaken_can_neither_renew_nor_finish(state: Database) -> None:
    plan(state, 0)
    first = claimed(state)
    second = claimed(state, NOW + LEASE, "two")
    with (
        pytest.raises(ScheduleError, match=r"run 1 \(job 'score', slot 2026-01-01 12:00 UTC\) was taken over"),
        state.write() as connection,
    ):
        ledger.renew(connection, first, at=NOW + LEASE, lease=LEASE)
    with pytest.raises(ScheduleError, match="what one did for it is not recorded"):
        finish(state, first)
    finish(state, second)
    with pytest.raises(ScheduleError):
        finish(state, second)


def test_a_renewed_lease_keeps_others_away(state: Database) -> None:
    plan(state, 0)
    run = claimed(state)
    with state.write() as connection:
        ledger.renew(connection, run, at=NOW + LEASE / 2, lease=LEASE)
    assert claim(state, NOW + LEASE, "two") is None


def test_a_run_that_keeps_killing_its_workers_is_given_up(state: Database) -> None:
    plan(state, 0)
    for attempt in range(MOST_CLAIMS):
        claimed(state, NOW + attempt * LEASE)
    assert claim(state, NOW + MOST_CLAIMS * LEASE) is None
    with state.read() as connection:
        run = ledger.show(connection, 1)
    assert (run.state, run.outcome) == (RunState.FAILED, "its worker fell silent 5 times; not tried again")


def test_a_worker_of_before_can_never_finish_a_run_that_was_set_to_waiting_again(state: Database) -> None:
    plan(state, 0)
    held = [claimed(state, NOW + attempt * LEASE) for attempt in range(MOST_CLAIMS)]
    assert claim(state, NOW + MOST_CLAIMS * LEASE) is None, "given up"
    with state.write() as connection:
        assert ledger.again(connection, "score", [NOW]) == 1
        assert ledger.show(connection, 1).token > held[-1].token
    for run in (*held, claimed(state, NOW + MOST_CLAIMS * LEASE, "two")):
        if run.worker == "two":
            finish(state, run)
        else:
            with pytest.raises(ScheduleError, match="was taken over"):
                finish(state, run)


def test_a_run_that_is_set_to_waiting_again_is_given_to_as_many_workers_anew(state: Database) -> None:
    plan(state, 0)
    for attempt in range(MOST_CLAIMS):
        claimed(state, NOW + attempt * LEASE)
    assert claim(state, NOW + MOST_CLAIMS * LEASE) is None
    with state.write() as connection:
        ledger.again(connection, "score", [NOW])
    for attempt in range(MOST_CLAIMS, 2 * MOST_CLAIMS):
        claimed(state, NOW + attempt * LEASE)
    assert claim(state, NOW + 2 * MOST_CLAIMS * LEASE) is None


def test_what_came_of_a_run_is_kept(state: Database) -> None:
    plan(state, 0)
    finish(state, claimed(state), NOW + timedelta(minutes=1))
    with state.read() as connection:
        run = ledger.show(connection, 1)
    assert (run.state, run.outcome, run.rows, run.models) == (RunState.DONE, "did it", 7, ("a", "b"))
    assert (run.started, run.ended, run.lease_until) == (NOW, NOW + timedelta(minutes=1), None)


def test_an_unknown_run_is_named(state: Database) -> None:
    with state.read() as connection, pytest.raises(UnknownNameError, match="no run 3"):
        ledger.show(connection, 3)


def test_a_new_job_begins_with_its_next_slot(state: Database) -> None:
    enter(state, HOURLY, NOW + 0.5 * HOUR)
    assert states(state) == {1: RunState.WAITING}
    with state.read() as connection:
        assert up_to_date(connection, HOURLY, ZONE, at=NOW + 0.5 * HOUR)
        assert not up_to_date(connection, HOURLY, ZONE, at=NOW + HOUR)


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("latest", {1: "skipped", 5: "waiting", 6: "waiting"}),
        ("all", {1: "waiting", 2: "waiting", 3: "waiting", 4: "waiting", 5: "waiting", 6: "waiting"}),
        ("none", {1: "skipped", 5: "skipped", 6: "waiting"}),
    ],
)
def test_after_an_outage_a_job_catches_up_as_it_says(
    state: Database, catch_up: str, expected: dict[float, str]
) -> None:
    job = HOURLY.model_copy(update={"catch_up": catch_up})
    enter(state, job, NOW + 0.5 * HOUR)
    enter(state, job, NOW + 5.5 * HOUR)
    assert states(state) == expected
    enter(state, job, NOW + 5.5 * HOUR)
    assert states(state) == expected, "entering again changes nothing"


def test_a_slot_that_is_begun_on_time_is_never_skipped(state: Database) -> None:
    job = HOURLY.model_copy(update={"catch_up": "none"})
    enter(state, job, NOW + 0.5 * HOUR)
    enter(state, job, NOW + HOUR + timedelta(seconds=10))
    assert claimed(state, NOW + HOUR + timedelta(seconds=10)).slot == NOW + HOUR


def test_a_skipped_slot_says_why_in_local_time(state: Database) -> None:
    enter(state, HOURLY, NOW + 0.5 * HOUR)
    enter(state, HOURLY, NOW + 3.5 * HOUR)
    with state.read() as connection:
        (skipped,) = ledger.list_runs(connection, states=(RunState.SKIPPED,))
    assert skipped.outcome == "missed; slot 2026-01-01 16:00 makes up for it"


def test_a_changed_schedule_forgets_the_slots_ahead_of_the_old_one(state: Database) -> None:
    enter(state, HOURLY, NOW + 0.5 * HOUR)
    enter(state, HOURLY.model_copy(update={"every": timedelta(hours=5)}), NOW + 0.75 * HOUR)
    ((hour, waiting),) = states(state).items()
    assert waiting is RunState.WAITING
    assert hour != 1


def test_back_filling_does_what_was_never_done_and_leaves_what_was_done(state: Database) -> None:
    plan(state, -3, -2)
    finish(state, claimed(state))
    with state.write() as connection:
        ledger.skip(connection, ledger.waiting(connection, "score", until=NOW), why="missed", at=NOW)
        assert back_fill(connection, HOURLY, ZONE, NOW - 4 * HOUR, NOW, at=NOW) == 3
        assert back_fill(connection, HOURLY, ZONE, NOW - 4 * HOUR, NOW, at=NOW) == 0
    assert states(state) == {-3: "done", -2: "waiting", -1: "waiting", 0: "waiting"}
    enter(state, HOURLY, NOW)
    assert states(state)[-2] is RunState.WAITING, "what a person asked for is not skipped as missed"


def test_back_filling_the_future_is_refused(state: Database) -> None:
    with state.write() as connection, pytest.raises(ScheduleError, match="the end must not lie ahead"):
        back_fill(connection, HOURLY, ZONE, NOW, NOW + HOUR, at=NOW)


def test_a_run_by_hand_is_due_at_once(state: Database) -> None:
    with state.write() as connection:
        run = run_now(connection, HOURLY, at=NOW)
    assert (run.origin, run.slot) == (Origin.BY_HAND, NOW)
    assert claimed(state).id == run.id


def test_old_runs_are_forgotten_and_waiting_ones_are_not(state: Database) -> None:
    plan(state, -2, -1)
    finish(state, claimed(state), NOW - HOUR)
    with state.write() as connection:
        assert ledger.forget(connection, before=NOW) == 1
    assert states(state) == {-1: RunState.WAITING}


def test_pages_of_runs_neither_repeat_nor_leave_out(state: Database) -> None:
    plan(state, *range(5))
    seen: list[int] = []
    with state.read() as connection:
        while page := ledger.list_runs(connection, job="score", limit=2, before=seen[-1] if seen else None):
            seen += [run.id for run in page]
    assert seen == [5, 4, 3, 2, 1]
