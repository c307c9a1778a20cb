"""The energy baseline: by hand, its gate, its reach, its form and its band."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

from ingest.errors import NotEnoughDataError
from models.efficiency.energy.baseline import fit_energy_baseline
from models.efficiency.energy.periods import EnergyPeriods, periods_of
from models.efficiency.energy.price import Price
from models.efficiency.energy.saving import savings
from models.efficiency.energy.watch import watch
from tests.models.meter_years import meter_year

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
PIECES = np.array([0.0, 10, 20, 30, 40, 0, 10, 20, 30, 40])
BY_HAND = np.array([20.0, 25, 30, 35, 40, 22, 27, 32, 37, 42])
"""Least squares by hand: 21 + 0.5 · pieces, each point 1 away from it, so SSE = 10."""


def days(power: ArrayLike, pieces: ArrayLike, *, begin: datetime = BEGIN, calendar: bool = False) -> EnergyPeriods:
    index = pd.date_range(begin, periods=len(np.asarray(power)), freq="1D")
    drivers = pd.DataFrame({"pieces": np.asarray(pieces, float)}, index=index)
    own = pd.Series(np.asarray(power, float), index=index)
    return periods_of(own, drivers, every=timedelta(days=1), produced="pieces", calendar=calendar)


def test_least_squares_as_worked_by_hand() -> None:
    baseline = fit_energy_baseline(days(BY_HAND, PIECES))

    assert baseline.form == "linear"
    np.testing.assert_allclose(baseline.expected(days([0, 0], [0, 40])), [21.0, 41.0])
    # SST = 510: pieces give 0.25 · 2000 = 500, the rest is SSE.
    assert baseline.validity.r2 == pytest.approx(1 - 10 / 510)
    assert baseline.validity.cv_rmse == pytest.approx(np.sqrt(10 / 8) / 31)
    assert baseline.validity.parameters == 2
    assert baseline.validity.points == 10
    assert baseline.validity.valid


def test_savings_and_their_running_sum_as_worked_by_hand() -> None:
    later = days([26, 25, 31, np.nan, 40], [10, 10, 20, 20, 40], begin=datetime(2026, 2, 2, tzinfo=UTC))

    found = savings(fit_energy_baseline(days(BY_HAND, PIECES)), later)

    np.testing.assert_allclose(found.saving, [0, 24, 0, np.nan, 24], atol=1e-9)
    np.testing.assert_allclose(found.cusum, [0, 24, 24, 24, 48], atol=1e-9)
    assert found.kwh == pytest.approx(48)
    assert found.known == pytest.approx(0.8)


def test_nine_points_are_too_few() -> None:
    with pytest.raises(NotEnoughDataError, match="known in 9 of 10 periods of the baseline period; 10 are needed"):
        fit_energy_baseline(days([*BY_HAND[:9], np.nan], PIECES))


def test_drivers_that_explain_too_little_make_no_finding_and_the_reason_is_said() -> None:
    random = np.random.default_rng(1)
    pieces = random.uniform(0, 40, 120)
    power = 21 + 0.5 * pieces + random.normal(0, 12, 120)
    power[60:] += 30

    baseline = fit_energy_baseline(days(power[:60], pieces[:60]))
    later = days(power[60:], pieces[60:], begin=BEGIN + timedelta(days=60))

    assert baseline.validity.r2 < 0.75
    assert not baseline.validity.valid
    assert "of the variance (R²), 75% are needed; name more drivers" in baseline.validity.reason
    assert watch(baseline, later, Price(0.2)).losses == ()
    assert savings(baseline, later).turns == ()


def test_a_fit_that_only_remembers_is_refused() -> None:
    random = np.random.default_rng(2)
    index = pd.date_range(BEGIN, periods=30, freq="1D")
    drivers = pd.DataFrame(random.normal(size=(30, 24)), index=index, columns=[f"x{each}" for each in range(24)])
    power = pd.Series(50 + random.normal(size=30), index=index)

    baseline = fit_energy_baseline(periods_of(power, drivers, every=timedelta(days=1), calendar=False))

    assert baseline.validity.r2 > 0.75
    assert "on days held out" in baseline.validity.reason


def test_a_meter_that_always_says_the_same_has_no_baseline() -> None:
    validity = fit_energy_baseline(days(np.full(20, 5.0), np.arange(20.0))).validity

    assert validity.reason == "the meter always says the same"


def test_nothing_is_expected_where_a_driver_is_unknown_or_out_of_reach_or_of_a_new_kind() -> None:
    baseline = fit_energy_baseline(days(BY_HAND, PIECES))

    said = baseline.expected(days([30, 30, 30], [40, 60, np.nan]))

    assert np.isnan(said).tolist() == [False, True, True]
    later = days([30, 30], [20, 20])
    later.drivers["product=7"] = [0.0, 1.0]
    assert np.isnan(baseline.expected(later)).tolist() == [False, True]


def test_kw_or_w_give_the_same_baseline() -> None:
    year = meter_year(np.random.default_rng(3), days=40)

    one, other = (fit_energy_baseline(year.periods(factor * year.power)) for factor in (1.0, 1000.0))

    assert other.form == one.form
    assert other.validity.r2 == pytest.approx(one.validity.r2)
    assert other.validity.cv_rmse_held_out == pytest.approx(one.validity.cv_rmse_held_out, rel=1e-6)


def test_a_form_is_chosen_by_what_it_foretells_and_the_simplest_of_equals_is() -> None:
    random = np.random.default_rng(4)
    index = pd.date_range(BEGIN, periods=24 * 60, freq="1h")
    drivers = pd.DataFrame({"x": random.uniform(-10, 10, len(index))}, index=index)

    def form(power: np.ndarray) -> str:
        noisy = pd.Series(power + random.normal(0, 1, len(index)), index=index)
        return fit_energy_baseline(periods_of(noisy, drivers, every=timedelta(hours=1), calendar=False)).form

    x = drivers["x"].to_numpy()
    assert form(50 + 2 * x) == "linear"
    assert form(50 + 4 * np.maximum(x - 3, 0)) != "linear"


def test_the_band_holds_nine_in_ten_of_later_time_idle_and_busy() -> None:
    shares: dict[str, list[float]] = {"idle": [], "busy": []}
    for seed in range(6):
        periods = meter_year(np.random.default_rng([5, seed]), days=240).periods()
        first = np.arange(len(periods)) < 180 * 24
        later = periods.where(~first)
        said, low, high = fit_energy_baseline(periods.where(first)).expected_band(later)
        inside = (later.power >= low) & (later.power <= high)
        for name, own in (("idle", later.idle), ("busy", later.busy)):
            shares[name].append(float(inside[own & ~np.isnan(said)].mean()))

    assert np.mean(shares["idle"]) == pytest.approx(0.9, abs=0.04)
    assert np.mean(shares["busy"]) == pytest.approx(0.9, abs=0.04)
