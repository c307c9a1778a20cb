"""Health of the alarm system: figures in closed form, and the same by counting one by one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.database import Database
from models.finding import Finding
from service.alerts import book
from service.alerts.alert import Verdict
from service.alerts.happened import health_of, lives
from service.alerts.health import Life, chattering, floods, health, load, per_interval, quantile, stale
from tests.ready_state import open_state

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
END = START + DAY


def life(
    number: int, minute: float, *, matter: str = "bearing", ack: float | None = None, over: float | None = None
) -> Life:
    raised = START + minute * MINUTE
    return Life(
        number=number,
        matter=("press-1", matter),
        raised=raised,
        turns=(raised,),
        acknowledged=None if ack is None else raised + ack * MINUTE,
        over=None if over is None else raised + over * MINUTE,
    )


def at(*counts: int) -> list[datetime]:
    """Return so many moments in each interval of ten minutes."""
    return [
        START + place * 10 * MINUTE + (each + 1) * timedelta(seconds=10)
        for place, count in enumerate(counts)
        for each in range(count)
    ]


def test_ten_a_minute_for_an_hour_are_a_hundred_in_each_ten_minutes() -> None:
    raised = [START + each * timedelta(seconds=6) for each in range(1, 601)]
    assert per_interval(raised, START, START + 60 * MINUTE) == [100] * 6


def test_an_interval_takes_its_end_and_leaves_out_its_start() -> None:
    assert per_interval([START + 10 * MINUTE], START, START + 20 * MINUTE) == [1, 0]


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ((10, 10, 10), []),
        ((11, 4), [(0, 10, 11, 11)]),
        ((0, 11, 5, 5, 12, 4, 9), [(10, 50, 33, 12)]),
        ((11, 4, 11, 3), [(0, 10, 11, 11), (20, 30, 11, 11)]),
        ((0, 11), [(10, 20, 11, 11)]),
    ],
)
def test_a_flood_begins_above_ten_and_ends_below_five(
    counts: tuple[int, ...], wanted: list[tuple[int, int, int, int]]
) -> None:
    found = floods(at(*counts), START, START + len(counts) * 10 * MINUTE)
    told = [((e.start - START) // MINUTE, (e.end - START) // MINUTE, e.alerts, e.most) for e in found]
    assert told == wanted


def test_three_turns_within_a_minute_chatter_and_within_more_do_not() -> None:
    def turning(seconds: tuple[int, ...]) -> Life:
        return Life(
            number=1,
            matter=("press-1", "odd"),
            raised=START,
            turns=tuple(START + timedelta(seconds=each) for each in seconds),
        )

    assert chattering([turning((1, 31, 61))], START, END) == [("press-1", "odd", 3)]
    assert chattering([turning((1, 31, 62))], START, END) == []
    # It is the matter that chatters, whichever alert it was.
    assert chattering([turning((1, 2)), turning((3, 4))], START, END) == [("press-1", "odd", 4)]


def test_open_for_more_than_a_day_is_stale() -> None:
    found = [life(1, 0), life(2, 0, over=2000), life(3, 1), life(4, 0, over=10)]
    assert stale(found, END) == []
    assert stale(found, END + timedelta(seconds=1)) == [1, 2]
    assert stale(found, END + DAY) == [1, 3]


def test_the_ten_with_most_alerts_come_first_and_equal_ones_by_name() -> None:
    matters = [("m", f"c{each:02}") for each in range(12) for _ in range(1 + (each == 7))]
    top = load(matters)
    assert [each.cause for each in top] == ["c07", *(f"c{each:02}" for each in range(10) if each != 7)]
    assert top[0].share == 2 / 13


def test_nothing_gives_nothing() -> None:
    nothing = health([], START, END)
    assert (nothing.alerts, nothing.per_day, nothing.floods, nothing.top_share) == (0, 0.0, (), 0.0)
    assert nothing.median_minutes_to_acknowledge is None
    assert nothing.advice == ()


def test_the_advice_names_at_most_five_the_chattering_ones_first() -> None:
    busy = [life(each, each, matter=f"c{each % 7}") for each in range(1, 71)]
    shaky = Life(
        number=99,
        matter=("press-2", "odd"),
        raised=START + MINUTE,
        turns=tuple(START + each * timedelta(seconds=10) for each in range(1, 5)),
    )
    said = health([*busy, shaky], START, END).advice
    assert len(said) == 5
    assert said[0].startswith("press-2, odd: went on and off 4 times in a minute")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-200, 1600),
            st.sampled_from("abc"),
            st.one_of(st.none(), st.integers(0, 300)),
            st.one_of(st.none(), st.integers(0, 3000)),
        ),
        max_size=60,
    )
)
def test_the_figures_are_those_of_counting_one_by_one(drawn: list[tuple[int, str, int | None, int | None]]) -> None:
    all_of_them = [life(n, minute, matter=m, ack=ack, over=over) for n, (minute, m, ack, over) in enumerate(drawn)]
    found = health(all_of_them, START, END)
    mine = [each for each in all_of_them if START < each.raised <= END]
    counts = [
        sum(START + k * 10 * MINUTE < each.raised <= START + (k + 1) * 10 * MINUTE for each in mine) for k in range(144)
    ]
    assert found.alerts == len(mine) == found.per_day
    assert found.most_in_ten_minutes == max(counts)
    flooded, spans, inside = 0, 0, False
    for count in counts:
        began = not inside and count > 10
        inside = began or (inside and count >= 5)
        spans, flooded = spans + began, flooded + inside
    assert (len(found.floods), round(found.flooded_share * 144)) == (spans, flooded)
    assert sum(each.alerts for each in found.top) == len(mine)
    waits = sorted(
        (each.acknowledged - each.raised) / MINUTE for each in mine if each.acknowledged and each.acknowledged <= END
    )
    if waits:
        median = found.median_minutes_to_acknowledge
        assert median is not None
        assert median in waits
        assert sum(each <= median for each in waits) * 2 >= len(waits)
        assert sum(each < median for each in waits) * 2 < len(waits)
    assert set(found.stale) == {
        each.number for each in all_of_them if END - each.raised > DAY and (each.over is None or each.over > END)
    }


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_at_least_that_share_is_not_above_the_quantile(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert found is not None
    assert found in ordered
    assert sum(each <= found for each in ordered) >= share * len(ordered)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def test_what_is_read_from_the_book_is_what_happened(state: Database) -> None:
    def finding(cause: str, begin: datetime) -> Finding:
        return Finding(
            machine="press-1",
            kind="anomaly",
            cause=cause,
            model="a",
            version="1",
            begin=begin,
            end=None,
            level=0.9,
            act_before=begin,
        )

    with state.write() as connection:
        one = book.raise_alert(connection, finding("one", START), at=START)[0].number
        book.condition_over(connection, one, at=START + MINUTE)
        book.raise_alert(connection, finding("one", START), at=START + 2 * MINUTE)
        book.acknowledge(connection, one, by="Ines", at=START + 5 * MINUTE)
        two = book.raise_alert(connection, finding("two", START), at=START + 6 * MINUTE)[0].number
        book.close(connection, two, verdict=Verdict.WRONG, by="Ines", at=START + 9 * MINUTE)
    with state.read() as connection:
        first, second = sorted(lives(connection, START - MINUTE, END), key=lambda each: each.number)
        found = health_of(connection, START - MINUTE, END + DAY)
        # As of then: what came later is not known yet.
        before = {each.number: each for each in lives(connection, START - MINUTE, START + 4 * MINUTE)}
    assert first.turns == (START, START + MINUTE, START + 2 * MINUTE)
    assert (first.acknowledged, first.over) == (START + 5 * MINUTE, None)
    assert (second.acknowledged, second.over) == (START + 9 * MINUTE, START + 9 * MINUTE)
    assert (found.alerts, found.stale, found.median_minutes_to_acknowledge) == (2, (one,), 3.0)
    assert set(before) == {one}
    assert before[one].acknowledged is None


def test_the_health_is_told_over_http(works: Any) -> None:
    works.alert()
    told = works.get("/api/v1/alerts/health", start=(works.now - DAY).isoformat())
    assert (told["alerts"], told["per_day"], told["top"][0]["cause"]) == (1, 1.0, "bearing")
