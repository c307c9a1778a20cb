import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.judging.resample import quantile_interval, sum_interval

amounts = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40).map(np.array)


@given(amounts)
@settings(max_examples=30, deadline=None)
def test_a_sum_lies_within_its_bounds_and_its_bounds_within_what_could_be_drawn(values: np.ndarray) -> None:
    found = sum_interval(values)

    assert found.value == pytest.approx(values.sum())
    assert len(values) * values.min() - 1e-6 <= found.low <= found.high <= len(values) * values.max() + 1e-6


def test_a_sum_of_many_alike_units_has_the_interval_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)

    found = sum_interval(values)

    half = 1.96 * values.std() * np.sqrt(400)
    assert found.low == pytest.approx(values.sum() - half, rel=0.05)
    assert found.high == pytest.approx(values.sum() + half, rel=0.05)


@pytest.mark.parametrize("wins", [1, 2, 3])
def test_fewer_than_four_lucky_units_never_show_a_saving(wins: int) -> None:
    values = np.zeros(30)
    values[:wins] = 10_000.0

    assert sum_interval(values).low == 0.0


def test_what_is_drawn_does_not_change_from_call_to_call() -> None:
    values = np.random.default_rng(2).normal(size=50)

    assert sum_interval(values) == sum_interval(values)
    assert quantile_interval(values, 0.1) == quantile_interval(values, 0.1)


def test_units_beyond_what_is_held_at_once_are_drawn_in_pieces() -> None:
    values = np.random.default_rng(3).normal(1.0, 1.0, 30_000)

    found = sum_interval(values)

    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(30_000), rel=0.06)


def test_a_median_of_many_has_narrow_bounds_around_it() -> None:
    found = quantile_interval(np.arange(1001.0), 0.5)

    assert found.value == 500.0
    assert 440 < found.low < 500 < found.high < 560
