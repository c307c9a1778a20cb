"""Figures of remaining life, against calculations by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.judging.prognostic import (
    alpha_lambda,
    coverage,
    expected_life,
    monotonicity,
    phm08,
    prognostic_horizon,
    rmse,
    share_within,
)

LEVELS = (0.1, 0.5, 0.9)


def test_the_score_of_a_late_prediction_is_dearer_than_that_of_an_early_one() -> None:
    early, late = phm08(np.array([40.0]), np.array([50.0])), phm08(np.array([60.0]), np.array([50.0]))

    assert early == pytest.approx(math.exp(10 / 13) - 1)
    assert late == pytest.approx(math.e - 1)


def test_the_score_is_a_sum_over_machines_and_nothing_for_what_is_right() -> None:
    predicted, true = np.array([100.0, 7.0, 20.0]), np.array([100.0, 20.0, 0.0])

    assert phm08(predicted, true) == pytest.approx(0 + (math.e - 1) + (math.exp(2) - 1))


def test_a_cap_holds_for_truth_and_prediction_alike() -> None:
    predicted, true = np.array([120.0, 140.0]), np.array([200.0, 100.0])

    assert rmse(predicted, true, cap=125) == pytest.approx(math.sqrt((5**2 + 25**2) / 2))
    assert rmse(predicted, true) == pytest.approx(math.sqrt((80**2 + 40**2) / 2))
    assert phm08(predicted, true, cap=125) == pytest.approx(math.exp(5 / 13) - 1 + math.exp(2.5) - 1)


def test_an_interval_without_end_covers_every_later_truth_but_no_earlier_one() -> None:
    low, high = np.array([90.0, 90.0, 10.0, 10.0]), np.array([np.inf, np.inf, 20.0, 20.0])

    found = coverage(low, high, np.array([300.0, 80.0, 20.0, 21.0]))

    assert found.value == 0.5


def test_an_expected_life_is_the_mean_of_capped_lives_whatever_their_order_beyond_the_cap() -> None:
    levels = (np.arange(1000) + 0.5) / 1000
    lives = 160 * levels**2

    found = expected_life(levels, np.stack([lives, np.where(lives > 130, np.inf, lives)]), cap=125)

    assert found == pytest.approx([np.minimum(lives, 125).mean()] * 2)


def test_no_other_number_errs_less_on_capped_lives_than_the_expected_one() -> None:
    lives = np.array([60.0, 90.0, 110.0, 140.0, np.inf])
    (expected,) = expected_life((0.1, 0.3, 0.5, 0.7, 0.9), lives[np.newaxis], cap=125)

    errors = [rmse(np.full(5, each), lives, cap=125) for each in (expected, 110.0, expected - 1, expected + 1)]

    assert errors[0] == min(errors)


def test_share_within_reads_between_the_quantiles() -> None:
    quantiles = np.array([20.0, 40.0, 60.0])

    assert share_within(LEVELS, quantiles, 20, 60) == pytest.approx(0.8)
    assert share_within(LEVELS, quantiles, 25, 40) == pytest.approx(0.3)
    assert share_within(LEVELS, quantiles, 70, 90) == 0.0


def test_quantiles_that_are_one_number_lie_in_a_band_that_touches_it() -> None:
    one = np.array([30.0, 30.0, 30.0])

    assert share_within(LEVELS, one, 30, 35) == pytest.approx(0.8)
    assert share_within(LEVELS, one, 25, 30) == pytest.approx(0.8)
    assert share_within(LEVELS, one, 31, 35) == 0.0


def test_alpha_lambda_asks_the_first_prediction_from_then_on() -> None:
    # The end of life is at 100: 60 h are left at 40, 40 h at 60; a fifth of that is 12 h and 8 h.
    time = np.array([20.0, 40.0, 60.0])
    lives = np.array([[10.0, 20.0, 30.0], [50.0, 60.0, 70.0], [10.0, 20.0, 30.0]])

    assert alpha_lambda(time, LEVELS, lives, 100.0, at=30, alpha=0.2, beta=0.8) is True
    assert alpha_lambda(time, LEVELS, lives, 100.0, at=41, alpha=0.2, beta=0.1) is False
    assert alpha_lambda(time, LEVELS, lives, 100.0, at=61, alpha=0.2, beta=0.1) is None


def test_the_band_is_relative_to_the_time_that_is_left() -> None:
    time, lives = np.array([50.0]), np.array([[40.0, 50.0, 60.0]])

    # Half of [40, 60] by level lies in [45, 55], which is 10 % of 50 h.
    assert alpha_lambda(time, LEVELS, lives, 100.0, at=0, alpha=0.1, beta=0.39) is True
    assert alpha_lambda(time, LEVELS, lives, 100.0, at=0, alpha=0.1, beta=0.41) is False


def test_the_prognostic_horizon_begins_with_the_first_promise_that_is_kept() -> None:
    time = np.array([20.0, 40.0, 60.0])
    lives = np.array([[10.0, 20.0, 30.0], [50.0, 60.0, 70.0], [10.0, 20.0, 30.0]])

    assert prognostic_horizon(time, LEVELS, lives, 100.0, alpha=0.2, beta=0.8) == 60.0
    assert prognostic_horizon(time[:1], LEVELS, lives[:1], 100.0, alpha=0.2, beta=0.8) is None


def test_monotonicity_counts_steps_and_not_sizes() -> None:
    # Signs: -1, -1, +1, 0, -1.
    assert monotonicity(np.array([9.0, 5.0, 4.0, 8.0, 8.0, 1.0])) == pytest.approx(2 / 5)
    assert monotonicity(np.array([1.0])) is None


@given(st.lists(st.floats(0, 200), min_size=1, max_size=30), st.floats(0, 200))
def test_no_prediction_scores_below_the_truth(lives: list[float], cap: float) -> None:
    true = np.array(lives)

    assert phm08(true, true) == 0.0 == rmse(true, true)
    assert phm08(true + 1, true, cap=cap) >= 0.0
