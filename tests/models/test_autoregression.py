"""Autoregressions: order, coefficients, bias, missing values."""

import numpy as np
import pytest

from models.efficiency.autoregression import (
    Autoregression,
    autocorrelation,
    fitted,
    forgotten,
    largest_root,
    overall_sigma,
    responses,
    simulated,
    stationary,
)
from models.efficiency.look import Floats


def of(phi: list[float], rows: int, points: int, seed: int = 1) -> Floats:
    random, burn = np.random.default_rng(seed), forgotten(np.array(phi))
    return simulated(np.array(phi), random.standard_normal((rows, burn + points)), burn)


def test_coefficients_are_those_of_least_squares_at_the_order_that_was_chosen() -> None:
    values = of([0.6, -0.3], 1, 400)

    model = fitted(values, 5)

    assert model.order.tolist() == [2]
    x = values[0]
    design = np.column_stack([np.ones(395), x[4:-1], x[3:-2]])
    expected, *_ = np.linalg.lstsq(design, x[5:], rcond=None)
    np.testing.assert_allclose([model.constant[0], *model.coefficients[0, :2]], expected, atol=1e-7)
    np.testing.assert_array_equal(model.coefficients[0, 2:], 0.0)
    left = x[5:] - design @ expected
    assert model.sigma[0] == pytest.approx(np.sqrt(left @ left / 392))
    np.testing.assert_allclose(model.residuals(values)[0], left, atol=1e-6)


@pytest.mark.parametrize(("phi", "order"), [([], 0), ([0.5], 1), ([0.95], 1), ([1.2, -0.5], 2)])
def test_the_order_is_nearly_always_the_true_one(phi: list[float], order: int) -> None:
    found = fitted(of(phi, 300, 500), 10).order

    assert np.mean(found == order) > 0.93


def test_unit_and_zero_of_the_signal_change_nothing_but_the_scale() -> None:
    values = of([0.7], 2, 300)

    plain, other = fitted(values, 5), fitted(1000.0 + 0.01 * values, 5)

    np.testing.assert_allclose(other.coefficients, plain.coefficients, atol=1e-8)
    np.testing.assert_allclose(other.sigma, 0.01 * plain.sigma)
    np.testing.assert_allclose(other.centre, 1000.0 + 0.01 * plain.centre, atol=1e-8)


def test_a_missing_value_costs_the_rows_that_it_takes_part_in() -> None:
    values = of([0.7], 1, 300)
    values[0, 100] = np.nan

    model = fitted(values, 3)
    residuals = fitted(of([0.7], 1, 300), 3).residuals(values)

    assert model.points.tolist() == [297 - 4]
    assert np.flatnonzero(np.isnan(residuals[0])).tolist() == [97, 98]


def test_too_few_points_and_points_that_do_not_vary_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        fitted(of([], 1, 20), 5)
    with pytest.raises(ValueError, match="do not vary"):
        fitted(np.full((1, 100), 3.0), 2)


def test_the_bias_of_a_short_series_is_taken_off() -> None:
    """Kendall: of 100 points with φ = 0.8 and unknown mean, least squares finds (1 + 3φ) / n = 0.034 too little."""
    values = of([0.8], 2000, 100)
    model = fitted(values, 1)
    bias = model.coefficients.mean(axis=0) - 0.8

    corrected = model.less(bias, values)

    assert bias[0] == pytest.approx(-0.034, abs=0.006)
    assert corrected.coefficients.mean() == pytest.approx(0.8, abs=0.006)
    assert np.abs(np.nanmean(corrected.residuals(values), axis=1)).max() < 1e-9


def test_a_correction_never_makes_a_process_that_does_not_return() -> None:
    values = np.cumsum(np.random.default_rng(2).standard_normal((200, 100)), axis=1)

    model = stationary(fitted(values, 5))
    corrected = model.less(np.full(5, -0.05), values)

    assert largest_root(model.coefficients).max() <= 0.995 + 1e-9
    assert largest_root(corrected.coefficients).max() <= 0.995 + 1e-6


def test_correlations_and_spread_have_their_closed_forms() -> None:
    ar2 = autocorrelation(np.array([0.5, 0.3]), 2)

    assert ar2.round(6).tolist() == [round(0.5 / 0.7, 6), round(0.5 * 0.5 / 0.7 + 0.3, 6)]
    assert responses(np.array([0.5]), 3).tolist() == [1.0, 0.5, 0.25]
    one, index = np.ones(1), np.ones(1, np.intp)
    model = Autoregression(one, np.array([[0.8]]), one, index, index)
    assert overall_sigma(model) == pytest.approx(1 / 0.6, rel=1e-3)
    assert model.centre[0] == pytest.approx(5.0)
