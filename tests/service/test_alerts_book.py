"""The book keeps one open alert of each matter, and everything that happened to it."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ingest.database import Database
from ingest.errors import UnknownNameError
from models.finding import Evidence, Finding
from service.alerts import book
from service.alerts.alert import AlertState, Happening, Verdict
from tests.ready_state import open_state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FINDING = Finding(
    machine="press-3",
    kind="failure ahead",
    cause="bearing",
    model="risk",
    version="v1",
    begin=NOW - timedelta(hours=1),
    end=None,
    level=0.6,
    act_before=NOW + timedelta(hours=23),
    evidence=(Evidence(signal="vibration", unit="mm/s", feature="24 h mean", actual=4.5, expected=1.2, share=0.8),),
    sentence="press-3: bearing likely to fail within 24 h (60 %)",
)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def _raise_many(path: Path, times: int) -> list[bool]:
    database = open_state(path)
    news = []
    for step in range(times):
        with database.write() as connection:
            news.append(book.raise_alert(connection, replace(FINDING, level=0.6 + step / 1000), at=NOW)[1])
    database.close()
    return news


def _in_threads(path: Path, threads: int, times: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: _raise_many(path, times), range(threads)))


def test_a_hundred_raises_at_once_from_threads_and_processes_are_one_alert(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_state(path).close()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_in_threads, args=(path, 5, 10))
    process.start()
    _in_threads(path, 5, 10)
    process.join()
    assert process.exitcode == 0
    database = open_state(path)
    with database.read() as connection:
        alerts = book.list_alerts(connection, states=tuple(AlertState))
        assert len(alerts) == 1
        assert [line.happening for line in book.history(connection, alerts[0].number)] == [Happening.RAISED]
    database.close()


def test_a_hundred_raises_at_once_are_one_alert_in_either_database(tmp_path: Path, database: str) -> None:
    path, ready = tmp_path / "state.db", Barrier(20)
    open_state(path, database).close()

    def raise_five(_: int) -> int:
        opened = open_state(path, database)
        ready.wait()
        news = 0
        for _ in range(5):
            with opened.write() as connection:
                news += book.raise_alert(connection, FINDING, at=NOW)[1]
        opened.close()
        return news

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(raise_five, range(20))) == 1
    again = open_state(path, database)
    with again.read() as connection:
        assert len(book.list_alerts(connection, states=tuple(AlertState))) == 1
    again.close()


def test_alerts_can_be_raised_one_after_the_other_in_either_database(state: Database) -> None:
    with state.write() as connection:
        for cause in map(str, range(20)):
            assert book.raise_alert(connection, replace(FINDING, cause=cause), at=NOW)[1]


def test_a_raised_alert_says_everything_that_the_finding_said(state: Database) -> None:
    with state.write() as connection:
        alert, new = book.raise_alert(connection, FINDING, at=NOW)
    assert new
    for name in ("machine", "cause", "kind", "model", "version", "level", "act_before", "evidence", "sentence"):
        assert getattr(alert, name) == getattr(FINDING, name)
    assert (alert.condition_begin, alert.condition_end, alert.raised_at) == (FINDING.begin, None, NOW)


def test_the_time_to_act_before_is_that_of_the_newest_sentence(state: Database) -> None:
    sooner = replace(FINDING, act_before=NOW + timedelta(hours=2), sentence="press-3: remaining life 4 h")
    with state.write() as connection:
        book.raise_alert(connection, FINDING, at=NOW)
        alert, new = book.raise_alert(connection, sooner, at=NOW)

    assert not new
    assert (alert.act_before, alert.sentence) == (sooner.act_before, sooner.sentence)


def test_another_cause_or_machine_is_another_alert(state: Database) -> None:
    with state.write() as connection:
        for finding in (FINDING, replace(FINDING, cause="seal"), replace(FINDING, machine="press-4")):
            assert book.raise_alert(connection, finding, at=NOW)[1]


def test_the_history_speaks_of_a_level_only_when_it_changed_materially(state: Database) -> None:
    with state.write() as connection:
        number = book.raise_alert(connection, FINDING, at=NOW)[0].number
        for level in (0.65, 0.69, 0.71, 0.75, 0.6):
            alert, _ = book.raise_alert(connection, replace(FINDING, level=level, sentence=f"{level}"), at=NOW)
            assert (alert.level, alert.sentence) == (level, f"{level}")
        told = [(line.happening, line.level) for line in book.history(connection, number)]
    assert told == [(Happening.RAISED, 0.6), (Happening.CHANGED, 0.71), (Happening.CHANGED, 0.6)]


def test_a_second_model_speaks_for_the_alert_only_when_it_is_surer(state: Database) -> None:
    with state.write() as connection:
        book.raise_alert(connection, FINDING, at=NOW)
        meek, _ = book.raise_alert(connection, replace(FINDING, model="other", level=0.5), at=NOW)
        assert (meek.model, meek.level) == ("risk", 0.6)
        bold, _ = book.raise_alert(connection, replace(FINDING, model="other", level=0.8), at=NOW)
        assert (bold.model, bold.level) == ("other", 0.8)


def test_after_an_alert_became_normal_the_same_matter_is_a_new_alert(state: Database) -> None:
    with state.write() as connection:
        first, _ = book.raise_alert(connection, FINDING, at=NOW)
        book.acknowledge(connection, first.number, by="eva", at=NOW)
        book.condition_over(connection, first.number, at=NOW, end=NOW - timedelta(minutes=5))
        second, new = book.raise_alert(connection, FINDING, at=NOW)
        assert book.show(connection, first.number).condition_end == NOW - timedelta(minutes=5)
    assert new
    assert second.number == first.number + 1


def test_a_returned_alert_that_comes_back_is_the_same_alert(state: Database) -> None:
    with state.write() as connection:
        first, _ = book.raise_alert(connection, FINDING, at=NOW)
        book.condition_over(connection, first.number, at=NOW)
        back, new = book.raise_alert(connection, FINDING, at=NOW + timedelta(hours=3))
    assert not new
    assert (back.number, back.state, back.condition_end) == (first.number, AlertState.UNACKNOWLEDGED, None)


def test_closing_keeps_verdict_note_and_person(state: Database) -> None:
    with state.write() as connection:
        number = book.raise_alert(connection, FINDING, at=NOW)[0].number
        closed = book.close(connection, number, verdict=Verdict.PREVENTED, by="eva", at=NOW, note="ring was cracked")
        line = book.history(connection, number)[-1]
    assert (closed.verdict, closed.note, closed.closed_by, closed.closed_at) == (
        Verdict.PREVENTED,
        "ring was cracked",
        "eva",
        NOW,
    )
    assert (line.by, line.why) == ("eva", "prevented: ring was cracked")


def test_an_alert_that_became_normal_by_itself_can_still_be_judged(state: Database) -> None:
    with state.write() as connection:
        number = book.raise_alert(connection, FINDING, at=NOW)[0].number
        book.acknowledge(connection, number, by="eva", at=NOW)
        book.condition_over(connection, number, at=NOW)
        assert book.close(connection, number, verdict=Verdict.RIGHT, by="eva", at=NOW).verdict is Verdict.RIGHT


def test_an_unknown_alert_is_named(state: Database) -> None:
    with state.read() as connection, pytest.raises(UnknownNameError, match="no alert 12"):
        book.show(connection, 12)


def test_pages_of_alerts_neither_repeat_nor_leave_out(state: Database) -> None:
    with state.write() as connection:
        for number in range(7):
            book.raise_alert(connection, replace(FINDING, machine=f"m{number % 2}", cause=f"c{number}"), at=NOW)
    seen: list[int] = []
    with state.read() as connection:
        while page := book.list_alerts(connection, limit=3, before=seen[-1] if seen else None):
            seen += [alert.number for alert in page]
        assert [alert.cause for alert in book.list_alerts(connection, machine="m1")] == ["c5", "c3", "c1"]
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_failed_transaction_leaves_neither_alert_nor_history(state: Database) -> None:
    def fail() -> None:
        with state.write() as connection:
            book.raise_alert(connection, FINDING, at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with state.read() as connection:
        assert book.list_alerts(connection) == []
        assert book.history(connection, 1) == []
