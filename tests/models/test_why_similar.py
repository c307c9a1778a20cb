"""Past episodes that began alike: a twin is found first, and never one that was not over yet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.table import FeatureTable
from ingest.event import Event, events_table
from models.anomaly.normal import normal_of
from models.moment import as_datetime
from models.why.shape import POINTS, shapes, step_of
from models.why.similar import Episodes, likeness, repairs_after
from models.why.watched import shape_columns
from tests.models.pumps import BEGIN, START

STRIDE, HORIZON = timedelta(hours=1), timedelta(hours=24)
SIGNALS = 6
NAMES = tuple(f"s{number}__{feature}__3h" for number in range(SIGNALS) for feature in ("mean", "standard_deviation"))


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
        noise = random.normal(size=(hours, len(NAMES)))
        progress = np.clip((np.arange(hours) - (hours - 36)) / 36, 0, 1) ** growth[number]
        noise[:, ::2] += progress[:, np.newaxis] * directions[number]
        values.append(noise)
        time = BEGIN + timedelta(hours=hours + 1, days=30 * number)
        events.append(Event(machine=f"m{number:03}", kind="failure", time=time, component=f"c{number}"))
    machine = np.repeat(np.array([f"m{number:03}" for number in range(episodes)], object), hours)
    offsets = np.repeat(np.arange(episodes) * np.timedelta64(30, "D"), hours)
    times = START + np.tile(np.arange(1, hours + 1), episodes) * np.timedelta64(1, "h") + offsets
    table = FeatureTable(machine, times, NAMES, np.concatenate(values), np.ones(len(times)))
    return table, events_table(events)


def remembered(table: FeatureTable, events: pd.DataFrame) -> Episodes:
    early = np.tile(np.arange(240) < 180, len(table) // 240)
    return Episodes.learn(table, events, "failure", HORIZON, STRIDE, normal_of(table.where(early)))


def asked(table: FeatureTable, *, hours_before: int) -> tuple[np.ndarray, datetime]:  # type: ignore[type-arg]
    """Return the shape of the last machine so long before its end, and that moment."""
    own = table.where(table.machine == table.machine[-1])
    own = own.where(np.arange(240 - hours_before))
    normal = normal_of(table.where(np.tile(np.arange(240) < 180, len(table) // 240)))
    found = shapes(own, shape_columns(NAMES), normal, HORIZON, STRIDE)
    return found[-1], as_datetime(own.time[-1])


def test_a_planted_twin_comes_first_in_nine_of_ten() -> None:
    first = 0
    for seed in range(20):
        twin = seed % 11
        table, events = fleet(12, seed, twin=twin)
        shape, at = asked(table, hours_before=6)
        first += remembered(table, events).nearest(shape, at)[0].component == f"c{twin}"

    assert first >= 18


def test_an_episode_that_was_not_over_is_never_named() -> None:
    table, events = fleet(8, 1, twin=5)
    whole = remembered(table, events)
    shape, _ = asked(table, hours_before=6)
    for at in pd.to_datetime(events["time"])[:6]:
        moment = at.to_pydatetime()

        assert all(each.begin < moment for each in whole.nearest(shape, moment, 20))
        assert len(whole.nearest(shape, moment + timedelta(seconds=1), 20)) == 1 + len(whole.nearest(shape, moment, 20))


def test_what_comes_later_changes_no_episode_that_is_known() -> None:
    table, events = fleet(8, 2)
    before = remembered(table, events)
    later = table.values.copy()
    later[table.machine == "m007"] += 5.0
    after = Episodes.learn(
        replace(table, values=later),
        events[:-1],
        "failure",
        HORIZON,
        STRIDE,
        normal_of(table.where(np.tile(np.arange(240) < 180, 8))),
    )

    assert after.machine == before.machine[:-1]
    assert np.array_equal(after.shape, before.shape[: len(after.shape)])


def test_it_is_told_how_long_before_its_failure_the_other_machine_looked_so() -> None:
    table, events = fleet(6, 3, twin=2)
    shape, at = asked(table, hours_before=8)
    nearest = remembered(table, events).nearest(shape, at)[0]

    assert nearest.component == "c2"
    assert nearest.hours_before == pytest.approx(9, abs=6)


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


def test_likeness_is_one_for_itself_and_never_more() -> None:
    random = np.random.default_rng(0)
    many = random.normal(size=(50, 12))

    assert np.allclose([likeness(many, each)[at] for at, each in enumerate(many)], 1)
    assert max(likeness(many, each).max() for each in many) <= 1 + 1e-12
    assert likeness(np.zeros((1, 3)), np.zeros(3)).tolist() == [0.0]


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


def test_a_shape_looks_back_half_a_horizon() -> None:
    table, _ = fleet(1, 6)
    found = shapes(table, NAMES, normal_of(table), HORIZON, STRIDE).reshape(240, POINTS, len(NAMES))
    step = step_of(HORIZON, STRIDE) // STRIDE

    assert np.array_equal(found[step:, 1], found[:-step, 0])
    assert (found[: 3 * step, 3][:step] == 0).all()
    assert (POINTS - 1) * step * STRIDE == HORIZON / 2
