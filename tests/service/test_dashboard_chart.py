"""Charts: round ticks, local times, and no spike lost."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dashboard.axis import number, number_ticks, time_ticks
from service.dashboard.chart import HEIGHT, LEFT, WIDTH, Mark, Span, draw
from service.series import EMPTY, Series, thin

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 5, 1, tzinfo=UTC)


def series(values: list[float], step: timedelta = timedelta(minutes=1)) -> Series:
    start = np.datetime64(START.replace(tzinfo=None), "us")
    return Series(start + np.arange(1, len(values) + 1) * np.timedelta64(step), np.array(values))


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 12))
def test_number_ticks_lie_inside_rise_and_differ_in_their_labels(low: float, span: float, most: int) -> None:
    high = low + span
    ticks = number_ticks(low, high, most)

    values = [value for value, _ in ticks]
    assert values == sorted(values)
    assert len(ticks) <= most + 1 or high == low
    tolerance = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - tolerance <= value <= high + tolerance for value in values)


def test_a_chart_without_values_makes_up_no_axis() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)

    assert draw("t", "bar", EMPTY, Span(start, start + timedelta(days=1), ZoneInfo("UTC"))).y_ticks == ()


def test_ticks_write_thousands_and_minus_as_all_numbers_of_a_page() -> None:
    assert [label for _, label in number_ticks(-10_000, 10_000, 4)] == [
        "−10\u202f000",
        "−5\u202f000",
        "0",
        "5\u202f000",
        "10\u202f000",
    ]


def test_number_ticks_are_round() -> None:
    assert [label for _, label in number_ticks(17.2, 61.8, 4)] == ["20", "40", "60"]


@pytest.mark.parametrize(
    ("begin", "hours", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), 48, ["Sun 29 Mar", "12:00", "Mon 30 Mar", "12:00"]),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), 48, ["Sun 25 Oct", "12:00", "Mon 26 Oct", "12:00"]),
    ],
    ids=["spring", "autumn"],
)
def test_time_ticks_stay_on_the_wall_clock_when_it_changes(begin: datetime, hours: int, expected: list[str]) -> None:
    ticks = time_ticks(begin, begin + timedelta(hours=hours), BERLIN, 4)

    assert [label for _, label in ticks] == expected
    assert {at.astimezone(BERLIN).hour for at, _ in ticks} == {0, 12}


@given(st.integers(0, 50 * 365 * 24 * 60), st.floats(1, 60 * 24 * 4000), st.integers(2, 10))
def test_time_ticks_lie_inside_and_rise(begin: int, minutes: float, most: int) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=begin)
    end = start + timedelta(minutes=minutes)

    ticks = [at for at, _ in time_ticks(start, end, BERLIN, most)]

    assert ticks == sorted(set(ticks))
    assert all(start <= at <= end for at in ticks)
    assert len(ticks) <= 2 * most + 2


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 40))
def test_thinning_keeps_both_extremes_and_the_order(values: list[float], bins: int) -> None:
    whole = series(values)

    thinned = thin(whole, START, START + timedelta(minutes=len(values)), bins)

    assert len(thinned) <= 2 * bins
    assert thinned.value.min() == whole.value.min()
    assert thinned.value.max() == whole.value.max()
    assert (np.diff(thinned.time).astype(np.int64) > 0).all()
    assert set(zip(thinned.time, thinned.value, strict=True)) <= set(zip(whole.time, whole.value, strict=True))


def test_a_gap_breaks_the_line() -> None:
    before, after = series([1.0, 2.0, 3.0]), series([1.0, 2.0, 3.0])
    both = Series(
        np.concatenate([before.time, after.time + np.timedelta64(2, "h")]), np.concatenate([before.value, after.value])
    )

    chart = draw("t", "°C", both, Span(START, START + timedelta(hours=3), BERLIN))

    assert chart.path.count("M") == 2


def test_a_single_value_is_a_dot() -> None:
    chart = draw("t", "°C", series([5.0]), Span(START, START + timedelta(hours=1), BERLIN))

    assert chart.path == ""
    assert len(chart.dots) == 1


def test_everything_lies_inside_the_frame() -> None:
    span = Span(START, START + timedelta(minutes=5), BERLIN)
    marks = [
        Mark(START - timedelta(days=1), START + timedelta(days=1), "stop", "long"),
        Mark(START, None, "failure", "f"),
    ]

    chart = draw("t", "%", series([0.0, 900.0, -50.0, 3.0, 1.0]), span, marks=marks, threshold=50, bounds=(0, 100))

    points = [tuple(map(float, each.split(","))) for each in chart.path[1:].replace("M", "L").split("L")]
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert all(LEFT <= mark.x <= mark.x + mark.width <= WIDTH for mark in chart.marks)


def test_a_chart_without_values_says_so() -> None:
    chart = draw("t", "°C", EMPTY, Span(START, START + timedelta(hours=1), BERLIN))

    assert chart.empty
    assert chart.summary == "t: nothing in this span."


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234567.0, "1\u202f234\u202f567"), (0.1 + 0.2, "0.3"), (-0.0004, "−0.0004"), (1e12, "1.00e+12")],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_a_tick_is_labelled_with_the_time_that_the_clock_shows(day: datetime) -> None:
    ticks = time_ticks(day, day + timedelta(hours=4), BERLIN, 8)

    assert len(ticks) >= 6
    for at, label in ticks:
        local = at.astimezone(BERLIN)
        assert label == (f"{local:%a} {local.day} {local:%b}" if local.hour == local.minute == 0 else f"{local:%H:%M}")
