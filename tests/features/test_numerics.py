"""Digits that survive: large means, spikes that have left, gaps, equal samples, huge values."""

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from features.extract import extract
from features.feature import LARGEST
from features.recipe import Recipe
from features.table import FeatureTable
from features.usual import SIGNAL_FEATURES
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
BY_SAMPLES = ("zero_crossing_rate", "autocorrelation", "dominant_frequency", "band_power_1", "band_power_4")
MINUTES = 600


def _table(values: NDArray[np.float64]) -> FeatureTable:
    """Return features of a signal that is read every minute, at every tenth minute."""
    recipe = Recipe(
        machine_class="press",
        signals=("signal",),
        windows=(30 * MINUTE, 240 * MINUTE),
        stride=10 * MINUTE,
        features=(*SIGNAL_FEATURES, "root_mean_square", "median", "mean_crossing_rate", *BY_SAMPLES),
        every=(MINUTE,),
    )
    history = TableHistory(readings_frame("m", np.arange(1, len(values) + 1), signal=values))
    return extract(recipe, history, ["m"], START, after(minutes=len(values)))


def _column(table: FeatureTable, feature: str, window: str = "240min") -> NDArray[np.float64]:
    return table.values[:, table.names.index(f"signal__{feature}__{window.replace('240min', '4h')}")]


def _windows(values: NDArray[np.float64], length: int) -> list[NDArray[np.longdouble]]:
    return [values[max(end - length, 0) : end].astype(np.longdouble) for end in range(10, len(values) + 1, 10)]


@pytest.mark.parametrize(("window", "length"), [("30min", 30), ("240min", 240)])
def test_a_deviation_of_a_thousandth_on_a_mean_of_a_million_keeps_its_digits(window: str, length: int) -> None:
    values = 1e6 + np.random.default_rng(1).normal(0, 1e-3, MINUTES)
    table = _table(values)

    truth = _windows(values, length)
    deviation = np.array([each.std() for each in truth], float)
    distances = [each - each.mean() for each in truth]
    skewness = np.array([(each**3).mean() / (each**2).mean() ** 1.5 for each in distances], float)
    kurtosis = np.array([(each**4).mean() / (each**2).mean() ** 2 - 3 for each in distances], float)
    known = ~np.isnan(_column(table, "mean", window))
    assert known.sum() > 50
    relative = _column(table, "standard_deviation", window)[known] / deviation[known] - 1
    assert np.abs(relative).max() < 1e-12
    np.testing.assert_allclose(_column(table, "skewness", window)[known], skewness[known], atol=1e-11)
    np.testing.assert_allclose(_column(table, "kurtosis", window)[known], kurtosis[known], atol=1e-11)


def test_a_spike_that_has_left_the_window_leaves_nothing_behind() -> None:
    values = np.random.default_rng(2).normal(0, 1, MINUTES)
    spiked = values.copy()
    spiked[95] = 1e9

    clean, disturbed = _table(values), _table(spiked)

    left = clean.time >= np.datetime64((START + timedelta(minutes=96 + 240)).replace(tzinfo=None))
    assert disturbed.values[left].tobytes() == clean.values[left].tobytes()
    assert (_column(disturbed, "maximum")[~left] == 1e9).any()


def test_a_gap_touches_only_its_own_windows() -> None:
    values = np.random.default_rng(3).normal(0, 1, MINUTES)
    gap = values.copy()
    gap[300:335] = np.nan

    clean, holed = _table(values), _table(gap)

    minutes = (clean.time - np.datetime64(START.replace(tzinfo=None))) / np.timedelta64(1, "m")
    outside = (minutes <= 300) | (minutes >= 335 + 240)
    assert holed.values[outside].tobytes() == clean.values[outside].tobytes()
    assert np.isnan(_column(holed, "mean", "30min")[minutes == 330]).all()
    assert np.isfinite(_column(holed, "mean")[minutes == 330]).all()


@pytest.mark.parametrize("value", [0.1, -1e15 / 3, 0.0, 5e-324, -1e100])
def test_equal_samples_have_a_deviation_of_exactly_zero_and_no_shape(value: float) -> None:
    table = _table(np.full(MINUTES, value))

    known = ~np.isnan(_column(table, "mean"))
    assert known.any()
    assert (_column(table, "mean")[known] == value).all()
    assert (_column(table, "standard_deviation")[known] == 0).all()
    assert (_column(table, "slope")[known] == 0).all()
    assert np.isnan(_column(table, "skewness")).all()
    assert np.isnan(_column(table, "kurtosis")).all()


