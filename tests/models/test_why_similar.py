"""Past episodes that began alike: a twin is found first, and never one that was not over yet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.event import Event, events_table
from models.anomaly.normal import normal_of
from models.moment import as_datetime
from models.why.shape import Shapes
from models.why.similar import Episodes, repairs_after
from tests.models.pumps import BEGIN, START

HORIZON = timedelta(hours=24)
SIGNALS = 6
NAMES = tuple(
    f"s{number}__{feature}__{window}"
    for window in ("3h", "24h")
    for number in range(SIGNALS)
    for feature in ("mean", "standard_deviation")
)


def fleet(episodes: int, seed: int, *, twin: int | None = None) -> tuple[FeatureTable, pd.DataFrame]:
    """Return machines that fail once, each in its own way; the last one as ``twin`` did, in other noise."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(episodes, SIGNALS))
    directions *= 6 / np.linalg.norm(directions, axis=1, keepdims=True)
    growth = random.uniform(0.7, 3.0, episodes)
    if twin is not None:
        directions[-1], growth[-1] = directions[twin], growth[twin]
    values, events, hours = [], [], 240
    for number in range(episodes):
        noise = random.normal(size=(hours, len(NAMES) // 2))
        progress = np.clip((np.arange(hours) - (hours - 36)) / 36, 0, 1) ** growth[number]
        noise[:, ::2] += progress[:, np.newaxis] * directions[number]
        values.append(np.hstack([noise, pd.DataFrame(noise).rolling(24, min_periods=1).mean().to_numpy()]))
        time = BEGIN + timedelta(hours=hours + 1, days=30 * number)
        events.append(Event(machine=f"m{number:03}", kind="failure", time=time, component=f"c{number}"))
    machine = np.repeat(np.array([f"m{number:03}" for number in range(episodes)], object), hours)
    offsets = np.repeat(np.arange(episodes) * np.timedelta64(30, "D"), hours)
    times = START + np.tile(np.arange(1, hours + 1), episodes) * np.timedelta64(1, "h") + offsets
    table = FeatureTable(machine, times, NAMES, np.concatenate(values), np.ones(len(times)))
    return table, events_table(events)


def remembered(table: FeatureTable, events: pd.DataFrame) -> Episodes:
    healthy = table.where(np.tile(np.arange(240) < 180, len(table) // 240))
    normal = normal_of(healthy)
    return Episodes.learn(table, events, "failure", HORIZON, Shapes.learn(healthy, normal, HORIZON), normal)


def asked(table: FeatureTable, *, hours_before: int) -> tuple[np.ndarray, datetime]:  # type: ignore[type-arg]
    """Return how the last machine departs from its normal so long before its end, and that moment."""
    row = table.where(np.array([len(table) - 1 - hours_before]))
    healthy = table.where(np.tile(np.arange(240) < 180, len(table) // 240))
    normal = normal_of(healthy)
    return Shapes.learn(healthy, normal, HORIZON).departures(row, normal)[0], as_datetime(row.time[0])


def test_a_planted_twin_comes_first_in_nine_of_ten() -> None:
    first = 0
    for seed in range(20):
        twin = seed % 11
        table, events = fleet(12, seed, twin=twin)
        departures, at = asked(table, hours_before=6)
        first += remembered(table, events).nearest(departures, at)[0].component == f"c{twin}"

    assert first >= 18


def test_an_episode_that_was_not_over_is_never_named() -> None:
    table, events = fleet(8, 1, twin=5)
    whole = remembered(table, events)
    departures, _ = asked(table, hours_before=6)
    for at in pd.to_datetime(events["time"])[:6]:
        moment = at.to_pydatetime()

        assert all(each.begin < moment for each in whole.nearest(departures, moment, 20))
        assert len(whole.nearest(departures, moment + timedelta(seconds=1), 20)) == 1 + len(
            whole.nearest(departures, moment, 20)
        )


def test_what_comes_later_changes_no_episode_that_is_known() -> None:
    table, events = fleet(8, 2)
    before = remembered(table, events)
    later = table.values.copy()
    later[table.machine == "m007"] += 5.0
    normal = normal_of(table.where(np.tile(np.arange(240) < 180, 8)))
    after = Episodes.learn(replace(table, values=later), events[:-1], "failure", HORIZON, before.shapes, normal)

    assert after.machine == before.machine[:-1]
    assert np.array_equal(after.shape, before.shape[: len(after.shape)])


def test_it_is_told_how_long_before_its_failure_the_other_machine_looked_so() -> None:
    away = []
    for seed in range(10):
        table, events = fleet(6, seed, twin=2)
        departures, at = asked(table, hours_before=8)
        told = remembered(table, events).nearest(departures, at, 6)
        away.append(next(each.hours_before for each in told if each.component == "c2") - 9)

    assert np.median(np.abs(away)) <= 6


def test_shapes_reach_back_only_to_the_failure_before() -> None:
    table, events = fleet(1, 4)
    earlier = Event(machine="m000", kind="failure", time=events["time"][0] - timedelta(hours=5), component="old")
    both = pd.concat([events_table([earlier]), events], ignore_index=True)
    found = remembered(table, both)

    assert found.component == ("old", "c0")
    assert found.first[2] - found.first[1] == 4


def test_an_inspection_is_remembered_if_something_was_found() -> None:
    table, _ = fleet(2, 5)
    time = as_datetime(table.time[200])
    events = events_table(
        [
            Event(machine="m000", kind="inspection", time=time, note="loose bolt"),
            Event(machine="m000", kind="inspection", time=time + timedelta(hours=5)),
            Event(machine="m001", kind="maintenance", time=time),
            Event(machine="unknown", kind="failure", time=time),
        ]
    )
    found = remembered(table, events)

    assert (found.machine, found.kind, found.note) == (("m000",), ("inspection",), ("loose bolt",))


def test_the_repairs_of_an_episode_are_those_of_the_week_after_it_that_were_known() -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    done = events_table(
        Event(machine=machine, kind="maintenance", time=begin + timedelta(days=days), component=f"{machine} {days}")
        for machine in ("a", "b")
        for days in (-1, 0, 2, 9)
    )
    told = repairs_after(done, "a", begin, begin + timedelta(days=30))

    assert [each.component for each in told] == ["a 0", "a 2"]
    assert [each.component for each in repairs_after(done, "a", begin, begin + timedelta(days=1))] == ["a 0"]
