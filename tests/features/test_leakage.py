"""What knows the future is named before anything learns from it, and honest columns are not (FE-07)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leakage import find_leaks
from features.leaks.chance import at_least, of_correlation, together
from features.leaks.leak import ADVICE, REFUSED, WARNED, Leak, told
from ingest.plant import Target
from models.judging.split import choose_folds
from models.labels.label import label, target_events
from models.moment import as_datetime
from tests.models.pumps import HORIZON, worn_pumps
from tests.trials.leaks import LEAKS, PLANTED, Case

WEAK = "known to grow over the whole horizon"


def pumps(*, machines: int = 8, failures: int = 4, seed: int = 1) -> Case:
    table, events = worn_pumps(machines=machines, days=12 * failures, failures=failures, seed=seed)
    kept = np.random.default_rng(seed).random(len(events)) < 0.7  # machines fail more often and less often
    targets = target_events(events[kept], Target())
    labels = label(table, targets, HORIZON, as_datetime(table.time.max()))
    folds = choose_folds(table, targets, HORIZON, "time")
    return Case(table, labels, targets, HORIZON, folds, np.random.default_rng(seed))


HONEST = pumps()


def test_honest_pumps_have_no_leak() -> None:
    assert HONEST.leaks() == ()


@pytest.mark.parametrize("name", [name for name in LEAKS if name != WEAK])
def test_a_planted_leak_is_named_and_nothing_else(name: str) -> None:
    leaks = LEAKS[name](HONEST).leaks()

    assert {leak.column for leak in leaks} <= {"", PLANTED}
    assert len(leaks) == 1
    assert leaks[0].evidence
    assert any(digit in leaks[0].evidence for digit in "0123456789") or leaks[0].kind == "target mean"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("the label in another unit", "label copy"),
        ("the label, a third of the horizon earlier", "shifted label"),
        ("share of the life that has passed", "countdown"),
        ("days to the next service", "schedule"),
        ("length of the run", "run length"),
        ("target mean of the machine", "target mean"),
        ("target mean of the line", "target mean"),
        ("target mean so far", "target mean"),
        ("number of the machine", "identifier"),
        ("number of the row", "row number"),
        ("number of the delivery", "calendar time"),
        ("moves after failures only", "only after failures"),
        ("there after failures only", "only after failures"),
        ("missing before failures", "missing before failures"),
        ("missing where the outcome is unknown", "missing with labels"),
        ("another signal, a day ahead", "future values"),
        ("another signal, gaps filled from later", "future values"),
        ("split at random", "torn split"),
        ("split in time without a gap", "torn split"),
        ("a machine under two names", "repeated rows"),
    ],
)
def test_it_is_called_what_it_is(name: str, kind: str) -> None:
    assert [leak.kind for leak in LEAKS[name](HONEST).leaks()] == [kind]


def test_a_signal_that_follows_another_is_honest() -> None:
    values = HONEST.table.values[:, 0]
    late = HONEST.by_machine(lambda rows: values[np.maximum(rows - 6, rows[0])])

    assert HONEST.with_column(late).leaks() == ()


def test_a_signal_that_wears_from_long_before_the_horizon_is_honest() -> None:
    pace = HONEST.by_machine(lambda rows: HONEST.random.uniform(30, 150))
    noise = 0.05 * np.random.default_rng(5).standard_normal(len(HONEST.table))
    wear = np.exp(-np.nan_to_num(HONEST.to_next, nan=500.0) / pace)

    assert HONEST.with_column(wear + noise).leaks() == ()


def test_what_is_alike_on_some_machines_names_none_of_them() -> None:
    rated = (pd.factorize(HONEST.table.machine)[0] % 3) * 7.5

    assert HONEST.with_column(rated).leaks() == ()


def test_hours_that_are_counted_up_from_the_last_failure_are_honest() -> None:
    assert HONEST.with_column(HONEST.since_last).leaks() == ()


def test_the_load_of_each_run_is_honest_though_lives_are_shorter_under_it() -> None:
    life = np.nan_to_num(HONEST.since_last + HONEST.to_next, nan=288.0)
    load = np.round(16 - life / 40 + np.random.default_rng(6).standard_normal(1_000)[life.astype(int) % 1_000])

    assert abs(np.corrcoef(load, life)[0, 1]) > 0.93
    assert HONEST.with_column(load).leaks() == ()


def test_wear_to_a_limit_at_a_pace_of_its_own_in_each_run_is_honest() -> None:
    life = np.nan_to_num(HONEST.since_last + HONEST.to_next, nan=400.0)
    noise = np.random.default_rng(7).standard_normal(len(HONEST.table))
    lining = 10 - 8 * HONEST.since_last / life + 0.1 * noise
    # Over a long window the noise is gone, and the mean never turns.
    smooth = 10 - 8 * HONEST.since_last / life
    table = HONEST.table
    names = (*table.names, "lining__mean__1h", "lining__mean__7d")
    worn = replace(table, names=names, values=np.column_stack([table.values, lining, smooth]))

    assert [leak.sentence for leak in replace(HONEST, table=worn).leaks()] == []


def test_hours_to_the_failure_are_a_countdown_though_there_is_noise_in_them() -> None:
    noise = np.random.default_rng(8).standard_normal(len(HONEST.table))
    planned = np.nan_to_num(HONEST.to_next, nan=5000.0) + 2 * noise
    (leak,) = HONEST.with_column(planned).leaks()

    assert (leak.column, leak.kind) == (PLANTED, "countdown")


def test_days_to_the_next_service_are_a_schedule_though_they_are_whole_days() -> None:
    (leak,) = HONEST.with_column(np.floor(HONEST.by_machine(lambda rows: 30 - rows / 24 % 30))).leaks()

    assert (leak.column, leak.kind) == (PLANTED, "schedule")


def test_a_large_level_that_hardly_moves_is_no_name_of_its_machine() -> None:
    noise = np.random.default_rng(9).standard_normal(len(HONEST.table))

    assert HONEST.with_column(1e6 + 1e-4 * noise).leaks() == ()


@pytest.mark.parametrize("seed", range(6))
def test_what_flows_from_one_sensor_to_the_next_is_honest_where_nothing_says_which_lags(seed: int) -> None:
    random = np.random.default_rng(seed)
    flow = np.round(50 + 5 * np.cumsum(random.standard_normal(len(HONEST.table) + 12)), 1)
    table = HONEST.table
    names = (*table.names, "inlet__last__3h", "outlet__last__3h")
    values = np.column_stack([table.values, flow[12:], flow[:-12]])

    assert replace(HONEST, table=replace(table, names=names, values=values)).leaks() == ()


def test_rows_of_a_few_settings_are_alike_on_many_machines_by_chance() -> None:
    random = np.random.default_rng(10)
    names = tuple(f"setting{number}__last__1h" for number in range(3))
    table = replace(HONEST.table, names=names, values=random.integers(0, 9, (len(HONEST.table), 3)).astype(float))

    assert replace(HONEST, table=table).leaks() == ()


def test_of_hundreds_of_columns_of_noise_none_is_named_on_few_failures() -> None:
    few = pumps(machines=6, failures=1, seed=3)
    steps = few.random.standard_normal((len(few.table), 150))
    walks = np.cumsum(steps, axis=0)
    names = tuple(f"s{number}__mean__3h" for number in range(300))
    table = replace(few.table, names=names, values=np.column_stack([steps, walks]))

    assert [leak.sentence for leak in replace(few, table=table).leaks()] == []


def test_counts_of_errors_that_come_at_one_time_before_failures_are_told_but_not_refused() -> None:
    named = HONEST.with_column(HONEST.to_next <= 24.0)
    table = replace(named.table, names=(*named.table.names[:-1], "errors__E7__24h"))
    noisy = table.values.copy()
    noisy[::97, -1] = 1.0  # an error now and then besides
    (leak,) = replace(named, table=replace(table, values=noisy)).leaks()

    assert (leak.column, leak.kind, leak.refused) == ("errors__E7__24h", "errors in step", False)


def test_a_machine_that_stands_still_after_a_failure_is_no_leak() -> None:
    still = (HONEST.since_last <= 5) & (HONEST.by_machine(lambda rows: rows - rows[0]) > 24)
    values = HONEST.table.values.copy()
    values[still] = 0.0

    leaks = replace(HONEST, table=replace(HONEST.table, values=values)).leaks()

    assert [leak.kind for leak in leaks if leak.kind == "only after failures"] == []


@pytest.mark.parametrize("unit", [1e-6, 1.0, -1e12])
def test_unit_and_offset_of_a_column_change_nothing(unit: float) -> None:
    case = LEAKS["the label in noise"](HONEST)
    values = case.table.values.copy()
    values[:, -1] = values[:, -1] * unit + 3 * unit
    (leak,) = replace(case, table=replace(case.table, values=values)).leaks()

    assert (leak.column, leak.kind) == (PLANTED, "label copy")


@pytest.mark.parametrize("empty", ["rows", "failures", "known labels", "values", "machines but one"])
def test_tables_that_say_nothing_have_no_leak(empty: str) -> None:
    rows: Callable[[], Case] = lambda: HONEST  # noqa: E731
    case = rows()
    if empty == "rows":
        nothing = np.zeros(len(case.table), np.bool_)
        case = replace(case, table=case.table.where(nothing), labels=case.labels[nothing], folds=())
    elif empty == "failures":
        case = replace(case, targets=case.targets.iloc[:0], labels=np.zeros_like(case.labels))
    elif empty == "known labels":
        case = replace(case, labels=np.full_like(case.labels, -1))
    elif empty == "values":
        case = replace(case, table=replace(case.table, values=np.full_like(case.table.values, np.nan)))
    else:
        one = case.table.machine == case.table.machine[0]
        case = replace(case, table=case.table.where(one), labels=case.labels[one], folds=())

    assert case.leaks() == ()


def test_labels_of_another_table_are_refused() -> None:
    with pytest.raises(ValueError, match="one for each row"):
        find_leaks(HONEST.table, HONEST.labels[1:], HONEST.targets, timedelta(hours=24))


def test_every_kind_says_what_to_do_and_either_is_refused_or_told() -> None:
    assert not set(REFUSED) & set(WARNED)
    assert all(Leak("x", kind, "seen 3 times").sentence.endswith(ADVICE[kind]) for kind in ADVICE)


def test_columns_of_one_signal_are_told_in_one_line() -> None:
    leaks = [Leak(f"age__{feature}__3h", "countdown", "30 of 30") for feature in ("mean", "last", "maximum")]

    assert len(told([*leaks, Leak("", "torn split", "3 rows")])) == 2
    assert told(leaks)[0].startswith("age__mean__3h and 2 more columns of the signal: countdown")


def test_chances_are_those_of_the_exact_distributions() -> None:
    from scipy import stats

    assert at_least(7, 9, 0.3) == pytest.approx(stats.binom.sf(6, 9, 0.3))
    assert together(np.log([0.02, 0.3, 0.5]).sum(), 3) == pytest.approx(
        stats.combine_pvalues([0.02, 0.3, 0.5], method="fisher").pvalue
    )


@given(r=st.floats(0.75, 0.99999), count=st.integers(4, 40))
@settings(max_examples=50, deadline=None)
def test_the_bound_on_a_correlation_lies_above_its_exact_chance(r: float, count: int) -> None:
    from scipy import stats

    exact = 2 * stats.t.sf(r * np.sqrt((count - 2) / (1 - r * r)), count - 2)

    assert of_correlation(r, count) >= exact * (1 - 1e-6)


def test_the_chance_of_many_successes_is_a_number_however_many_failures_there_are() -> None:
    assert at_least(3, 10, 0.05) == pytest.approx(0.0115035, rel=1e-5)
    assert at_least(0, 2_000, 0.1) == 1.0
    assert 0 < at_least(400, 2_000, 0.1) < 1e-30
