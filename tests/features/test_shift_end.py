"""When a machine's newest whole shift ended, and what it did part by part."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.microsecond import HOUR, moment
from features.production.parts import parts_of
from features.production.plant_ledger import read_told
from features.production.shift_end import last_shift_end
from ingest.plant import Plant
from tests.floor_plant import floor_plant


def plant(shifts: list[dict[str, Any]]) -> Plant:
    return Plant.model_validate(
        {
            "time_zone": "Europe/Berlin",
            "classes": [{"name": "c", "signals": [{"name": "s"}]}],
            "machines": [{"name": "m", "class": "c"}, {"name": "spare", "class": "c"}],
            "shifts": shifts,
        }
    )


EARLY = {"name": "early", "hours": "06:00-14:00", "breaks": ["10:00-10:30"], "days": ["mon", "tue"], "machines": ["m"]}
LATE = {"name": "late", "hours": "14:00-22:00", "days": ["mon"], "machines": ["m"]}
NIGHT = {"name": "night", "hours": "22:00-06:00", "days": ["mon"], "machines": ["m"]}
MONDAY = datetime(2026, 6, 7, 22, tzinfo=UTC)
"""Midnight in Berlin, of a Monday."""


@pytest.mark.parametrize(
    ("hour", "ended"),
    [
        (14, 14),
        (13.99, -6 * 24 + 14),
        (10.2, -6 * 24 + 14),
        (21, 14),
        (22, 22),
        (24, 22),
        (30, 30),
        (24 + 20, 24 + 14),
    ],
)
def test_a_shift_is_over_when_the_next_one_begins_or_nothing_is_planned(hour: float, ended: int) -> None:
    found = last_shift_end(plant([EARLY, LATE, NIGHT]), "m", MONDAY + timedelta(hours=hour))

    assert found == MONDAY + timedelta(hours=ended)


def test_without_shifts_it_is_the_local_midnight() -> None:
    assert last_shift_end(plant([]), "m", MONDAY + timedelta(hours=9)) == MONDAY


def test_a_machine_that_is_never_planned_has_none() -> None:
    assert last_shift_end(plant([EARLY]), "spare", MONDAY + timedelta(hours=40)) is None


def test_parts_leave_no_gap_and_carry_product_word_and_shift() -> None:
    works = floor_plant(seed=3, days=10)
    start, stop = works.midnight(0), works.midnight(9)
    told, _ = read_told(works.plant, works.history, "press-01", start, stop)
    parts = parts_of(works.plant, "press-01", told, moment(start), moment(stop))

    assert (parts["begin"].iloc[0], parts["stop"].iloc[-1]) == (moment(start), moment(stop))
    assert (parts["begin"].iloc[1:].to_numpy() == parts["stop"].iloc[:-1].to_numpy()).all()
    planned = parts[parts["did"] != "not_planned"]
    assert (planned["stop"] - planned["begin"]).sum() / HOUR == 8 * 16, "eight days of two shifts"
    minor = parts[parts["did"] == "minor_stop"]
    assert set(minor["word"]) == {"pressure low", "position not reached", "filter service", "light curtain"}
    assert (planned[planned["did"] == "running"]["product"] != "").all()
    assert not parts["opens"].all(), "what goes on across the end of a shift does not begin anew"
