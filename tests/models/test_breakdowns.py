"""Times between breakdowns: the means by both conventions, and estimates that know what has not ended."""

import numpy as np
import pandas as pd
import pytest

from features.microsecond import HOUR
from models.efficiency.reliability import kaplan_meier, median_of, reliability_of, weibull_of


def failures(up: list[float], repair: list[float]) -> pd.DataFrame:
    """Return a machine's breakdowns from hours up before each, the last stretch without an end, and of repairs."""
    begin = pd.to_datetime([f"2026-06-{each + 1:02d}" for each in range(len(repair))])
    return pd.DataFrame(
        {
            "machine": "m",
            "begin": [*begin, pd.NaT],
            "repair": [int(each * HOUR) for each in [*repair, 0]],
            "up": [int(each * HOUR) for each in up],
            "up_since_failure": [each > 0 for each in range(len(up))],
        }
    )


def test_both_conventions_by_hand_and_named() -> None:
    """90 h up, 3 failures, 6 h of repair."""
    given = failures([20, 30, 30, 10], [1, 2, 3])

    classic, iso = reliability_of(given), reliability_of(given, "iso")

    assert (classic.convention, classic.mtbf, classic.mttr) == ("classic", 30, 2)
    assert (iso.convention, iso.mtbf, iso.mttr) == ("iso", 22.5, 1.5)


def test_without_a_failure_only_the_iso_convention_has_a_mean() -> None:
    given = failures([90], [])

    assert (reliability_of(given).mtbf, reliability_of(given).mttr) == (None, None)
    assert (reliability_of(given, "iso").mtbf, reliability_of(given, "iso").mttr) == (90, 0)


def test_the_first_stretch_began_at_an_unknown_age_and_is_not_in_the_median() -> None:
    found = reliability_of(failures([1, 30, 40, 50], [1, 1, 1]))

    assert (found.stretches, found.censored, found.median) == (3, 1, 40)


def test_kaplan_and_meiers_estimate_by_hand() -> None:
    """Of eight three end at 6 (and one is withdrawn), of four one at 7 (then one is withdrawn), of two one at 10."""
    lengths = np.array([6.0, 6, 6, 6, 7, 9, 10, 11])
    ended = np.array([True, True, True, False, True, False, True, False])

    at, lasting = kaplan_meier(lengths, ended)

    assert at.tolist() == [6, 7, 10]
    assert lasting == pytest.approx([5 / 8, 5 / 8 * 3 / 4, 5 / 8 * 3 / 4 / 2])
    assert median_of(lengths, ended) == 7


def test_a_median_that_more_than_half_outlast_is_not_made_up() -> None:
    assert median_of(np.array([1.0, 5, 5]), np.array([True, False, False])) is None


def test_ends_that_are_withdrawals_would_shorten_the_median() -> None:
    lengths = np.array([10.0, 10, 10, 40, 50])

    assert median_of(lengths, np.array([False, False, False, True, True])) == 40
    assert median_of(lengths, np.ones(5, bool)) == 10


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.5])
@pytest.mark.parametrize("censored_above", [np.inf, 120.0])
def test_the_weibull_fit_finds_what_the_lengths_were_drawn_from(shape: float, censored_above: float) -> None:
    drawn = 100 * np.random.default_rng(3).weibull(shape, 5000)

    found = weibull_of(np.minimum(drawn, censored_above), drawn <= censored_above)

    assert found is not None
    assert found.shape == pytest.approx(shape, rel=0.04)
    assert found.scale == pytest.approx(100, rel=0.04)
    assert found.median == pytest.approx(100 * np.log(2) ** (1 / shape), rel=0.05)


def test_with_a_shape_of_one_the_scale_is_time_over_ends() -> None:
    """Where nothing wears out, the likeliest mean is all time over all ends, however long the others last."""
    lengths = np.random.default_rng(5).exponential(10, 20_000)
    ended = np.arange(20_000) % 2 == 0

    found = weibull_of(lengths, ended)

    assert found is not None
    assert found.scale == pytest.approx(lengths.sum() / ended.sum(), rel=0.03)


def test_one_end_and_equal_ends_are_too_little_for_a_fit() -> None:
    assert weibull_of(np.array([3.0, 5]), np.array([True, False])) is None
    assert weibull_of(np.array([3.0, 3]), np.array([True, True])) is None
