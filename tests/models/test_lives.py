"""How long machines lived, row by row."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from features.table import FeatureTable
from ingest.event import Event, EventKind, events_table
from ingest.plant import Target
from models.labels.label import target_events
from models.life.lives import Lives, lives_of, renewals_of
from tests.models.pumps import BEGIN, START


def rows(machine: str, hours: Sequence[float]) -> FeatureTable:
    time = START + (np.array(hours) * 3600e6).astype("timedelta64[us]")
    names = np.array([machine] * len(hours), object)
    return FeatureTable(names, time, ("a__mean__1h",), np.zeros((len(hours), 1)), np.ones(len(hours)))


def event(hour: float, kind: EventKind = "failure", *, component: str = "", lasts: float = 0) -> Event:
    time = BEGIN + timedelta(hours=hour)
    end = time + timedelta(hours=lasts) if lasts else None
    return Event(machine="p", kind=kind, time=time, end=end, component=component)


def lived(hours: Sequence[float], events: Sequence[Event], target: Target | None = None, known: float = 1000) -> Lives:
    target = target or Target()
    table = events_table(events)
    targets = target_events(table, target)
    until = BEGIN + timedelta(hours=known)
    return lives_of(rows("p", hours), targets, renewals_of(table, target, targets), until)


def test_a_life_is_counted_to_the_next_failure_and_one_that_goes_on_to_the_last_row() -> None:
    found = lived([1, 2, 9, 11, 15, 20], [event(10)])

    assert found.hours.tolist() == [9, 8, 1, 9, 5, 0]
    assert found.ended.tolist() == [True, True, True, False, False, False]
    assert found.life.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_failure_after_the_last_row_ends_the_life_if_it_is_known() -> None:
    assert lived([1, 2], [event(50)]).hours.tolist() == [49, 48]
    unknown = lived([1, 2], [event(50)], known=40)

    assert unknown.hours.tolist() == [1, 0]
    assert not unknown.ended.any()


def test_the_future_changes_no_life_that_was_known() -> None:
    before, after = (
        lived([1, 9, 12, 14], [event(10)], known=14),
        lived([1, 9, 12, 14], [event(10), event(30)], known=14),
    )

    assert before.hours.tolist() == after.hours.tolist()
    assert before.ended.tolist() == after.ended.tolist()


def test_rows_inside_a_failure_that_lasts_have_no_life() -> None:
    found = lived([5, 10.5, 12, 13], [event(10, lasts=2)])

    assert np.isnan(found.hours).tolist() == [False, True, True, False]
    assert not found.ended[1:3].any()


def test_maintenance_breaks_a_life_off_before_its_end() -> None:
    found = lived([1, 5, 6, 9], [event(5, "maintenance"), event(10)])

    assert found.hours.tolist() == [4, 5, 4, 1]
    assert found.ended.tolist() == [False, True, True, True]


def test_maintenance_of_another_component_does_not_and_its_failure_does() -> None:
    seal = Target(component="seal")
    other = lived([1, 6], [event(5, "maintenance", component="motor"), event(10, component="seal")], seal)
    failed = lived([1, 6], [event(5, component="motor"), event(10, component="seal")], seal)

    assert other.hours.tolist() == [9, 4]
    assert failed.hours.tolist() == [4, 4]
    assert failed.ended.tolist() == [False, True]


def test_a_life_that_outlived_the_cap_says_all_there_is_to_know_up_to_it() -> None:
    found = lived([0, 10, 20, 30], [])

    assert found.hours.tolist() == [30, 20, 10, 0]
    assert found.known_up_to(15).tolist() == [True, True, False, False]
