"""The band of what is expected holds nine in ten healthy values that were not learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from features.table import FeatureTable
from ingest.event import events_table
from ingest.plant import Target
from models.anomaly.normal_by_regime import usual_alone
from models.judging.split import time_folds
from models.labels.label import target_events
from models.why.band import Band
from tests.models.pumps import HORIZON, START, quiet_pumps


def band_of(table: FeatureTable, *, folds: int = 5) -> Band:
    cuts = time_folds(table, target_events(events_table(), Target()), HORIZON, folds) if folds else []
    return Band.learn(table, np.ones(len(table), np.bool_), cuts)


@pytest.mark.parametrize("seed", range(4))
def test_nine_in_ten_values_of_later_healthy_time_lie_in_the_band(seed: int) -> None:
    table = quiet_pumps(machines=6, days=60, seed=seed)
    early = table.time < START + np.timedelta64(40, "D")
    band, normal = band_of(table.where(early)), usual_alone(table.where(early))
    later = table.where(~early)
    for each in band.expectations(later, normal, ["voltage", "pressure"]):
        covered = np.mean((each.actual >= each.low) & (each.actual <= each.high))

        assert covered == pytest.approx(0.9, abs=0.05)
        assert (each.low < each.expected).all()
        assert (each.expected < each.high).all()


def test_what_is_expected_of_a_mean_is_the_machines_own_normal() -> None:
    table = quiet_pumps()
    normal = usual_alone(table)
    rows = table.where(np.arange(5))
    (found,) = band_of(table).expectations(rows, normal, ["voltage"])

    assert found.column == "voltage__mean__3h"
    assert np.allclose(found.expected, normal.of(rows)[:, 0])
    assert np.array_equal(found.actual, rows.values[:, 0])


def test_what_the_other_signals_let_expect_is_the_value_without_its_unusual_residual() -> None:
    table = quiet_pumps()
    names = (*table.names, "voltage__residual__3h")
    wider = replace(table, names=names, values=np.column_stack([table.values, table.values[:, 0] - 229.0]))
    rows = replace(wider.where(np.arange(3)), values=wider.values[:3] + np.r_[np.zeros(6), 4.0])
    normal = usual_alone(wider)
    (found,) = band_of(wider).expectations(rows, normal, ["voltage"])

    assert np.allclose(found.actual - found.expected, rows.values[:, 6] - normal.of(rows)[:, 6])


def test_too_few_rows_that_were_not_learnt_from_are_made_no_claim_of() -> None:
    table = quiet_pumps()

    assert band_of(table).held_out > 0
    assert band_of(table, folds=0).held_out == 0
    assert np.isfinite(band_of(table, folds=0).low).all()


def test_a_signal_that_was_never_known_has_no_band_and_breaks_nothing() -> None:
    table = quiet_pumps()
    blind = replace(table, values=np.where(np.arange(6) < 3, np.nan, table.values))
    found = band_of(blind).expectations(blind.where(np.arange(2)), usual_alone(blind), ["voltage", "pressure", "flow"])

    assert [each.signal for each in found] == ["voltage", "pressure"]
    assert np.isnan(found[0].low).all()
    assert np.isfinite(found[1].low).all()
