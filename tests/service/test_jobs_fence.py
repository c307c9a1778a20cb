"""A worker that lost its run has no effect any more, however late it wakes up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.database import Database
from ingest.errors import ScheduleError
from models.finding import Finding
from service.alerts import book
from service.database import assessment_table
from service.jobs import ledger
from service.jobs.fence import Fenced
from service.jobs.run import Origin, Outcome, Run
from service.jobs.silence import Beat, Silence
from tests.ready_state import open_state

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
LEASE = timedelta(seconds=30)
ROW = {"model": "a", "machine": "m1", "version": "1", "level": 0.9, "reason": "ok", "threshold": 0.5, "time": NOW}
FINDING = Finding(
    machine="m1",
    kind="failure ahead",
    cause="wear",
    model="a",
    version="1",
    begin=NOW,
    end=None,
    level=0.9,
    act_before=NOW + timedelta(hours=9),
)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    with opened.write() as connection:
        ledger.plan(connection, "score", [NOW], origin=Origin.SCHEDULE)
    yield opened
    opened.close()


def claimed(state: Database, worker: str, at: datetime = NOW) -> Run:
    with state.write() as connection:
        run = ledger.claim(connection, jobs=["score"], worker=worker, at=at, lease=LEASE)
    assert run is not None
    return run


def assess_and_raise(state: Database) -> None:
    with state.write() as connection:
        connection.execute(assessment_table.insert(), [ROW])
        book.raise_alert(connection, FINDING, at=NOW)


def test_a_worker_that_holds_its_run_writes_as_if_there_were_no_fence(state: Database) -> None:
    assess_and_raise(Fenced(state, claimed(state, "one")))
    with state.read() as connection:
        assert len(book.list_alerts(connection)) == 1


def test_a_worker_that_was_overtaken_writes_no_assessment_and_raises_no_alert(state: Database) -> None:
    first = claimed(state, "one")
    claimed(state, "two", NOW + LEASE)
    with pytest.raises(ScheduleError, match="was taken over by another worker"):
        assess_and_raise(Fenced(state, first))
    with state.read() as connection:
        assert connection.execute(select(assessment_table)).all() == []
        assert book.list_alerts(connection) == []


def test_what_is_finished_takes_no_further_effect_either(state: Database) -> None:
    run = claimed(state, "one")
    with state.write() as connection:
        ledger.finish(connection, run, Outcome(summary="done"), at=NOW)
    with pytest.raises(ScheduleError):
        assess_and_raise(Fenced(state, run))


def test_an_overtaken_worker_may_still_read(state: Database) -> None:
    first = claimed(state, "one")
    claimed(state, "two", NOW + LEASE)
    with Fenced(state, first).read() as connection:
        assert ledger.show(connection, first.id).worker == "two"


def test_a_heartbeat_that_changes_is_alive_and_one_that_does_not_for_a_lease_has_stopped() -> None:
    silence = Silence(LEASE)
    first, second = Beat(1, 1, NOW), Beat(2, 1, NOW)
    assert silence.among([first, second], 0.0) == []
    renewed = Beat(1, 1, NOW + LEASE / 3)
    assert silence.among([renewed, second], 10.0) == []
    assert silence.among([renewed, second], 30.0) == [second]
    assert silence.among([renewed, Beat(2, 2, NOW)], 31.0) == [], "claimed anew by somebody"


def test_a_clock_that_is_an_hour_ahead_takes_no_run_from_a_worker_that_is_alive(state: Database) -> None:
    claimed(state, "one")
    with state.write() as connection:
        alive = ledger.Bounds(silent=[])
        ahead = NOW + timedelta(hours=1)
        assert ledger.claim(connection, jobs=["score"], worker="two", at=ahead, lease=LEASE, bounds=alive) is None


def test_a_dead_worker_whose_clock_was_ahead_is_followed_after_a_lease_of_silence(state: Database) -> None:
    claimed(state, "one", NOW + timedelta(hours=1))
    with state.write() as connection:
        silent = ledger.Bounds(silent=ledger.beats(connection))
        run = ledger.claim(connection, jobs=["score"], worker="two", at=NOW, lease=LEASE, bounds=silent)
    assert run is not None
    assert (run.worker, run.token) == ("two", 2)


def test_a_heartbeat_that_was_renewed_since_it_was_looked_at_is_not_followed(state: Database) -> None:
    run = claimed(state, "one")
    with state.write() as connection:
        silent = ledger.Bounds(silent=ledger.beats(connection))
        ledger.renew(connection, run, at=NOW + timedelta(seconds=1), lease=LEASE)
        assert ledger.claim(connection, jobs=["score"], worker="two", at=NOW, lease=LEASE, bounds=silent) is None
