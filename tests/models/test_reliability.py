import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.judging.reliability import Outcomes, Reliability, average_precision, reliabilities, reliability_line


def test_probabilities_that_are_kept_have_no_error_and_others_have_theirs() -> None:
    happened = np.tile([True, False, False, False], 250)

    assert Reliability.of("1 d", np.full(1000, 0.25), happened).error == pytest.approx(0, abs=0.01)
    assert Reliability.of("1 d", np.full(1000, 0.75), happened).error == pytest.approx(0.5, abs=0.01)


def test_bins_hold_about_as_many_rows_and_weigh_by_them() -> None:
    reliability = Reliability.of("1 d", np.linspace(0, 1, 25), np.zeros(25, bool))

    assert sorted(reliability.counts) == [2] * 5 + [3] * 5
    assert reliability.error == pytest.approx(0.5)


def test_nothing_judged_has_no_error() -> None:
    nothing = Reliability.of("30 d", np.empty(0), np.empty(0, bool))

    assert nothing.error is None
    assert "not judged" in reliability_line(nothing.to_dict())


def test_only_rows_whose_whole_horizon_was_observed_are_judged() -> None:
    said, labels = np.array([0.1, 0.2, np.nan, 0.4]), np.array([0, 1, 1, -1], np.int8)
    outcomes = Outcomes.of("1 d", said, labels, np.array([True, True, True, True]))
    cut = Outcomes.of("1 d", said, labels, np.array([True, False, True, True]))

    assert outcomes.said.tolist() == [0.1, 0.2]
    assert cut.happened.tolist() == [False]


def test_parts_are_judged_together_horizon_by_horizon() -> None:
    one = Outcomes("1 d", np.array([0.0]), np.array([False]))
    other = Outcomes("1 d", np.array([1.0]), np.array([True]))
    longer = Outcomes("7 d", np.array([1.0]), np.array([False]))
    found = reliabilities([[one], [other, longer]])

    assert [(each.horizon, each.rows, each.error) for each in found] == [("1 d", 2, 0.0), ("7 d", 1, 1.0)]


@given(arrays(np.float64, 40, elements=st.sampled_from([0.1, 0.2, 0.3])), st.integers(1, 39))
def test_average_precision_lies_between_the_worst_and_one_and_does_not_depend_on_the_order_of_equals(
    said: NDArray[np.float64], events: int
) -> None:
    happened = np.arange(40) < events
    turned = average_precision(said[::-1], happened[::-1])

    assert average_precision(said, happened) == pytest.approx(turned)
    assert 0 < average_precision(said, happened) <= 1  # type: ignore[operator]


def test_average_precision_of_one_probability_for_all_is_the_base_rate() -> None:
    assert average_precision(np.full(10, 0.3), np.arange(10) < 3) == pytest.approx(0.3)
    assert average_precision(np.full(3, 0.3), np.ones(3, bool)) is None
