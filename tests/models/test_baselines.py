from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import AlertSettings, Costs, Target
from models.baselines.calendar import Calendar, Spans, calendar_charges, choose_calendar
from models.baselines.fixed_limit import choose_limit
from models.baselines.rule import Seen
from models.baselines.signal_limits import choose_signal_limits
from models.baselines.three_sigma import choose_three_sigma
from models.judging.ground import Rules
from models.judging.money import Charge, Money, break_even
from models.labels.label import target_events

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
START = np.datetime64("2026-01-01", "us")
HOUR = np.timedelta64(1, "h")
COSTS = Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500)


def failures_at(*places: tuple[str, float]) -> pd.DataFrame:
    events = [Event(machine=name, kind="failure", time=ZERO + timedelta(hours=hour)) for name, hour in places]
    return target_events(events_table(events), Target())


def hours(first: int, last: int, *machines: str) -> Spans:
    return dict.fromkeys(machines, (START + first * HOUR, START + last * HOUR))


def test_machines_that_wear_out_on_time_are_replaced_just_before() -> None:
    lives = [(name, hour) for name in ("a", "b", "c") for hour in (100, 200, 301, 400)]

    age = choose_calendar(failures_at(*lives), hours(0, 400, "a", "b", "c"), COSTS).age

    assert age is not None
    assert timedelta(hours=90) < age < timedelta(hours=99)


def test_failures_that_come_at_random_are_hardly_ever_forestalled() -> None:
    lives = np.random.default_rng(1).exponential(100, 200)
    moments = np.cumsum(lives)
    watched = hours(0, int(moments[-1]), "a")

    age = choose_calendar(failures_at(*(("a", hour) for hour in moments)), watched, COSTS).age

    assert age is not None
    assert np.mean(lives * timedelta(hours=1) > age) < 0.01


def test_no_failure_means_no_calendar() -> None:
    assert choose_calendar(failures_at(), hours(0, 400, "a"), COSTS) == Calendar(None)


def test_lives_that_still_last_lengthen_the_age() -> None:
    failed = failures_at(("a", 50), ("b", 60), ("c", 70))
    alone = choose_calendar(failed, {**hours(0, 50, "a"), **hours(0, 60, "b"), **hours(0, 70, "c")}, COSTS)
    lasting = {**hours(0, 50, "a"), **hours(0, 60, "b"), **hours(0, 70, "c"), **hours(0, 58, *map(str, range(30)))}
    censored = choose_calendar(failed, lasting, COSTS)

    assert alone.age is not None
    assert censored.age is not None
    assert alone.age < timedelta(hours=50) < timedelta(hours=58) < censored.age < timedelta(hours=60)


def test_many_lives_that_last_long_after_a_few_early_failures_need_no_calendar() -> None:
    failed = failures_at(("a", 50), ("b", 60), ("c", 70))

    assert choose_calendar(failed, hours(0, 400, "a", "b", "c", "d", "e", "f", "g"), COSTS) == Calendar(None)


@pytest.mark.parametrize(
    ("age", "failures", "expected"),
    [
        (None, [150], 10_000),
        (60, [150], 2_000 * 2),  # stops at 60 and 120 prevent 150; the new life ends at 200 without one
        (60, [50], 10_000 + 2_000 * 2),  # too early for the calendar; then stops at 110 and 170
        (300, [150], 10_000),
    ],
)
def test_the_counterfactual_counts_stops_and_failures(age: int | None, failures: list[int], expected: float) -> None:
    targets = failures_at(*(("a", hour) for hour in failures))
    calendar = Calendar(None if age is None else timedelta(hours=age))

    charges = calendar_charges(calendar, targets, targets, hours(0, 200, "a"), {"a": START}, COSTS)

    assert sum(each.amount for each in charges) == expected


def test_a_machine_that_is_overdue_is_stopped_at_once_and_pays_for_it() -> None:
    targets = failures_at(("a", 1050))

    watched = hours(1000, 1060, "a")

    charges = calendar_charges(Calendar(timedelta(hours=100)), targets, targets, watched, {"a": START}, COSTS)

    assert charges == [Charge("a", START + 1000 * HOUR, COSTS.planned_stop)]


def table_of(values: np.ndarray) -> FeatureTable:
    time = START + np.arange(len(values)) * HOUR
    machine = np.full(len(values), "a", dtype=object)
    names = ("oil__mean__3h", "oil__mean__24h", "air__mean__3h")
    columns = np.column_stack([values, np.zeros(len(values)), np.sin(np.arange(len(values)))])
    return FeatureTable(machine, time, names, columns, np.ones(len(values)))


RULES = Rules(alerts=AlertSettings(), horizon=timedelta(hours=24), needed_lead=timedelta(0))


