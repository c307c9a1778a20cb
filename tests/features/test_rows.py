"""Features of samples laid out in rows: each against its definition, with gaps, equal samples and hard numbers."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.feature import Feature
from features.limits import Limits, held
from tests.features.slow_reference import SLOW, SLOW_AGAINST_LIMITS, Sample

Floats = NDArray[np.float64]

ROW_FEATURES = [each for each in FEATURES if each.of_rows or each.of_timed or each.of_limits]
LIMITS = Limits(-0.5, 1.5)
LONGEST = 0.75
every_row_feature = pytest.mark.parametrize("feature", ROW_FEATURES, ids=[each.name for each in ROW_FEATURES])


def computed(
    feature: Feature, windows: Sequence[Sequence[Sample]], padding: int = 0, limits: Limits = LIMITS
) -> Floats:
    """Return a feature of windows of different lengths, laid out in rows that end in NaN."""
    hours = np.full((len(windows), max(map(len, windows)) + padding), np.nan)
    rows = hours.copy()
    for place, window in enumerate(windows):
        hours[place, : len(window)], rows[place, : len(window)] = zip(*window, strict=True)
    if feature.kind == "ordered":
        rows.sort(axis=1)
    with np.errstate(all="ignore"):
        if feature.of_rows:
            return feature.of_rows(rows)
        if feature.of_timed:
            return feature.of_timed(hours, rows)
        assert feature.of_limits
        return feature.of_limits(held(hours, LONGEST), rows, limits)


def defined(feature: Feature, window: Sequence[Sample]) -> float:
    """Return the same by its definition."""
    if feature.of_limits:
        return SLOW_AGAINST_LIMITS[feature.name](window, LIMITS, LONGEST)
    return SLOW[feature.name](window)


def in_time(values: Sequence[float], every: float = 0.25) -> list[Sample]:
    """Return values that come at equal steps up to the end of a window."""
    return [(every * (place + 1 - len(values)), float(value)) for place, value in enumerate(values)]


# Eighths are exact in binary, so that a sample on a mean or on the edge of a bin is exactly there.
eighths = st.integers(-40, 40).map(lambda number: number / 8)
values = eighths | st.sampled_from([0.0, 1.0, -1.0]) | st.sampled_from([1e6, 1e6 + 0.125])


@st.composite
def windows_of_samples(draw: st.DrawFn) -> list[list[Sample]]:
    """Draw windows of irregular samples; some samples follow each other with equal values."""
    windows = []
    for _ in range(draw(st.integers(1, 3))):
        quarters = sorted(draw(st.sets(st.integers(0, 60), min_size=3, max_size=25)), reverse=True)
        size = len(quarters)
        few = draw(st.none() | st.lists(values, min_size=1, max_size=2))
        own = draw(st.lists(values if few is None else st.sampled_from(few), min_size=size, max_size=size))
        windows.append([(-quarter / 4, value) for quarter, value in zip(quarters, own, strict=True)])
    return windows


@every_row_feature
@settings(max_examples=25, deadline=None)
@given(windows=windows_of_samples(), padding=st.integers(0, 3))
def test_a_feature_equals_its_definition(feature: Feature, windows: list[list[Sample]], padding: int) -> None:
    expected = [defined(feature, window) for window in windows]

    largest = max(abs(value) for window in windows for _, value in window)
    scale = 16 * largest if "{unit}" in feature.unit else 1.0
    np.testing.assert_allclose(computed(feature, windows, padding), expected, rtol=1e-12, atol=1e-13 * scale)


@every_row_feature
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sizes=st.lists(st.integers(3, 70), min_size=1, max_size=5))
def test_what_pads_a_row_has_no_say_in_it(feature: Feature, seed: int, sizes: list[int]) -> None:
    random = np.random.default_rng(seed)
    windows = [in_time((np.round(random.normal(size=size), 1) + 0.0).tolist()) for size in sizes]

    together = computed(feature, windows, padding=int(random.integers(0, 300)))
    alone = np.concatenate([computed(feature, [window]) for window in windows])

    assert together.tobytes() == alone.tobytes()


@every_row_feature
@pytest.mark.parametrize("size", [5, 60, 1440])
def test_a_deviation_of_a_thousandth_on_a_mean_of_a_million_keeps_its_digits(feature: Feature, size: int) -> None:
    random = np.random.default_rng(size)
    drawn = 1e6 + random.normal(0, 1e-3, size)
    window = [(time, value) for (time, _), value in zip(in_time(drawn.tolist(), 1 / 60), drawn.tolist(), strict=True)]

    # The size to which an error is small: the deviation, over the time where the unit has one.
    span = {"/h": 1 / 60, "/h²": (size / 60) ** 2}.get(feature.unit.removeprefix("{unit}"), 1.0)
    scale = 1e-3 / span if "{unit}" in feature.unit else 1.0
    expected = SLOW_1E6[feature.name] if feature.name in SLOW_1E6 else defined(feature, window)
    assert computed(feature, [window])[0] == pytest.approx(expected, rel=1e-12, abs=1e-12 * scale, nan_ok=True)


SLOW_1E6 = {"share_above_limit": 1.0, "share_below_limit": 0.0}


@every_row_feature
@pytest.mark.parametrize("value", [0.1, -1e15 / 3, 5e-324, 1e100, -7.0])
def test_equal_samples_give_exactly_what_is_stated(feature: Feature, value: float) -> None:
    window = in_time([value] * 37)
    stated = {
        **dict.fromkeys(("quantile_10", "median", "quantile_90"), value),
        **dict.fromkeys((f"tenth_{number}" for number in range(1, 11)), value),
        **dict.fromkeys(("impulse_factor", "shape_factor", "clearance_factor"), 1.0),
        **dict.fromkeys(("change_statistic", "change_age"), math.nan),
        "share_above_limit": float(value > LIMITS.high),
        "share_below_limit": float(value < LIMITS.low),
    }

    found = computed(feature, [window], padding=2)[0]

    assert found == stated.get(feature.name, 0.0) or (math.isnan(found) and math.isnan(stated[feature.name]))
    assert not (found == 0 and math.copysign(1, found) < 0)


@pytest.mark.parametrize("name", ["impulse_factor", "shape_factor", "clearance_factor"])
def test_zero_alone_has_no_factor(name: str) -> None:
    feature = next(each for each in ROW_FEATURES if each.name == name)

    assert np.isnan(computed(feature, [in_time([0.0] * 5), in_time([0.0, 0.0, 1.0])])).tolist() == [True, False]


# What counts and compares can still be said beside an infinite reading; what adds up cannot.
BESIDE_INFINITY = {
    *("quantile_10", "median", "quantile_90", "interquartile_range", "median_absolute_deviation"),
    *("permutation_entropy", "peaks", "share_above_limit", "share_below_limit", "mean_crossing_rate"),
}


@every_row_feature
@pytest.mark.parametrize("value", [math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 20, 40])
def test_an_infinite_reading_is_larger_than_all_others_and_makes_sums_undefined(
    feature: Feature, value: float, place: int
) -> None:
    drawn = np.random.default_rng(3).normal(size=41)
    large, infinite = drawn.copy(), drawn.copy()
    large[place], infinite[place] = math.copysign(1e9, value), value

    found = computed(feature, [in_time(infinite.tolist()), in_time(drawn.tolist())])

    assert found[1:].tobytes() == computed(feature, [in_time(drawn.tolist())]).tobytes()
    if feature.name in BESIDE_INFINITY - {"mean_crossing_rate"}:
        assert found[0] == pytest.approx(computed(feature, [in_time(large.tolist())])[0], rel=1e-12)
    elif feature.name not in BESIDE_INFINITY and not feature.name.startswith("tenth_"):  # which see their part alone
        assert not np.isfinite(found[0])


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
def test_features_without_unit_neither_overflow_nor_underflow(scale: float) -> None:
    drawn = np.random.default_rng(8).normal(size=50)
    for feature in ROW_FEATURES:
        if feature.unit == "" and not feature.of_limits:
            plain, scaled = (computed(feature, [in_time((factor * drawn).tolist())]) for factor in (1.0, scale))
            np.testing.assert_allclose(scaled, plain, rtol=1e-12, err_msg=feature.name)


def test_times_that_say_nothing_of_a_bend_have_no_curvature() -> None:
    feature = next(each for each in ROW_FEATURES if each.name == "curvature")
    hour = 3_600_000_000
    nearly_two = [(-100.0, 1.0), (-100.0 + 1 / hour, 2.0), (0.0, 3.0)]
    seconds = [(-2 / 3600, 1.0), (-1 / 3600, 2.0), (0.0, 5.0)]

    found = computed(feature, [[(-2.0, 1.0), (0.0, 2.0)], nearly_two, seconds])

    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(3600**2)
