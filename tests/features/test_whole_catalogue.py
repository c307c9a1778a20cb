"""What holds of every feature of signals in the catalogue, by a loop over its table.

That nothing later than a row changes it, and that groups and pieces change no bit, is proved for all of
them in ``test_causality``, whose recipe names the whole catalogue.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.extract import extract
from features.feature import LARGEST, Feature
from features.limits import Limits
from features.recipe import Recipe
from features.table import FeatureTable
from tests.features import test_causality
from tests.features.table_history import START, TableHistory, after, readings_frame

Floats = NDArray[np.float64]

MINUTE = timedelta(minutes=1)
MINUTES = 240
LENGTHS = (20, 60)
OF_SIGNALS = [each for each in FEATURES if each.cost not in ("events", "snapshots", "states", "model")]
BY_FEATURE = {each.name: each for each in OF_SIGNALS}
LIMITS = Limits(-1.0, 1.25)


def table_of(values: NDArray[np.floating[Any]], limits: Limits = LIMITS) -> FeatureTable:
    """Return every feature of a signal that is read every minute, at every fifth minute."""
    recipe = Recipe(
        machine_class="press",
        signals=("signal",),
        windows=tuple(length * MINUTE for length in LENGTHS),
        stride=5 * MINUTE,
        features=tuple(each.name for each in OF_SIGNALS),
        baseline=60 * MINUTE,
        every=(MINUTE,),
        limits=(limits,),
    )
    history = TableHistory(readings_frame("m", np.arange(1, len(values) + 1), signal=values))
    return extract(recipe, history, ["m"], START, after(minutes=len(values)))


def by_feature(table: FeatureTable) -> dict[str, Floats]:
    """Return the columns of each feature, shape (n_rows, n_columns of the feature)."""
    of = [name.split("__")[1] for name in table.names]
    return {name: table.values[:, [each == name for each in of]] for name in BY_FEATURE}


def minutes_of(table: FeatureTable) -> Floats:
    return np.asarray((table.time - np.datetime64(START.replace(tzinfo=None))) / np.timedelta64(1, "m"), np.float64)


def power_of_unit(feature: Feature) -> int:
    """Return with which power of a factor a feature grows when the signal is multiplied by it."""
    return 0 if "{unit}" not in feature.unit else 2 if feature.unit.startswith("{unit}²") else 1


def moves_along(feature: Feature) -> bool:
    """Return whether what is added to all readings is added to the feature, too."""
    return feature.tells in ("level", "value") and not feature.against_itself


NOISE = np.random.default_rng(5).normal(0, 1, MINUTES)
PLAIN = by_feature(table_of(NOISE))


def test_the_recipe_that_causality_is_proved_for_names_the_whole_catalogue() -> None:
    assert set(test_causality.RECIPE.features) == {each.name for each in FEATURES}
    made = {column.feature for column in test_causality.RECIPE.columns}
    # Those of waveforms are proved in ``test_waveforms``; regimes with ``AT_TIMES_OFF``; a model makes the others.
    made |= {column.feature for column in test_causality.AT_TIMES_OFF.columns}
    assert made == {each.name for each in FEATURES if not each.of_waveform and each.cost != "model"}


def test_every_feature_says_something_of_noise() -> None:
    for name, found in PLAIN.items():
        assert np.isfinite(found).any(axis=0).all(), name


@pytest.mark.parametrize("factor", [0.125, 3.7, 1e6])
def test_a_feature_grows_with_the_signal_as_its_unit_says(factor: float) -> None:
    scaled = by_feature(table_of(factor * NOISE, Limits(factor * LIMITS.low, factor * LIMITS.high)))

    for name, feature in BY_FEATURE.items():
        grown = factor ** power_of_unit(feature)
        np.testing.assert_allclose(scaled[name] / grown, PLAIN[name], rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("shift", [1024.0, -3.3])
def test_a_feature_moves_along_or_stays_where_it_is_not_around_zero(shift: float) -> None:
    moved = by_feature(table_of(NOISE + shift, Limits(LIMITS.low + shift, LIMITS.high + shift)))

    for name, feature in BY_FEATURE.items():
        expected = PLAIN[name] + shift * moves_along(feature)
        if feature.around_zero:
            known = np.isfinite(expected)
            assert not np.allclose(moved[name][known], PLAIN[name][known], rtol=1e-3), name
        else:
            np.testing.assert_allclose(moved[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)


# What equal samples of value c give; every other feature is 0 then, because nothing moves.
OF_EQUAL_SAMPLES: dict[str, Callable[[float], float | Floats]] = {
    **dict.fromkeys(("mean", "minimum", "maximum", "last", "quantile_10", "median", "quantile_90"), lambda c: c),
    **{name: lambda c: c for name in BY_FEATURE if name.startswith("tenth_") and not name.endswith("_deviation")},
    "root_mean_square": abs,
    "energy": lambda c: np.array(LENGTHS) * c * c,
    **dict.fromkeys(
        ("crest_factor", "impulse_factor", "shape_factor", "clearance_factor"), lambda c: 1.0 if c else math.nan
    ),
    **dict.fromkeys(("skewness", "kurtosis", "autocorrelation", "dominant_frequency"), lambda c: math.nan),
    **dict.fromkeys(("spread_ratio", "change_statistic", "change_age"), lambda c: math.nan),
    "share_above_limit": lambda c: float(c > LIMITS.high),
    "share_below_limit": lambda c: float(c < LIMITS.low),
}


@pytest.mark.parametrize("value", [0.1, -1e15 / 3, 0.0, 1e6 + 1e-3])
def test_equal_samples_give_exactly_what_is_stated(value: float) -> None:
    for name, found in by_feature(table_of(np.full(MINUTES, value))).items():
        stated = OF_EQUAL_SAMPLES[name](value) if name in OF_EQUAL_SAMPLES else 0.0
        newest = found[-1]
        assert np.array_equal(newest, np.full(len(newest), stated), equal_nan=True), name


@settings(max_examples=15, deadline=None)
@given(place=st.integers(61, 150), odd=st.sampled_from([1e9, -1e9, 1e300, math.inf, -math.inf, math.nan]))
def test_an_odd_reading_touches_only_the_windows_that_hold_it(place: int, odd: float) -> None:
    values = NOISE.copy()
    values[place] = odd

    clean, touched = table_of(NOISE), table_of(values)

    minutes = minutes_of(clean)
    outside = (minutes <= place) | (minutes > place + max(LENGTHS))
    assert touched.values[outside].tobytes() == clean.values[outside].tobytes()
    assert not (np.abs(touched.values) > LARGEST).any()
    inside = by_feature(touched.where(~outside))
    if math.isnan(odd):
        assert all(np.isfinite(found).any() for found in inside.values())


def test_a_gap_makes_a_feature_missing_in_the_windows_that_it_empties_and_in_no_other() -> None:
    values = NOISE.copy()
    values[100:120] = np.nan

    clean, holed = table_of(NOISE), table_of(values)

    outside = (minutes_of(clean) <= 100) | (minutes_of(clean) > 120 + max(LENGTHS) - 1)
    assert holed.values[outside].tobytes() == clean.values[outside].tobytes()
    emptied = holed.values[minutes_of(holed) == 120][0]
    for name, value in zip(holed.names, emptied.tolist(), strict=True):
        assert math.isnan(value) == ("__20min" in name), name


def test_single_precision_is_read_as_double() -> None:
    single = (1e3 + NOISE).astype(np.float32)

    as_read = table_of(single)

    assert as_read.values.tobytes() == table_of(single.astype(np.float64)).values.tobytes()


def test_a_feature_against_a_limit_has_a_column_only_where_the_signal_has_that_limit() -> None:
    recipe = Recipe(
        machine_class="press",
        signals=("free", "signal", "low"),
        windows=tuple(length * MINUTE for length in LENGTHS),
        stride=5 * MINUTE,
        features=("share_below_limit", "mean", "share_above_limit"),
        limits=(Limits(), LIMITS, Limits(low=0.0)),
    )
    frame = readings_frame("m", np.arange(1, MINUTES + 1), free=NOISE + 3, signal=NOISE, low=NOISE * 2)

    table = extract(recipe, TableHistory(frame), ["m"], START, after(minutes=MINUTES))

    def newest(name: str) -> float:
        return float(table.values[-1, table.names.index(f"{name}__1h")])

    assert [name for name in table.names if name.endswith("1h")] == [
        *("free__mean__1h", "signal__share_below_limit__1h", "signal__mean__1h"),
        *("signal__share_above_limit__1h", "low__share_below_limit__1h", "low__mean__1h"),
    ]
    last = NOISE[-60:]
    # The newest reading comes at the window's end, and so stands for no time.
    assert newest("signal__share_above_limit") == pytest.approx((last[:-1] > LIMITS.high).mean())
    assert newest("signal__share_below_limit") == pytest.approx((last[:-1] < LIMITS.low).mean())
    assert newest("low__share_below_limit") == pytest.approx((last[:-1] < 0).mean())
    assert newest("free__mean") == pytest.approx(last.mean() + 3)
    assert newest("low__mean") == pytest.approx(2 * last.mean())


def test_a_silent_sensor_counts_no_time_beyond_a_limit() -> None:
    values = np.full(MINUTES, 0.0)
    values[-30] = 9.0
    values[-29:-9] = np.nan

    table = table_of(values)

    # In the last hour: 9.0 stands for five sampling intervals of the 21 minutes until the next reading.
    found = table.values[-1, table.names.index("signal__share_above_limit__1h")]
    assert found == pytest.approx(5 / (59 - 21 + 5))
