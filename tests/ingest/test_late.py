"""Late rows are listed and counted when they bring something, and never before."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ingest.catalogue import to_microseconds
from ingest.late import LateCounts
from ingest.reading import Readings
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, START

MakeReadings = Callable[..., Readings]
DAY = timedelta(days=1)


KEPT = EVERYWHERE


def micro(minutes: float) -> int:
    return to_microseconds(START + timedelta(minutes=minutes))


def settle(store: Store, allowance: timedelta = DAY, **until: float) -> None:
    store.late.settle("press", {machine: micro(minutes) for machine, minutes in until.items()}, allowance)


def listed(store: Store, *signals: str, after: int = 0) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for entry in store.late.after("press", after):
        for machine, times in entry.times(signals or ("a", "b")).items():
            found[machine] = [*found.get(machine, []), *times.tolist()]
    return found


def give(store: Store, make_readings: MakeReadings, *rows: Any) -> None:
    store.append(make_readings(rows), source="s", position="")


def test_what_comes_before_its_time_is_used_is_not_late(store: Store, make_readings: MakeReadings) -> None:
    give(store, make_readings, ("m1", 10, {"a": 1}), ("m1", 5, {"a": 1}))
    store.seal()
    settle(store, m1=10)
    give(store, make_readings, ("m1", 11, {"a": 1}), ("m2", 3, {"a": 1}))
    store.seal()
    assert (listed(store), store.late.newest()) == ({}, 0)
    assert store.late.counts() == {"press": LateCounts(0, 0)}


def test_a_row_that_comes_after_its_time_was_used_is_listed_once_it_is_sealed(
    store: Store, make_readings: MakeReadings
) -> None:
    settle(store, m1=10, m2=4)
    give(store, make_readings, ("m1", 10, {"a": 1}), ("m1", 11, {"a": 1}), ("m2", 5, {"a": 1}), ("m2", 3, {"b": 1}))
    assert listed(store) == {}
    store.seal()
    assert listed(store) == {"m1": [micro(10)], "m2": [micro(3)]}
    assert listed(store, "b") == {"m2": [micro(3)]}
    assert store.late.counts() == {"press": LateCounts(2, 0)}


def test_what_was_read_in_time_is_not_late_though_it_is_sealed_afterwards(
    store: Store, make_readings: MakeReadings
) -> None:
    give(store, make_readings, ("m1", 10, {"a": 1}))
    settle(store, m1=10)
    store.seal()
    assert listed(store) == {}


def test_a_later_settling_does_not_hide_what_was_late_for_an_earlier_one(
    store: Store, make_readings: MakeReadings
) -> None:
    settle(store, m1=10)
    give(store, make_readings, ("m1", 10, {"a": 1}))
    settle(store, m1=20)
    store.seal()
    assert listed(store) == {"m1": [micro(10)]}


def test_a_repeat_is_not_late_and_a_corrected_value_is(store: Store, make_readings: MakeReadings) -> None:
    give(store, make_readings, ("m1", 1, {"a": 1}), ("m1", 2, {"a": 2}))
    store.seal()
    settle(store, m1=10)
    give(store, make_readings, ("m1", 1, {"a": 1}), ("m1", 2, {"a": 5}))
    store.seal()
    assert listed(store) == {"m1": [micro(2)]}
    assert store.late.counts() == {"press": LateCounts(1, 0)}


def test_what_is_too_late_is_kept_and_counted_and_not_listed(store: Store, make_readings: MakeReadings) -> None:
    settle(store, timedelta(minutes=5), m1=10)
    give(store, make_readings, ("m1", 4, {"a": 1}), ("m1", 5, {"a": 2}))
    store.seal()
    assert listed(store) == {"m1": [micro(5)]}
    assert [each.too_late for each in store.late.after("press", 0)] == [1]
    assert store.late.counts() == {"press": LateCounts(2, 1)}
    assert store.read("press", machines=["m1"], end=START + timedelta(minutes=4)).count == 1


def test_the_list_goes_on_from_a_number_and_forgets_up_to_one(store: Store, make_readings: MakeReadings) -> None:
    settle(store, m1=10)
    for minute in (1, 2, 3):
        give(store, make_readings, ("m1", minute, {"a": 1}))
        store.seal()
    assert listed(store, after=1) == {"m1": [micro(2), micro(3)]}
    store.late.forget(2)
    assert listed(store) == {"m1": [micro(3)]}
    assert store.late.newest() == 3
