"""The catalogue says of every feature what it is, and its page is up to date."""

from datetime import timedelta
from pathlib import Path

import pytest

from features.catalogue import BY_NAME, FEATURES
from features.catalogue_page import page
from features.column import Column
from features.describe import describe, unit_of
from features.kernels.names import KERNELS, ORDERED
from tests.features.slow_reference import SLOW, SLOW_AGAINST_LIMITS

PAGE = Path(__file__).parents[2] / "docs" / "features_catalogue.md"
DAY = timedelta(hours=24)


def test_the_page_in_docs_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m features.catalogue_page > docs/features_catalogue.md"
    )


def test_every_feature_has_one_way_to_be_computed() -> None:
    for feature in FEATURES:
        functions = [feature.of_moments, feature.of_two, feature.of_rows, feature.of_timed, feature.of_limits]
        ways = [*functions, feature.by_kernel or None, feature.measure or None]
        expected = 0 if feature.kind in ("clock", "count", "regime", "expected") else 1
        assert sum(way is not None for way in ways) == expected, feature.name
    assert len(BY_NAME) == len(FEATURES)


def test_what_a_feature_tells_is_said_once_for_all_that_ask() -> None:
    assert {each.name for each in FEATURES if each.reads_as_signal} == {
        *("mean", "median", "root_mean_square", "last", "minimum", "maximum", "quantile_10", "quantile_90"),
        *(f"tenth_{number}" for number in range(1, 11)),
    }
    spread = {each.name for each in FEATURES if each.absolute and not each.reads_as_signal}
    assert {each for each in spread if not BY_NAME[each].of_waveform} == {
        *("standard_deviation", "range", "energy", "band_power_1", "band_power_2", "band_power_3", "band_power_4"),
        *("interquartile_range", "median_absolute_deviation"),
        *("mean_absolute_change", "sum_of_absolute_changes", "steepest_change"),
        *(f"tenth_{number}_deviation" for number in range(1, 11)),
    }
    assert {each for each in spread if BY_NAME[each].kind == "snapshot"} == {
        *("snapshot_rms", "snapshot_peak", "velocity_rms", "peak_amplitude"),
        *("octave_rms", "band_rms", "harmonic_rms", "order_rms"),
    }
    assert {each.name for each in FEATURES if each.against_itself} == {"mean_shift", "spread_ratio"}
    for each in FEATURES:
        assert (each.tells in ("clock", "count")) == (each.kind in ("clock", "count")), each.name


def test_what_the_kernels_say_stands_in_the_catalogue() -> None:
    assert set(KERNELS) <= set(BY_NAME)
    assert {feature.name for feature in FEATURES if feature.by_kernel} <= set(KERNELS)


def test_every_feature_of_one_window_has_a_reference() -> None:
    of_one_window = {each.name for each in FEATURES if each.of_moments or (each.one_by_one and not each.of_limits)}

    assert set(SLOW) == of_one_window
    assert set(SLOW_AGAINST_LIMITS) == {each.name for each in FEATURES if each.of_limits}


@pytest.mark.parametrize(
    ("column", "words", "unit"),
    [
        (Column(feature="mean", signal="voltage", window=DAY), "24 h mean", "V"),
        (Column(feature="slope", signal="voltage", window=DAY), "24 h slope", "V/h"),
        (
            Column(feature="band_power_1", signal="voltage", window=DAY),
            "24 h power in the lowest quarter of its frequencies",
            "V²",
        ),
        (Column(feature="kurtosis", signal="voltage", window=DAY), "24 h kurtosis", ""),
        (
            Column(feature="mean_change", signal="voltage", window=DAY, against=7 * DAY),
            "24 h mean against 7 d",
            "V",
        ),
        (Column(feature="mean_shift", signal="voltage", window=DAY), "24 h mean against its own normal", "V"),
        (Column(feature="curvature", signal="voltage", window=DAY), "24 h curvature", "V/h²"),
        (Column(feature="change_age", signal="voltage", window=DAY), "hours since the largest shift in 24 h", "h"),
        (Column(feature="share_above_limit", signal="voltage", window=DAY), "24 h share of time above the limit", ""),
        (Column(feature="hours_since_failure"), "hours since last failure", "h"),
        (Column(feature="hours_since_maintenance", part="comp2"), "hours since maintenance of comp2", "h"),
        (Column(feature="hours_since_maintenance"), "hours since maintenance of the machine", "h"),
        (Column(feature="errors", window=DAY), "errors in 24 h", ""),
        (Column(feature="errors", part="error1", window=DAY), "error1 in 24 h", ""),
    ],
)
def test_a_column_is_told_in_words_with_its_unit(column: Column, words: str, unit: str) -> None:
    assert describe(column) == words
    assert unit_of(column, "V") == unit


@pytest.mark.parametrize(
    ("feature", "unit"),
    [("slope", "1/h"), ("curvature", "1/h²"), ("energy", ""), ("dominant_frequency", "Hz")],
)
def test_a_signal_without_unit_leaves_what_the_feature_adds(feature: str, unit: str) -> None:
    assert unit_of(Column(feature=feature, signal="count", window=DAY), "") == unit


def test_a_feature_costs_what_it_is_computed_from() -> None:
    for each in FEATURES:
        of_panes = each.of_moments is not None or each.of_two is not None
        assert (each.cost == "panes") == of_panes, each.name
        assert (each.cost == "sorting") == (each.name in ORDERED or each.kind == "ordered"), each.name
        assert (each.limit is not None) == (each.of_limits is not None) == (each.tells == "limits"), each.name
        assert each.meaning.endswith(".")
        assert each.formula