@pytest.mark.parametrize(("sign", "side"), [(1.0, "above"), (-1.0, "below")])
def test_the_limit_that_finds_the_failures_is_chosen(sign: float, side: str) -> None:
    values = np.zeros(400)
    values[180:200] = values[280:300] = 5 * sign
    failed = failures_at(("a", 200), ("a", 300))

    limit = choose_limit(table_of(values), failed, failed, RULES, COSTS)

    assert limit is not None
    assert (limit.feature, limit.side) == ("oil__mean__3h", side)
    assert limit.describe() == f"oil__mean__3h {side} {5 * sign:.4g}"


def test_no_limit_is_chosen_where_none_pays() -> None:
    failed = failures_at(("a", 200))
    costs = Costs(missed_failure=100, planned_stop=100, false_alarm=500)

    limit = choose_limit(table_of(np.zeros(400)), failed, failed, RULES, costs)

    assert limit is not None
    assert limit.describe() == "no limit pays"
    assert np.isnan(limit.assess(table_of(np.zeros(4))).level).all()


def test_a_table_without_means_has_no_fixed_limit() -> None:
    table = FeatureTable(
        np.array(["a"], dtype=object), np.array([START]), ("oil__slope__3h",), np.zeros((1, 1)), np.ones(1)
    )

    assert choose_limit(table, failures_at(), failures_at(), RULES, COSTS) is None


def test_no_alert_breaks_even_when_the_stop_is_as_dear_as_the_failure() -> None:
    assert break_even(Costs(missed_failure=5, planned_stop=5)) == float("inf")


def test_the_best_baseline_is_the_cheapest_that_there_is() -> None:
    spent = {"model": 5.0, "do_nothing": 9.0, "calendar": None, "fixed_limit": 7.0}
    money = Money({way: None if amount is None else np.array([amount]) for way, amount in spent.items()})

    assert (money.saved, money.best_baseline) == (4.0, 7.0)


def seen_of(table: FeatureTable, failed: pd.DataFrame, declared: dict[str, tuple[float, float]] | None = None) -> Seen:
    return Seen(
        table, failed, failed, replace(RULES, known_until=ZERO + timedelta(hours=500)), COSTS, declared or {}, {}
    )


def test_three_sigma_is_the_band_of_healthy_time_alone() -> None:
    values = np.random.default_rng(3).standard_normal(400)
    values[180:200] += 50  # worn, and no part of the band
    rule = choose_three_sigma(seen_of(table_of(values), failures_at(("a", 200))))

    assert rule is not None
    said = rule.assess(table_of(np.array([0.0, 2.5, 3.5, -3.5, np.nan])))
    assert (said.level >= said.threshold).tolist() == [False, False, True, True, False]
    assert np.isnan(said.level[4]) or said.level[4] < 3


def test_three_sigma_is_strict_and_leaves_out_signals_that_never_vary() -> None:
    values = np.tile([-1.0, 1.0], 200)
    table = table_of(values)
    table.values[:, 2] = 7.0
    rule = choose_three_sigma(seen_of(table, failures_at()))

    assert rule is not None
    assert rule.describe() == "any of oil beyond 3 sigma of its healthy mean"
    mean, sigma = rule.of_class[:, 0]
    at, beyond = mean + 3 * sigma, mean + 3.000001 * sigma
    said = rule.assess(table_of(np.array([at, beyond])))
    assert (said.level >= said.threshold).tolist() == [False, True]


def test_a_machine_with_healthy_time_enough_has_a_band_of_its_own() -> None:
    quiet, loud = (
        table_of(np.random.default_rng(4).normal(0, 1, 300)),
        table_of(np.random.default_rng(5).normal(20, 1, 300)),
    )
    both = FeatureTable(
        np.concatenate([quiet.machine, np.full(300, "b", dtype=object)]),
        np.concatenate([quiet.time, loud.time]),
        quiet.names,
        np.concatenate([quiet.values, loud.values]),
        np.ones(600),
    )
    rule = choose_three_sigma(seen_of(both, failures_at()))

    assert rule is not None
    assert rule.of_machine["a"][0, 0] == pytest.approx(0, abs=0.3)
    assert rule.of_machine["b"][0, 0] == pytest.approx(20, abs=0.3)


def test_declared_limits_speak_beyond_them_in_the_words_of_whoever_declared_them() -> None:
    declared = {"oil": (-np.inf, 5.0), "fuel": (0.0, 1.0)}
    rule = choose_signal_limits(seen_of(table_of(np.zeros(4)), failures_at(), declared))

    assert rule is not None
    assert rule.describe() == "oil above 5"
    said = rule.assess(table_of(np.array([4.0, 5.0, 5.1, np.nan])))
    assert (said.level >= said.threshold).tolist() == [False, False, True, False]
    assert said.reason.tolist() == ["ok", "ok", "ok", "insufficient data"]


def test_without_declared_limits_there_is_no_such_rule() -> None:
    assert choose_signal_limits(seen_of(table_of(np.zeros(4)), failures_at())) is None
