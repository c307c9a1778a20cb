"""Features of signals whose numbers are known, and the same numbers from scipy and numpy."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal, special, stats

from features import change, entropy, factor, limits, quantiles, steps, trend

Floats = NDArray[np.float64]

SINE = 3 * np.sin(2 * np.pi * (np.arange(200_000) + 0.5) / 200_000)[np.newaxis]
NOISE = np.random.default_rng(1).normal(5, 2, (40, 500))


def test_a_sine_has_the_textbook_factors() -> None:
    mean_root = special.gamma(0.75) / (math.sqrt(math.pi) * special.gamma(1.25))

    assert factor.impulse_factor(SINE)[0] == pytest.approx(math.pi / 2, rel=1e-8)
    assert factor.shape_factor(SINE)[0] == pytest.approx(math.pi / math.sqrt(8), rel=1e-8)
    assert factor.clearance_factor(SINE)[0] == pytest.approx(mean_root**-2, rel=1e-6)


def test_normal_noise_has_the_spreads_of_its_distribution() -> None:
    noise = np.random.default_rng(2).normal(0, 1, (1, 200_000))
    ordered = np.sort(noise, axis=1)

    assert factor.shape_factor(noise)[0] == pytest.approx(math.sqrt(math.pi / 2), abs=0.01)
    assert quantiles.interquartile_range(ordered)[0] == pytest.approx(2 * stats.norm.ppf(0.75), abs=0.02)
    assert quantiles.median_absolute_deviation(ordered)[0] == pytest.approx(stats.norm.ppf(0.75), abs=0.02)
    assert steps.mean_absolute_change(noise)[0] == pytest.approx(2 / math.sqrt(math.pi), abs=0.02)
    assert steps.peaks(noise)[0] / noise.size == pytest.approx(1 / 3, abs=0.01)
    assert entropy.permutation_entropy(noise)[0] == pytest.approx(1, abs=0.001)


def test_even_use_of_the_range_has_the_largest_entropy_and_two_values_have_ln_2() -> None:
    assert entropy.entropy(np.arange(100.0)[np.newaxis])[0] == pytest.approx(math.log(10), rel=1e-15)
    assert entropy.entropy(np.tile([1.0, 9.0], 50)[np.newaxis])[0] == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize("level", [0, 7, 213])
def test_readings_on_edges_of_bins_and_on_the_mean_lie_where_their_digits_say(level: int) -> None:
    tenths = (np.arange(11) + level) / 10
    shares = np.array([1.0] * 9 + [2.0]) / 11
    assert entropy.entropy(tenths[np.newaxis])[0] == pytest.approx(stats.entropy(shares), rel=1e-14)
    at_rest = np.full(20, level + 3)
    at_rest[[3, 8]] += [1, -1]
    assert steps.longest_run_above_mean(at_rest[np.newaxis] / 10)[0] == 1 / 20


def test_a_signal_that_only_rises_has_one_order_and_a_saw_has_two() -> None:
    rising, saw = np.arange(50.0), np.tile([0.0, 1.0], 26)

    assert entropy.permutation_entropy(rising[np.newaxis])[0] == 0
    assert entropy.permutation_entropy(saw[np.newaxis])[0] == pytest.approx(math.log(2) / math.log(6))


@pytest.mark.parametrize("size", [-2.5, 1e-3])
def test_a_step_is_found_with_its_size_its_age_and_its_clearness(size: float) -> None:
    window = 1e6 + np.repeat([0.0, size], 50)[np.newaxis]
    hours = np.arange(-99.0, 1.0)[np.newaxis] / 4
    exact = window[0, -1] - window[0, 0]

    assert change.change_size(window)[0] == pytest.approx(exact, rel=1e-12)
    assert change.change_statistic(window)[0] == pytest.approx(math.sqrt(100) / 2, rel=1e-12)
    assert change.change_significant(window)[0] == 1
    assert change.change_age(hours, window)[0] == 49 / 4


def test_of_splits_that_are_equally_good_the_earliest_counts() -> None:
    bump = np.array([[0.0, 0.1, 0.0], [0.0, -7.0, 0.0]])

    assert change.change_size(bump).tolist() == pytest.approx([0.05, -3.5])
    assert change.change_age(np.array([[-2.0, -1.0, 0.0]] * 2), bump).tolist() == [1.0, 1.0]


def test_noise_without_a_change_is_significant_in_one_of_twenty_windows() -> None:
    noise = np.random.default_rng(3).normal(0, 1, (4000, 400))

    found = change.change_significant(noise)

    assert special.kolmogi(0.05) == pytest.approx(change.CRITICAL, abs=1e-4)
    # A maximum over few places lies a little below that of the bridge.
    assert 0.03 < found.mean() < 0.055
    assert change.change_significant(noise + np.repeat([0.0, 1.0], 200)).mean() > 0.99


def test_a_square_wave_spends_the_time_of_its_pulses_beyond_a_limit() -> None:
    hours = np.array([[-6.0, -5.0, -3.0, -2.5, -1.0]])
    window = np.array([[0.0, 9.0, 0.0, 9.0, 0.0]])
    above = limits.Limits(high=5.0)

    assert limits.share_above(limits.held(hours, math.inf), window, above)[0] == pytest.approx(3.5 / 6)
    assert limits.share_above(limits.held(hours, 1.0), window, above)[0] == pytest.approx(2 / 4.5)
    assert limits.share_below(limits.held(hours, math.inf), window, limits.Limits(5.0, 10.0))[0] == pytest.approx(
        2.5 / 6
    )


def test_a_value_on_a_limit_keeps_it_and_no_time_at_all_says_nothing() -> None:
    at_the_end, on = np.array([[0.0, np.nan]]), np.array([[5.0, np.nan]])

    assert limits.share_above(np.ones((1, 2)), on, limits.Limits(4.0, 5.0))[0] == 0
    assert limits.share_below(np.ones((1, 2)), on, limits.Limits(5.0, 6.0))[0] == 0
    assert np.isnan(limits.share_above(limits.held(at_the_end, 1.0), on, limits.Limits(high=1.0))[0])


def test_a_parabola_has_its_curvature_at_any_times_and_a_line_has_none() -> None:
    random = np.random.default_rng(4)
    hours = -np.sort(random.exponential(5.0, (20, 80)), axis=1)[:, ::-1]

    bent = trend.curvature(hours, 1e3 - 40 * hours + 0.25 * hours**2)
    straight = trend.curvature(hours, 1e6 + 500 * hours)

    np.testing.assert_allclose(bent, 0.25, rtol=1e-10)
    assert np.abs(straight * (hours.min(axis=1)) ** 2).max() < 1e-8


def test_scipy_and_numpy_find_the_same() -> None:
    hours = -np.sort(np.random.default_rng(6).exponential(5.0, NOISE.shape), axis=1)[:, ::-1]
    ordered = np.sort(NOISE, axis=1)
    tenths = np.round(NOISE, 1)

    np.testing.assert_allclose(quantiles.interquartile_range(ordered), stats.iqr(NOISE, axis=1), rtol=1e-13)
    np.testing.assert_allclose(
        quantiles.median_absolute_deviation(ordered), stats.median_abs_deviation(NOISE, axis=1), rtol=1e-13
    )
    histograms = np.array([np.histogram(row, bins=entropy.BINS)[0] for row in NOISE])
    np.testing.assert_allclose(entropy.entropy(NOISE), stats.entropy(histograms, axis=1), rtol=1e-13)
    assert steps.peaks(tenths).tolist() == [len(signal.find_peaks(row)[0]) for row in tenths]
    fitted = [
        np.polynomial.Polynomial.fit(time, row, 2).convert().coef[2] for time, row in zip(hours, NOISE, strict=True)
    ]
    np.testing.assert_allclose(trend.curvature(hours, NOISE), fitted, rtol=1e-9, atol=1e-13)


def test_a_quantile_that_is_a_sample_does_not_feel_an_infinite_neighbour() -> None:
    ordered = np.array([[1.0, 2.0, math.inf], [-math.inf, 2.0, 3.0], [2.0, 3.0, math.inf]])

    with np.errstate(invalid="ignore"):
        assert quantiles.quantile(ordered, 0.5).tolist() == [2.0, 2.0, 3.0]
        assert quantiles.median_absolute_deviation(ordered[:2]).tolist() == [1.0, 1.0]


def test_sorting_is_not_undone_for_the_features_that_follow() -> None:
    ordered = np.sort(NOISE, axis=1)
    before = ordered.copy()

    quantiles.median_absolute_deviation(ordered)
    quantiles.interquartile_range(ordered)

    assert ordered.tobytes() == before.tobytes()