def test_minus_zero_is_zero() -> None:
    table = _table(np.where(np.arange(MINUTES) % 2, 0.0, -0.0))

    for feature in ("minimum", "maximum", "last"):
        column = _column(table, feature, "30min")
        assert not np.signbit(column[np.isfinite(column)]).any(), feature


@pytest.mark.parametrize("scale", [1e103, 1e200, 1e308])
def test_a_feature_too_large_to_be_squared_is_missing(scale: float) -> None:
    values = np.random.default_rng(4).normal(0, 1, MINUTES)
    values[MINUTES // 2] = 1.7 * scale
    table = _table(values)

    assert not (np.abs(table.values) > LARGEST).any()
    hit = np.isnan(_column(table, "maximum")) & np.isfinite(_column(table, "minimum"))
    assert hit.any()
    assert np.isnan(_column(table, "mean")[hit]).all()
    assert np.isfinite(_column(table, "mean")[-1])


@pytest.mark.parametrize(("shift", "scale"), [(1024.0, 1.0), (0.0, 4.0), (-64.0, 0.5)])
def test_shift_and_scale_act_as_the_formulas_say(shift: float, scale: float) -> None:
    values: NDArray[np.float64] = np.random.default_rng(5).integers(-4096, 4096, MINUTES) / 1024

    plain, moved = _table(values), _table(np.asarray(shift + scale * values, np.float64))

    for feature in ("mean", "minimum", "maximum", "median"):
        np.testing.assert_allclose(
            _column(moved, feature), shift + scale * _column(plain, feature), rtol=1e-12, atol=1e-12
        )
    for feature in ("standard_deviation", "slope"):
        np.testing.assert_allclose(_column(moved, feature), scale * _column(plain, feature), rtol=1e-11, atol=1e-13)
    for feature in ("skewness", "kurtosis", "mean_crossing_rate"):
        np.testing.assert_allclose(_column(moved, feature), _column(plain, feature), rtol=1e-10, atol=1e-11)


def test_a_sine_has_the_textbook_numbers() -> None:
    table = _table(3 * np.sin(2 * np.pi * np.arange(MINUTES) / 24))

    def newest(feature: str) -> float:
        return float(_column(table, feature)[-1])

    assert newest("mean") == pytest.approx(0, abs=1e-12)
    assert newest("standard_deviation") == pytest.approx(3 / np.sqrt(2))
    assert newest("root_mean_square") == pytest.approx(3 / np.sqrt(2))
    assert newest("crest_factor") == pytest.approx(np.sqrt(2))
    assert newest("skewness") == pytest.approx(0, abs=1e-9)
    assert newest("kurtosis") == pytest.approx(-1.5)
    assert newest("maximum") == pytest.approx(3)
    assert newest("dominant_frequency") == pytest.approx(1 / (24 * 60))
    assert newest("band_power_1") == pytest.approx(3**2 / 2)
    assert newest("band_power_4") == pytest.approx(0, abs=1e-12)
    assert newest("zero_crossing_rate") == pytest.approx(19 / 239)
    assert newest("autocorrelation") == pytest.approx(np.cos(2 * np.pi / 24), abs=0.005)


def test_a_sample_that_is_missing_within_a_window_takes_its_spectrum_only() -> None:
    values = 3 * np.sin(2 * np.pi * np.arange(MINUTES) / 24)
    values[200] = np.nan
    table = _table(values)

    minutes = (table.time - np.datetime64(START.replace(tzinfo=None))) / np.timedelta64(1, "m")
    touched = (minutes > 201) & (minutes < 201 + 29)  # where it is the first of its window, the rest is steady
    frequency = _column(table, "dominant_frequency", "30min")
    assert np.isnan(frequency[touched]).all()
    assert np.isfinite(frequency[~touched]).all()
    assert np.isfinite(_column(table, "autocorrelation", "30min")).all()


def test_a_ramp_has_its_slope_per_hour_and_no_other_trend() -> None:
    table = _table(7 + 0.25 * np.arange(MINUTES, dtype=np.float64))

    assert _column(table, "slope")[-1] == pytest.approx(0.25 * 60, rel=1e-13)
    assert _column(table, "standard_deviation")[-1] == pytest.approx(0.25 * np.sqrt((240**2 - 1) / 12))
    assert _column(table, "mean_change", "30min_vs_240min")[-1] == pytest.approx(0.25 * (240 - 30) / 2)
    assert _column(table, "last", "30min")[-1] == 7 + 0.25 * (MINUTES - 1)
    assert _column(table, "mean_crossing_rate")[-1] == pytest.approx(1 / 239)
