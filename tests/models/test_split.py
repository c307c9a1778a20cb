from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import Target
from models.judging.split import choose_folds, machine_folds, time_folds
from models.labels.label import target_events
from models.moment import instants, span

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 60


def targets_at(places: list[tuple[int, int, int]]) -> pd.DataFrame:
    events = [
        Event(
            machine=f"m{machine}",
            kind="failure",
            time=ZERO + timedelta(hours=hour),
            end=ZERO + timedelta(hours=hour + length),
        )
        for machine, hour, length in places
    ]
    return target_events(events_table(events), Target())


def hourly(machines: int) -> FeatureTable:
    time = np.datetime64("2026-01-01", "us") + np.arange(HOURS) * np.timedelta64(1, "h")
    machine = np.repeat(np.array([f"m{number}" for number in range(machines)], dtype=object), HOURS)
    rows = HOURS * machines
    return FeatureTable(machine, np.tile(time, machines), (), np.empty((rows, 0)), np.ones(rows))


places = st.lists(st.tuples(st.integers(0, 3), st.integers(1, HOURS), st.integers(0, 4)), max_size=12)


@settings(deadline=None)
@given(places=places, count=st.integers(1, 5), horizon=st.integers(1, 10))
def test_no_training_outcome_reaches_into_the_judged_rows(
    places: list[tuple[int, int, int]], count: int, horizon: int
) -> None:
    table = hourly(4)
    for fold in time_folds(table, targets_at(places), timedelta(hours=horizon), count):
        assert table.time[fold.train].max() + np.timedelta64(horizon, "h") <= table.time[fold.test].min()


@settings(deadline=None)
@given(places=places, count=st.integers(1, 5), horizon=st.integers(1, 10))
def test_no_episode_is_torn_between_two_judged_parts(
    places: list[tuple[int, int, int]], count: int, horizon: int
) -> None:
    table, targets = hourly(4), targets_at(places)
    part = np.zeros(len(table), dtype=int)
    for number, fold in enumerate(time_folds(table, targets, timedelta(hours=horizon), count)):
        assert not part[fold.test].any()
        part[fold.test] = number + 1

    begins, ends = instants(targets["begin"]), instants(targets["end"])
    for machine, begin, end in zip(targets["machine"], begins, ends, strict=True):
        early = begin - span(timedelta(hours=horizon))
        inside = (table.machine == machine) & (table.time > early) & (table.time <= end)
        assert len(set(part[inside])) <= 1


@settings(deadline=None)
@given(places=places, count=st.integers(2, 5))
def test_machine_folds_hold_every_row_once_and_whole_machines(places: list[tuple[int, int, int]], count: int) -> None:
    table = hourly(4)
    folds = machine_folds(table, targets_at(places), count)

    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(table)))
    for fold in folds:
        assert not set(table.machine[fold.train]) & set(table.machine[fold.test])


def test_machine_folds_share_the_events_evenly() -> None:
    table = hourly(4)
    targets = targets_at([(0, 5, 0), (0, 9, 0), (1, 5, 0), (1, 9, 0), (2, 5, 0), (3, 5, 0)])

    for fold in machine_folds(table, targets, 2):
        assert targets["machine"].isin(set(table.machine[fold.test])).sum() == 3


def test_one_machine_cannot_be_split_by_machine() -> None:
    assert machine_folds(hourly(1), targets_at([]), 5) == []


def test_few_events_on_many_machines_are_held_out_by_machine() -> None:
    folds = choose_folds(hourly(4), targets_at([(0, 20, 0), (1, 30, 0), (2, 40, 0)]), timedelta(hours=5), "time")

    assert sum(len(fold.test) for fold in folds) == 4 * HOURS


def test_many_events_are_held_out_by_time() -> None:
    table = hourly(4)
    targets = targets_at([(machine, hour, 0) for machine in range(4) for hour in range(5, 55, 5)])

    folds = choose_folds(table, targets, timedelta(hours=2), "time")

    assert len(folds) == 5
    for fold in folds:
        assert table.time[fold.train].max() < table.time[fold.test].min()
