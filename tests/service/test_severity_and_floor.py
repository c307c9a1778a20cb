"""How bad an alert is in a word, and which kinds of alerts are so seldom right that they call nobody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.database import Database
from ingest.plant import Costs
from models.finding import Finding, FindingKind
from models.judging.interval import wilson
from service.alerts import book
from service.alerts.alert import Verdict
from service.alerts.floor import BACK, FLOOR, NEWEST, below_floor, floors, moved
from service.alerts.severity import Severity, severity
from service.audit.record import Subject
from service.audit.trail import Asked, list_records
from tests.ready_state import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
WORST_FIRST = list(Severity)
COSTS = Costs(missed_failure=24_000)


@pytest.mark.parametrize(
    ("per_hour", "word"),
    [(1000.0, "critical"), (999.9, "high"), (334.0, "high"), (333.0, "medium"), (72.0, "medium"), (71.0, "low")],
)
def test_a_missed_failure_within_a_day_is_critical_within_three_high_within_two_weeks_medium(
    per_hour: float, word: str
) -> None:
    assert severity("failure ahead", per_hour, COSTS) == word


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_more_money_an_hour_is_never_less_severe(one: float, other: float, failure: float) -> None:
    costs = Costs(missed_failure=failure)
    less, more = (WORST_FIRST.index(severity("anomaly", each, costs)) for each in (min(one, other), max(one, other)))
    assert more <= less


@given(st.floats(0.001, 1), st.floats(1, 1e4), st.floats(1, 1e8), st.floats(0.01, 100))
def test_it_does_not_depend_on_the_currency(chance: float, hours: float, failure: float, rate: float) -> None:
    one = severity("anomaly", chance * failure / hours, Costs(missed_failure=failure))
    # Where rounding moves it over a bound, both sides of it are right.
    near = {
        severity("anomaly", chance * failure * rate / hours * (1 + bend), Costs(missed_failure=failure * rate))
        for bend in (-1e-9, 1e-9)
    }
    assert one in near


def test_where_nothing_is_at_stake_nothing_is_severe() -> None:
    assert severity("anomaly", 0.0, Costs(missed_failure=0)) is Severity.LOW


def test_over_http_an_open_alert_has_its_word_and_a_closed_one_none(works: Any) -> None:
    works.alert(level=0.9, hours=2)
    assert works.get("/api/v1/alerts/1")["severity"] == "critical"
    assert "Critical · unacknowledged" in works.client.get("/alerts/1").text
    works.client.post("/api/v1/alerts/1/close", json={"verdict": "wrong", "by": "Ines"})
    assert works.get("/api/v1/alerts/1")["severity"] is None


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def judge(state: Database, *verdicts: Verdict, kind: FindingKind = "anomaly", start: int = 0) -> list[bool]:
    """Give verdicts one after the other; return after each whether the kind is below the floor."""
    told = []
    for place, verdict in enumerate(verdicts, start):
        at = NOW + timedelta(hours=place)
        finding = Finding(
            machine="m",
            kind=kind,
            cause="odd",
            model="a",
            version="1",
            begin=at,
            end=None,
            level=0.9,
            act_before=at,
        )
        with state.write() as connection:
            number = book.raise_alert(connection, finding, at=at)[0].number
            book.close(connection, number, verdict=verdict, by="Ines", at=at)
            told.append(below_floor(connection, "a", kind))
    return told


def test_nine_wrong_ones_in_a_row_are_below_the_floor_and_eight_are_not(state: Database) -> None:
    assert judge(state, *[Verdict.WRONG] * 9) == [False] * 8 + [True]
    with state.read() as connection:
        (floor,) = floors(connection, below=True)
        (record,) = list_records(connection, Asked(subject=Subject.FLOOR))
        assert not below_floor(connection, "a", "failure ahead")
        assert not below_floor(connection, "b", "anomaly")
    assert floor.sentence == "right 0 of the newest 9, at most 30 %: below 30 % for sure"
    assert (record.name, record.what) == ("a: anomaly", "below the floor")


def test_what_nobody_inspected_moves_nothing(state: Database) -> None:
    assert not any(judge(state, *[Verdict.NOT_INSPECTED] * 20))


def test_it_comes_back_later_than_it_fell(state: Database) -> None:
    judge(state, *[Verdict.WRONG] * 9)
    # One right one of ten would not have put it there: its upper bound is 40 %.
    assert judge(state, *[Verdict.RIGHT] * 3, start=9) == [True, False, False]
    with state.read() as connection:
        assert floors(connection, below=True) == []
        assert [each.what for each in list_records(connection, Asked(subject=Subject.FLOOR))] == [
            "back above the floor",
            "below the floor",
        ]


@given(st.integers(0, NEWEST), st.integers(0, NEWEST))
def test_one_verdict_never_moves_it_there_and_the_next_one_back(right: int, wrong: int) -> None:
    share = wilson(right, right + wrong)
    if moved(share, below=False):
        assert moved(share, below=True)
        assert moved(wilson(right, right + wrong + 1), below=True)
    assert FLOOR < BACK
