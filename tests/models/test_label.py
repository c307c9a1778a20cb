from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import Target
from models.labels.label import healthy, label, target_events

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return ZERO + timedelta(hours=hour)


def failure(hour: float, end: float | None = None, **fields: str) -> Event:
    return Event(
        **{"machine": "m1", "component": "", "code": "", **fields},  # type: ignore[arg-type]
        kind="failure",
        time=at(hour),
        end=None if end is None else at(end),
    )


def hourly(hours: int, machines: tuple[str, ...] = ("m1",)) -> FeatureTable:
    time = np.datetime64("2026-01-01", "us") + np.arange(hours) * np.timedelta64(1, "h")
    machine = np.repeat(np.array(machines, dtype=object), hours)
    rows = hours * len(machines)
    return FeatureTable(machine, np.tile(time, len(machines)), (), np.empty((rows, 0)), np.ones(rows))


def labelled(events: list[Event], *, horizon: int, known: int, hours: int = 12) -> list[int]:
    targets = target_events(events_table(events), Target())
    return label(hourly(hours), targets, timedelta(hours=horizon), at(known)).tolist()


def test_a_row_is_positive_when_an_event_begins_in_the_horizon_open_at_its_start() -> None:
    assert labelled([failure(5)], horizon=3, known=20) == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_rows_whose_horizon_is_not_over_are_unknown_unless_an_event_came() -> None:
    assert labelled([], horizon=3, known=9) == [0] * 7 + [-1] * 5
    assert labelled([failure(9)], horizon=3, known=9)[6:10] == [1, 1, 1, -1]


def test_rows_inside_an_event_that_lasts_are_unknown() -> None:
    assert labelled([failure(4, 6)], horizon=2, known=20) == [0, 0, 1, 1, -1, -1, -1, 0, 0, 0, 0, 0]


def test_another_machine_does_not_matter() -> None:
    assert labelled([failure(5, machine="m2")], horizon=3, known=20) == [0] * 12


def test_two_components_that_fail_at_once_are_one_event() -> None:
    targets = target_events(events_table([failure(5, component="b"), failure(5, component="a")]), Target())

    assert targets[["machine", "components"]].values.tolist() == [["m1", ("a", "b")]]


def test_a_component_is_named_as_it_is_whatever_stands_in_its_name() -> None:
    targets = target_events(events_table([failure(5, component="gear+shaft"), failure(5, component="a")]), Target())

    assert targets["components"].tolist() == [("a", "gear+shaft")]


def test_a_record_within_an_event_that_lasts_prolongs_it() -> None:
    targets = target_events(events_table([failure(5, 9), failure(7, 8), failure(9, 11), failure(12)]), Target())

    assert targets["end"].tolist() == [pd.Timestamp(at(11)), pd.Timestamp(at(12))]


def test_only_events_of_the_target_count() -> None:
    events = events_table([failure(1, component="a"), failure(2, component="b", code="x")])

    assert len(target_events(events, Target(component="a"))) == 1
    assert len(target_events(events, Target(code="x"))) == 1
    assert len(target_events(events, Target(kind="stop"))) == 0


moments = st.lists(st.integers(0, 40), max_size=6)


@settings(deadline=None)
@given(past=moments, future=moments, other=moments, known=st.integers(5, 30), horizon=st.integers(1, 8))
def test_what_happens_after_the_known_time_changes_no_label(
    past: list[int], future: list[int], other: list[int], known: int, horizon: int
) -> None:
    def told(later: list[int]) -> list[int]:
        before = [failure(hour, hour + 1) for hour in past if hour <= known]
        after = [failure(known + 0.5 + hour) for hour in later]
        return labelled(before + after, horizon=horizon, known=known, hours=40)

    assert told(future) == told(other)


@settings(deadline=None)
@given(hours=moments, horizon=st.integers(1, 8), known=st.integers(0, 40))
def test_labels_say_what_a_slow_loop_says(hours: list[int], horizon: int, known: int) -> None:
    seen = [hour for hour in hours if hour <= known]
    expected = [
        -1
        if row > known
        else 1
        if any(row < hour <= row + horizon for hour in seen)
        else (0 if row + horizon <= known else -1)
        for row in range(40)
    ]

    assert labelled([failure(hour) for hour in hours], horizon=horizon, known=known, hours=40) == expected


def healthy_hours(events: list[Event], *, horizon: int, known: int, hours: int) -> list[int]:
    targets = target_events(events_table(events), Target())
    return np.flatnonzero(healthy(hourly(hours), targets, timedelta(hours=horizon), at(known))).tolist()


def test_the_last_third_of_a_run_is_no_example_of_normal() -> None:
    assert healthy_hours([failure(30)], horizon=2, known=100, hours=40) == [*range(21), *range(31, 40)]


def test_no_more_than_ten_horizons_of_a_long_run_are_left_out() -> None:
    assert healthy_hours([failure(300)], horizon=2, known=500, hours=310) == [*range(281), *range(301, 310)]


def test_a_run_begins_where_the_event_before_ended() -> None:
    found = healthy_hours([failure(10, end=12), failure(42)], horizon=1, known=100, hours=42)
    assert found == [0, 1, 2, 3, 4, 5, 6, *range(13, 33)]


def test_a_failure_that_is_not_known_yet_says_nothing() -> None:
    assert healthy_hours([failure(30)], horizon=2, known=25, hours=26) == list(range(26))


@given(
    st.lists(st.integers(0, 200), max_size=6, unique=True),
    st.integers(1, 30),
    st.integers(0, 200),
)
def test_what_is_healthy_never_includes_what_precedes_a_known_event(
    failed: list[int], horizon: int, known: int
) -> None:
    events = [failure(hour) for hour in failed]
    table, targets = hourly(200), target_events(events_table(events), Target())
    labels = label(table, targets, timedelta(hours=horizon), at(known))
    chosen = healthy(table, targets, timedelta(hours=horizon), at(known))

    assert not (chosen & (labels == 1)).any()
    assert (chosen | (labels != 0) | _worn(failed, known)).all()


def _worn(failed: list[int], known: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Say which hours lie in the last third of a run up to a known failure."""
    worn, start = np.zeros(200, np.bool_), 0
    for hour in sorted(each for each in failed if each <= known):
        worn[int(np.floor(hour - (hour - start) / 3)) : hour + 1] = True
        start = hour
    return worn


def test_no_events_are_a_table_of_its_own_like_any_other() -> None:
    some, none = target_events(events_table([failure(1)]), Target()), target_events(events_table([]), Target())
    assert none.empty
    pd.testing.assert_frame_equal(none, some.iloc[:0])
    none.loc[0] = some.loc[0]
    assert target_events(events_table([]), Target()).empty
