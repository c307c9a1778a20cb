"""Probabilities within several horizons: of a hazard that is known, with and without censoring."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import Target
from models.judging.reliability import Reliability
from models.judging.split import Fold, choose_row_folds
from models.labels.label import label, target_events
from models.moment import instant, is_over
from models.risk.failure_risk import FailureRisk
from models.risk.horizons import Horizons, horizons_in_words
from tests.models.pumps import BEGIN, START

DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)
NAMES = ("load__mean__24h", "heat__mean__24h")
HOURS = 6


def hazards(*, machines: int, days: int, seed: int) -> tuple[FeatureTable, pd.DataFrame]:
    """Return machines whose failures come at a rate that one signal tells, and the failures."""
    random = np.random.default_rng(seed)
    steps = days * 24 // HOURS
    level = np.repeat(random.standard_normal((machines, steps // 40 + 1)), 40, axis=1)[:, :steps]
    rate = 0.012 * np.exp(1.3 * level)
    failed = random.random((machines, steps)) < rate * HOURS / 24
    events = [
        Event(
            machine=f"pump-{seed}-{machine:03}",
            kind="failure",
            time=BEGIN + timedelta(hours=HOURS * int(step + 1) - 1),
            component="seal",
        )
        for machine, step in np.argwhere(failed)
    ]
    values = np.stack([level + 0.1 * random.standard_normal(level.shape), random.standard_normal(level.shape)], axis=2)
    times = np.tile(START + np.arange(1, steps + 1) * np.timedelta64(HOURS, "h"), machines)
    names = np.repeat(np.array([f"pump-{seed}-{machine:03}" for machine in range(machines)], dtype=object), steps)
    table = FeatureTable(names, times, NAMES, values.reshape(-1, 2), np.ones(machines * steps))
    return table, events_table(events)


def learnt(
    table: FeatureTable, events: pd.DataFrame, days: int, asked: tuple[timedelta, ...] = (DAY, WEEK, MONTH)
) -> tuple[FailureRisk, Horizons, dict[str, str]]:
    end, targets = BEGIN + timedelta(days=days), target_events(events, Target())

    def labels(span: timedelta) -> NDArray[np.int8]:
        return label(table, targets, span, end)

    def folds(span: timedelta) -> list[Fold]:
        over = is_over(table.time, span, instant(end))
        return [Fold(fold.train, fold.test[over[fold.test]]) for fold in choose_row_folds(table, targets, span, None)]

    risk = FailureRisk().fit(table, labels(WEEK), folds(WEEK))
    horizons, why_not = Horizons.learn(table, labels, folds, FailureRisk, asked=asked, alert=WEEK)
    return risk, horizons, why_not


@pytest.fixture(scope="module")
def ladder() -> tuple[FailureRisk, Horizons]:
    table, events = hazards(machines=40, days=90, seed=1)
    risk, horizons, why_not = learnt(table, events, 90)
    assert not why_not
    return risk, horizons


def errors(
    horizons: Horizons, risk: FailureRisk, table: FeatureTable, events: pd.DataFrame, end: datetime
) -> dict[timedelta, float]:
    targets, said, found = target_events(events, Target()), horizons.probabilities(table, risk.level(table)), {}
    for column, span in zip(said.T, horizons.spans, strict=True):
        over = is_over(table.time, span, instant(end))
        error = Reliability.of("", column[over], label(table, targets, span, end)[over] == 1).error
        assert error is not None
        found[span] = error
    return found


def test_each_horizon_is_calibrated_on_later_time() -> None:
    table, events = hazards(machines=40, days=180, seed=1)
    known = BEGIN + timedelta(days=90)
    past, later = (table.where(rows) for rows in (table.time <= instant(known), table.time > instant(known)))
    risk, horizons, _ = learnt(past, events[events["time"] <= pd.Timestamp(known)], 90)

    found = errors(horizons, risk, later, events, BEGIN + timedelta(days=180))

    # A month says less: 40 machines over 90 days hold about 80 months that do not overlap.
    assert found[DAY] <= 0.05
    assert found[WEEK] <= 0.05
    assert found[MONTH] <= 0.1


def test_machines_that_were_never_seen_are_told_nearly_as_well(ladder: tuple[FailureRisk, Horizons]) -> None:
    """What is normal for them is not known, and a part of what is learnt is how a machine departs from that."""
    risk, horizons = ladder
    table, events = hazards(machines=40, days=120, seed=2)

    found = errors(horizons, risk, table, events, BEGIN + timedelta(days=120))

    assert found[DAY] <= 0.05
    assert found[WEEK] <= 0.06
    assert found[MONTH] <= 0.1


def test_longer_horizons_never_say_less(ladder: tuple[FailureRisk, Horizons]) -> None:
    risk, horizons = ladder
    table, _ = hazards(machines=5, days=60, seed=3)
    said = horizons.probabilities(table, risk.level(table))

    assert horizons.spans == (DAY, WEEK, MONTH)
    assert (np.diff(said, axis=1) >= 0).all()
    assert ((said >= 0) & (said <= 1)).all()


@given(level=st.floats(1e-6, 0.999), shift=st.floats(-50, 50))
def test_longer_horizons_never_say_less_whatever_the_readings(
    ladder: tuple[FailureRisk, Horizons], level: float, shift: float
) -> None:
    _, horizons = ladder
    table, _ = hazards(machines=1, days=1, seed=0)
    strange = FeatureTable(table.machine, table.time, table.names, table.values + shift, table.filled)
    said = horizons.probabilities(strange, np.full(len(table), level))

    assert (np.diff(said, axis=1) >= 0).all()
    assert (said[:, horizons.alert] == level).all()


def test_nothing_is_said_where_the_model_says_nothing(ladder: tuple[FailureRisk, Horizons]) -> None:
    _, horizons = ladder
    table, _ = hazards(machines=1, days=2, seed=0)

    assert np.isnan(horizons.probabilities(table, np.full(len(table), np.nan))).all()


def test_histories_that_end_early_do_not_make_the_month_look_worse() -> None:
    """Half of all months are cut short by the end of the history; only those with a failure are known by then."""
    table, events = hazards(machines=40, days=60, seed=4)
    risk, horizons, _ = learnt(table, events, 60, (MONTH,))
    unseen, later = hazards(machines=40, days=60, seed=5)
    said = horizons.probabilities(unseen, risk.level(unseen))[:, -1]
    targets, end = target_events(later, Target()), BEGIN + timedelta(days=60)
    over = is_over(unseen.time, MONTH, instant(end))
    share = (label(unseen, targets, MONTH, end)[over] == 1).mean()
    known = label(table, target_events(events, Target()), MONTH, end)
    naive = (known == 1).sum() / (known >= 0).sum()

    assert naive > share + 0.1
    assert said[over].mean() == pytest.approx(share, abs=0.1)


def test_a_horizon_longer_than_the_history_is_left_out_with_its_reason() -> None:
    table, events = hazards(machines=10, days=20, seed=6)
    _, horizons, why_not = learnt(table, events, 20)

    assert horizons.spans == (DAY, WEEK)
    assert list(why_not) == ["30 d"]
    told = {"told": ["24 h", "7 d"], "not_learnt": why_not}
    assert horizons_in_words(told).endswith("Not within 30 d: there is no time of which it is known that nothing"
                                            " came within it.")  # fmt: skip


def test_the_same_data_give_the_same_probabilities_bit_for_bit() -> None:
    table, events = hazards(machines=12, days=40, seed=8)
    first, again = (learnt(table, events, 40, (DAY,)) for _ in range(2))

    assert np.array_equal(
        first[1].probabilities(table, first[0].level(table)), again[1].probabilities(table, again[0].level(table))
    )
