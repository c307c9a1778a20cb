"""Every second in exactly one bucket: worked by hand, and against a slow ledger on random histories."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.microsecond import microseconds
from features.production.bucket import NAMES
from ingest.event import Event
from ingest.plant import Plant
from tests.features.checked_history import checked_history, ledger

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def hours(table: pd.DataFrame) -> dict[str, float]:
    sums = {name: int(table[name].sum()) / microseconds(HOUR) for name in NAMES}
    return {name: round(value, 6) for name, value in sums.items() if value}


def plant_with(**changes: Any) -> Plant:
    return Plant.model_validate(
        {
            "time_zone": "Europe/Berlin",
            "classes": [{"name": "c", "signals": [{"name": "s"}]}],
            "machines": [{"name": "m", "class": "c", "line": "L"}],
            "products": [{"name": "cap", "ideal_cycle": "2 s"}],
            "production": {"words": {"running": ["RUN"], "breakdown": ["DOWN"], "changeover": ["SETUP"]}},
            **changes,
        }
    )


def state(time: datetime, code: str, end: datetime | None = None) -> Event:
    return Event(machine="m", kind="state", time=time, code=code, end=end)


def count(time: datetime, value: float, code: str = "good", product: str = "", begin: datetime | None = None) -> Event:
    end = None if begin is None else time
    return Event(machine="m", kind="count", time=begin or time, end=end, code=code, value=value, component=product)


NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_random_history_comes_out_as_moment_by_moment(data: st.DataObject) -> None:
    assert len(checked_history(lambda low, high: data.draw(st.integers(low, high))))


@pytest.mark.parametrize("seed", range(40))
def test_a_history_full_of_events_comes_out_as_moment_by_moment(seed: int) -> None:
    chance = np.random.default_rng(seed)

    assert len(checked_history(lambda low, high: int(chance.integers(low, high, endpoint=True))))


def test_an_hour_of_each_kind_by_hand() -> None:
    """10 h: 1 h breakdown, 1 h set-up, 4 min stop, the rest runs: 14,000 pieces at 2 s would take 7.78 h."""
    plant = plant_with()
    events = [
        state(NOON, "RUN"),
        state(NOON + 1 * HOUR, "DOWN"),
        state(NOON + 2 * HOUR, "SETUP"),
        state(NOON + 3 * HOUR, "DOWN"),
        state(NOON + 3 * HOUR + 4 * MINUTE, "RUN"),
        count(NOON + 10 * HOUR, 9000),
        count(NOON + 10 * HOUR, 900, "scrap"),
        count(NOON + 10 * HOUR, 90, "rework"),
    ]

    found = hours(ledger(plant, events, NOON, NOON + 10 * HOUR).table)

    assert found == {
        "breakdown": 1.0,
        "changeover": 1.0,
        "minor_stop": round(4 / 60, 6),
        "good": 5.0,
        "scrap": 0.5,
        "rework": 0.05,
        "speed_loss": round(8 - 4 / 60 - 5.55, 6),
    }


def test_silence_is_unknown_and_never_good() -> None:
    events = [state(NOON + HOUR, "RUN", NOON + 2 * HOUR), count(NOON + 2 * HOUR, 1800)]

    found = hours(ledger(plant_with(), events, NOON, NOON + 4 * HOUR).table)

    assert found == {"unknown": 3.0, "good": 1.0}


def test_a_word_without_a_meaning_is_unknown_and_named() -> None:
    found = ledger(plant_with(), [state(NOON, "Rüsten")], NOON, NOON + HOUR)

    assert hours(found.table) == {"unknown": 1.0}
    assert found.reasons[["bucket", "reason"]].to_numpy().tolist() == [["unknown", "Rüsten"]]


@pytest.mark.parametrize(
    ("length", "bucket"),
    [(timedelta(minutes=5), "breakdown"), (timedelta(minutes=5) - timedelta(microseconds=1), "minor_stop")],
)
def test_a_stop_is_minor_below_the_limit_also_across_the_border_of_a_shift(length: timedelta, bucket: str) -> None:
    shifts = [{"name": "early", "hours": "06:00-14:00"}, {"name": "late", "hours": "14:00-22:00"}]
    begin = NOON - 2 * MINUTE
    events = [state(NOON - HOUR, "RUN"), state(begin, "DOWN"), state(begin + length, "RUN")]

    table = ledger(plant_with(shifts=shifts), events, NOON - HOUR, NOON + HOUR).table

    assert table.set_index("shift")[bucket].tolist() == [microseconds(2 * MINUTE), microseconds(length - 2 * MINUTE)]


def test_a_stop_that_changes_its_name_is_one_stop() -> None:
    plant = plant_with(production={"words": {"running": ["RUN"], "breakdown": ["A", "B"]}})
    events = [state(NOON, "A"), state(NOON + 3 * MINUTE, "B"), state(NOON + 6 * MINUTE, "RUN")]

    found = ledger(plant, events, NOON, NOON + 6 * MINUTE)

    assert hours(found.table) == {"breakdown": 0.1}
    assert found.reasons[["reason", "time", "times"]].to_numpy().tolist() == [
        ["A", 180_000_000, 1],
        ["B", 180_000_000, 1],
    ]


def test_a_recorded_failure_is_a_breakdown_however_short() -> None:
    failure = Event(machine="m", kind="failure", time=NOON + MINUTE, end=NOON + 2 * MINUTE)

    found = hours(ledger(plant_with(), [state(NOON, "RUN"), failure], NOON, NOON + HOUR).table)

    assert found["breakdown"] == round(1 / 60, 6)


def test_spans_side_by_side_add_up_to_the_whole() -> None:
    """A stop of eight minutes that the border cuts into three and five is no minor stop on either side."""
    plant = plant_with()
    events = [state(NOON, "RUN"), state(NOON + 57 * MINUTE, "DOWN"), state(NOON + 65 * MINUTE, "RUN")]

    first, second = (ledger(plant, events, NOON + each * HOUR, NOON + (each + 1) * HOUR).table for each in (0, 1))
    whole = ledger(plant, events, NOON, NOON + 2 * HOUR).table

    for name in NAMES:
        assert first[name].sum() + second[name].sum() == whole[name].sum()


@pytest.mark.parametrize(
    ("day", "night", "whole"), [(date(2026, 3, 28), 7, 23), (date(2026, 10, 24), 9, 25), (date(2026, 6, 10), 8, 24)]
)
def test_a_night_shift_across_midnight_and_a_change_of_the_clock(day: date, night: int, whole: int) -> None:
    """It belongs to the day it begins on, however long that night is; the calendar day after it has 23 or 25 hours."""
    plant = plant_with(shifts=[{"name": "night", "hours": "22:00-06:00"}])
    start = datetime(day.year, day.month, day.day, tzinfo=plant.zone).astimezone(UTC)

    table = ledger(plant, [], start, start + 3 * 24 * HOUR).table

    shift = table[(table["shift"] == "night") & (table["shift_day"] == np.datetime64(day))]
    assert hours(shift) == {"unknown": float(night)}
    assert sorted(shift["day"].dt.date) == [day, day + timedelta(days=1)]
    following = table[table["day"] == np.datetime64(day + timedelta(days=1))]
    assert sum(hours(following).values()) == whole


def test_pieces_counted_at_the_end_of_a_shift_are_of_that_shift() -> None:
    shifts = [{"name": "early", "hours": "06:00-14:00"}, {"name": "late", "hours": "14:00-22:00"}]
    events = [state(NOON - HOUR, "RUN"), count(NOON, 10), count(NOON + timedelta(microseconds=1), 7)]

    table = ledger(plant_with(shifts=shifts), events, NOON - HOUR, NOON + HOUR).table

    assert table.set_index("shift")["good_pieces"].to_dict() == {"early": 10, "late": 7}


def test_a_count_that_lasts_is_shared_out_by_running_time() -> None:
    """120 pieces of 11:00 to 13:00 (UTC): it ran 30 min of the first hour and 10 of the second; the border is 12:00."""
    shifts = [{"name": "early", "hours": "06:00-14:00"}, {"name": "late", "hours": "14:00-22:00"}]
    events = [
        state(NOON - 30 * MINUTE, "RUN", NOON + 10 * MINUTE),
        count(NOON + HOUR, 120, begin=NOON - HOUR),
    ]

    table = ledger(plant_with(shifts=shifts), events, NOON - HOUR, NOON + HOUR).table

    assert table.set_index("shift")["good_pieces"].round(9).to_dict() == {"early": 90, "late": 30}


def test_pieces_off_plan_are_told_apart() -> None:
    plant = plant_with(shifts=[{"name": "early", "hours": "06:00-14:00"}])
    events = [state(NOON - HOUR, "RUN"), count(NOON + HOUR, 50)]

    table = ledger(plant, events, NOON - HOUR, NOON + 2 * HOUR).table

    assert hours(table) == {"speed_loss": 1.0, "not_planned": 2.0}
    assert table["off_plan_pieces"].sum() == 50
    assert table["good_pieces"].sum() == 0


def test_a_break_is_a_planned_stop_unless_the_machine_runs_on() -> None:
    plant = plant_with(shifts=[{"name": "day", "hours": "12:00-20:00", "breaks": ["14:00-14:30", "16:00-16:30"]}])
    events = [state(NOON - 2 * HOUR, "RUN"), state(NOON, "DOWN"), state(NOON + HOUR, "RUN")]

    found = hours(ledger(plant, events, NOON - 2 * HOUR, NOON + 6 * HOUR).table)

    assert found["planned_stop"] == 0.5
    assert found["breakdown"] == 0.5


def test_shift_events_hold_where_the_plant_file_says_otherwise() -> None:
    """An extra shift on a closed day, and a planned one that is called off."""
    plant = plant_with(
        shifts=[{"name": "day", "hours": "08:00-16:00"}],
        production={"words": {"not_planned": ["off"]}, "closed": ["2026-06-11"]},
    )
    start = datetime(2026, 6, 9, 22, tzinfo=UTC)
    extra = Event(machine="m", kind="shift", code="extra", time=start + 30 * HOUR, end=start + 34 * HOUR)
    off = Event(machine="m", kind="shift", code="off", time=start + 12 * HOUR, end=start + 16 * HOUR)

    table = ledger(plant, [extra, off], start, start + 48 * HOUR).table

    assert table.groupby("shift")["unknown"].sum().to_dict() == {
        "": 0,
        "day": microseconds(4 * HOUR),
        "extra": microseconds(4 * HOUR),
    }


def test_running_without_counts_or_ideal_cycle_is_neither_good_nor_lost() -> None:
    assert hours(ledger(plant_with(), [state(NOON, "RUN")], NOON, NOON + HOUR).table) == {"unrated": 1.0}

    events = [state(NOON, "RUN"), count(NOON + HOUR, 10)]
    found = ledger(plant_with(products=[{"name": "new"}]), events, NOON, NOON + HOUR).table
    assert hours(found) == {"unrated": 1.0}
    assert found["good_pieces"].sum() == 10


@pytest.mark.parametrize(
    ("cycles", "good"), [({"m": "3 s", "c": "4 s"}, 0.3), ({"c": "4 s"}, 0.4), ({"other": "9 s"}, 0.2)]
)
def test_the_ideal_cycle_of_a_machine_goes_before_that_of_its_class(cycles: dict[str, str], good: float) -> None:
    """360 pieces."""
    plant = plant_with(products=[{"name": "cap", "ideal_cycle": "2 s", "ideal_cycles": cycles}])

    found = hours(ledger(plant, [state(NOON, "RUN"), count(NOON + HOUR, 360)], NOON, NOON + HOUR).table)

    assert found["good"] == good


def test_a_stop_without_an_end_lasts_until_the_machine_tells_of_anything_else() -> None:
    plant = plant_with(production={"in_orders": "running"})
    events = [
        Event(machine="m", kind="order", time=NOON, end=NOON + 2 * HOUR, component="cap", code="4711"),
        Event(machine="m", kind="stop", time=NOON + HOUR, code="jam"),
        count(NOON + 90 * MINUTE, 900),
    ]

    found = hours(ledger(plant, events, NOON, NOON + 3 * HOUR).table)

    assert found == {"stopped": 0.5, "good": 0.5, "speed_loss": 1.0, "unknown": 1.0}


def test_a_state_is_believed_as_long_as_the_plant_file_says() -> None:
    plant = plant_with(production={"words": {"running": ["RUN"]}, "state_holds": "30 min"})

    assert hours(ledger(plant, [state(NOON, "RUN"), count(NOON, 1)], NOON, NOON + HOUR).table) == {
        "unknown": 0.5,
        "speed_loss": 0.5,
    }


def test_breakdowns_and_the_time_up_between_them() -> None:
    events = [
        state(NOON, "RUN"),
        state(NOON + 2 * HOUR, "DOWN"),
        state(NOON + 3 * HOUR, "RUN"),
        state(NOON + 7 * HOUR, "DOWN"),
        state(NOON + 7 * HOUR + 30 * MINUTE, "RUN"),
    ]

    found = ledger(plant_with(), events, NOON, NOON + 10 * HOUR).failures

    assert (found["up"] / microseconds(HOUR)).tolist() == [2, 4, 2.5]
    assert (found["repair"] / microseconds(HOUR)).tolist() == [1, 0.5, 0]
    assert found["up_since_failure"].tolist() == [False, True, True]
    assert found["begin"].isna().tolist() == [False, False, True]
