from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.event import Event, events_table
from ingest.plant import AlertSettings, Costs, Target
from models.judging.ground import Ground, Rules
from models.judging.money import break_even
from models.judging.threshold import by_budget, by_money
from models.labels.label import target_events

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 500
RULES = Rules(alerts=AlertSettings(), horizon=timedelta(hours=24), needed_lead=timedelta(hours=2))
COSTS = Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500)


def hourly(machines: int, hours: int = HOURS) -> FeatureTable:
    time = np.datetime64("2026-01-01", "us") + np.arange(hours) * np.timedelta64(1, "h")
    machine = np.repeat(np.array([f"m{number:03d}" for number in range(machines)], dtype=object), hours)
    rows = hours * machines
    return FeatureTable(machine, np.tile(time, machines), (), np.empty((rows, 0)), np.ones(rows))


def failing(machines: int, hour: int = 400) -> pd.DataFrame:
    events = [
        Event(machine=f"m{number:03d}", kind="failure", time=ZERO + timedelta(hours=hour)) for number in range(machines)
    ]
    return target_events(events_table(events), Target())


def rising(machines: int, *, low: float = 0.01, high: float = 0.3) -> NDArray[np.float64]:
    """Levels that are low, and high in the day before hour 400."""
    levels = np.full((machines, HOURS), low) + np.linspace(0, 0.005, HOURS)
    levels[:, 377:400] = high
    return levels.ravel()


def test_the_threshold_lies_between_quiet_and_alarming_levels_and_not_at_one_half() -> None:
    choice = by_money(COSTS, hourly(30), rising(30), failing(30), None, RULES)

    assert choice.method == "money"
    assert choice.events == 30
    assert 0.015 < choice.value <= 0.3
    assert choice.cost == 30 * COSTS.planned_stop


def test_dear_false_alarms_raise_the_threshold() -> None:
    rng = np.random.default_rng(7)
    levels = np.clip(rising(20) + rng.exponential(0.05, 20 * HOURS), 0, 0.999)
    cheap, dear = (
        by_money(
            Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=fine),
            hourly(20),
            levels,
            failing(20),
            None,
            RULES,
        )
        for fine in (10, 20_000)
    )

    assert cheap.value < dear.value


def test_no_more_false_alarms_than_are_allowed_whatever_the_costs() -> None:
    rng = np.random.default_rng(8)
    table, events = hourly(20), failing(20)
    levels = np.clip(rising(20, high=0.1) + rng.exponential(0.05, 20 * HOURS), 0, 0.999)
    cheap = Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=10)
    years = 20 * HOURS / (24 * 365.25)

    def false(most: float | None) -> int:
        choice = by_money(cheap, table, levels, events, None, RULES, most)
        ground = Ground.of(table.machine, table.time, events, None, RULES)
        return int(ground.tally(levels, choice.value).false.sum())

    assert false(None) > 10
    assert [false(most / years) <= most for most in (10, 3, 0.5)] == [True, True, True]


def test_a_limit_that_the_costs_keep_anyway_changes_nothing() -> None:
    free = by_money(COSTS, hourly(30), rising(30), failing(30), None, RULES)
    limited = by_money(COSTS, hourly(30), rising(30), failing(30), None, RULES, 1000.0)

    assert limited.value == free.value
    assert "1e+03 false alarms per machine-year are allowed" in limited.why


def test_no_threshold_below_the_lowest_that_may_be_chosen() -> None:
    free = by_money(COSTS, hourly(30), rising(30), failing(30), None, RULES)
    bounded = [by_money(COSTS, hourly(30), rising(30), failing(30), None, RULES, least=each) for each in (0.1, 0.29)]

    assert free.value < 0.1
    assert [0.1 <= bounded[0].value <= 0.3, 0.29 <= bounded[1].value <= 0.3] == [True, True]


def test_few_events_are_drawn_further_towards_break_even_than_many() -> None:
    few = by_money(COSTS, hourly(2), rising(2, high=0.9), failing(2), None, RULES)
    many = by_money(COSTS, hourly(40), rising(40, high=0.9), failing(40), None, RULES)

    assert abs(few.value - break_even(COSTS)) < abs(many.value - break_even(COSTS))


def test_without_a_held_out_event_alerts_come_from_break_even_on() -> None:
    choice = by_money(COSTS, hourly(2), rising(2), failing(0), None, RULES)

    assert (choice.method, choice.value) == ("break-even", break_even(COSTS))


def test_rows_without_a_held_out_level_do_not_count() -> None:
    levels = rising(2)
    levels[:] = np.nan

    assert by_money(COSTS, hourly(2), levels, failing(2), None, RULES).method == "break-even"


def test_no_alert_pays_when_a_planned_stop_costs_as_much_as_a_failure() -> None:
    costs = Costs(missed_failure=2_000, planned_stop=2_000)

    assert by_money(costs, hourly(2), rising(2), failing(2), None, RULES).value == 1.0


def test_a_long_history_shows_the_budget_of_false_alarms() -> None:
    levels = np.random.default_rng(3).uniform(size=100 * HOURS)
    table = hourly(100)
    choice = by_budget(2.0, table, levels, None, RULES)
    begins = Ground.of(table.machine, table.time, failing(0), None, RULES).begins(levels, choice.value)
    years = 100 * HOURS / (365.25 * 24)

    assert choice.method == "budget"
    assert 0.5 * 2.0 * years <= len(begins) <= 2.0 * years


def test_a_short_history_is_extrapolated_into_the_tail() -> None:
    levels = np.random.default_rng(3).uniform(size=HOURS)
    choice = by_budget(2.0, hourly(1), levels, None, RULES)

    assert choice.method == "extrapolated budget"
    assert 0.99 < choice.value < 1


def test_a_budget_that_hours_of_history_cannot_support_is_not_extrapolated_to() -> None:
    levels = np.random.default_rng(3).uniform(size=HOURS)
    short = by_budget(2.0, hourly(1).where(np.arange(48)), levels[:48], None, RULES)
    shorter = by_budget(0.001, hourly(1).where(np.arange(48)), levels[:48], None, RULES)

    assert short.value == shorter.value
    assert "so short a history can hold no budget below" in short.why


@settings(deadline=None, max_examples=20)
@given(lower=st.floats(0.5, 20), factor=st.floats(1, 50), machines=st.integers(1, 10))
def test_a_larger_budget_never_raises_the_threshold(lower: float, factor: float, machines: int) -> None:
    levels = np.random.default_rng(machines).uniform(size=machines * HOURS)
    small, large = (by_budget(budget, hourly(machines), levels, None, RULES) for budget in (lower, lower * factor))
    if small.method == large.method:
        assert large.value <= small.value


def test_no_healthy_time_leaves_no_anomaly_threshold() -> None:
    with pytest.raises(NotEnoughDataError, match="no healthy time"):
        by_budget(2.0, hourly(1), np.full(HOURS, np.nan), None, RULES)
