from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.event import events_table
from ingest.plant import Target
from models.anomaly.level import AnomalyLevel
from models.calibration import HealthyTail
from models.judging.split import time_folds
from models.labels.label import target_events
from tests.models.pumps import HORIZON, NAMES, START, quiet_pumps


def learnt_from(table: FeatureTable, labels: NDArray[np.int8] | None = None) -> AnomalyLevel:
    folds = time_folds(table, target_events(events_table(), Target()), HORIZON, 9)[4:]
    return AnomalyLevel().fit(table, np.zeros(len(table), dtype=np.int8) if labels is None else labels, folds)


def shifted(table: FeatureTable, column: str, by: float) -> FeatureTable:
    values = table.values.copy()
    values[:, table.names.index(column)] += by
    return replace(table, values=values)


@pytest.fixture(scope="module")
def anomaly() -> AnomalyLevel:
    return learnt_from(quiet_pumps())


def test_healthy_time_exceeds_a_level_as_rarely_as_the_level_says() -> None:
    rates = []
    for seed in range(4):
        table = quiet_pumps(days=30, seed=seed)
        early = table.time < START + np.timedelta64(20, "D")
        anomaly = learnt_from(table.where(early))
        rates.append((anomaly.level(table.where(~early)) >= 0.99).mean())

    assert np.mean(rates) == pytest.approx(0.01, abs=0.015)


def test_planted_shifts_pass_a_level_that_healthy_time_keeps_below(anomaly: AnomalyLevel) -> None:
    table = quiet_pumps()
    threshold = 0.999

    assert (anomaly.level(shifted(table, "voltage__mean__24h", 12.0)) >= threshold).mean() > 0.95
    # In the first day the long windows are still filling, and levels are higher than they should be.
    filled = table.time > START + np.timedelta64(24, "h")
    assert (anomaly.level(table.where(filled)) >= threshold).mean() < 0.005


def test_shares_name_the_signal_that_moved(anomaly: AnomalyLevel) -> None:
    shares = anomaly.parts(shifted(quiet_pumps(), "voltage__mean__24h", 12.0)).shares

    assert anomaly.groups == ("voltage", "pressure")
    assert shares[:, 0].mean() > 0.9
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()


def test_parts_add_up_to_how_rare_each_level_is(anomaly: AnomalyLevel) -> None:
    table = shifted(quiet_pumps(), "voltage__mean__24h", 12.0)
    parts, level = anomaly.parts(table), anomaly.level(table)

    assert np.allclose(parts.base + parts.by_group.sum(axis=1), -np.log1p(-level), rtol=0, atol=1e-6)
    assert np.allclose(parts.base, 0, atol=1e-9)
    assert np.allclose(parts.level_of(parts.score), level, rtol=0, atol=1e-6)


def test_time_before_and_inside_known_events_is_not_learnt_as_normal() -> None:
    table = quiet_pumps()
    bad = np.zeros(len(table), dtype=bool)
    bad[::20] = True
    sick = replace(
        table, values=np.where(bad[:, np.newaxis], table.values + np.array([40, 40, 0, 0, 0, 0]), table.values)
    )
    told = learnt_from(sick, np.where(bad, 1, 0).astype(np.int8))
    untold = learnt_from(sick)

    assert told.level(sick.where(bad)).min() > 0.999
    assert untold.level(sick.where(bad)).min() < 0.98


def test_hours_of_one_machine_with_one_signal_are_enough_to_begin() -> None:
    table = quiet_pumps(machines=1, days=2)
    short = replace(table, names=NAMES[:1], values=table.values[:, :1])
    anomaly = learnt_from(short)
    level = anomaly.level(shifted(short, NAMES[0], 40.0))

    assert level.min() > 0.95
    assert np.isfinite(anomaly.held_out).any()


def test_too_little_or_dead_history_is_refused_in_one_line() -> None:
    table = quiet_pumps(machines=1, days=5)

    with pytest.raises(NotEnoughDataError, match="19 windows of healthy time"):
        learnt_from(table.where(np.arange(19)))
    with pytest.raises(NotEnoughDataError, match="no feature of this history ever changes"):
        learnt_from(replace(table, values=np.ones_like(table.values)))


def test_dead_and_doubled_columns_change_no_level() -> None:
    table = quiet_pumps(machines=2)
    extra = np.column_stack([table.values, np.full(len(table), np.nan), np.ones(len(table)), table.values[:, 0]])
    names = (*NAMES, "dead__mean__3h", "flat__mean__3h", "voltage__maximum__3h")
    wide = replace(table, names=names, values=extra)

    assert np.allclose(learnt_from(wide).level(wide), learnt_from(table).level(table))


def test_a_machine_that_was_never_seen_is_measured_by_its_class(anomaly: AnomalyLevel) -> None:
    table = quiet_pumps(machines=1)
    stranger = replace(table, machine=np.full(len(table), "pump-99", dtype=object))

    assert np.median(anomaly.level(stranger)) < 0.99


def test_equal_data_give_equal_levels(anomaly: AnomalyLevel) -> None:
    table = quiet_pumps()

    assert np.array_equal(learnt_from(table).level(table), anomaly.level(table))


@settings(max_examples=50, deadline=timedelta(seconds=2))
@given(
    arrays(np.float64, st.integers(20, 200), elements=st.floats(0, 100)),
    arrays(np.float64, 30, elements=st.floats(0, 1e6)),
)
@example(np.r_[5e-324, np.zeros(19)], np.ones(30))
def test_a_stranger_score_never_has_a_lower_level(healthy: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
    tail = HealthyTail.learn(healthy, np.zeros(len(healthy), dtype=np.intp))
    level = tail(np.sort(scores))

    assert (np.diff(level) >= 0).all()
    assert ((level >= 0) & (level <= 1)).all()


def test_rows_without_a_score_teach_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = quiet_pumps(machines=1, days=6)
    values = table.values.copy()
    values[::2] = np.nan
    thin = replace(table, values=values)

    def never(
        self: AnomalyLevel, table: FeatureTable, *_: object
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.intp]]:
        return {name: np.full(len(table), np.nan) for name in self.detectors}, np.zeros(len(table), dtype=np.intp)

    monkeypatch.setattr(AnomalyLevel, "_unseen_scores", never)
    level = learnt_from(thin).level(thin)

    assert np.isfinite(level[1::2]).all()
    assert np.isnan(level[::2]).all()
