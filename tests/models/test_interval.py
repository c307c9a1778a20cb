import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, poisson

from models.judging.interval import poisson_rate, wilson


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_bounds_contain_the_value_and_agree_with_scipy(k: int, extra: int) -> None:
    interval = wilson(k, k + extra)
    peer = binomtest(k, k + extra).proportion_ci(method="wilson")

    assert interval.value is not None
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert (interval.low, interval.high) == pytest.approx((peer.low, peer.high), abs=1e-9)


def test_twelve_of_fifteen_is_printed_with_its_interval() -> None:
    assert wilson(12, 15).percent() == "80 % [55–93 %]"


def test_nothing_of_nothing_is_not_known() -> None:
    assert wilson(0, 0).to_dict() == {"value": None, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3)])
def test_a_count_beyond_its_total_is_no_share(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(k, n)


@settings(deadline=None)
@given(st.integers(1, 300), st.floats(0.1, 1000))
def test_poisson_bounds_are_where_the_count_becomes_improbable(k: int, exposure: float) -> None:
    rate = poisson_rate(k, exposure)

    assert rate.value == pytest.approx(k / exposure)
    assert poisson.sf(k - 1, rate.low * exposure) == pytest.approx(0.025, rel=1e-6)
    assert poisson.cdf(k, rate.high * exposure) == pytest.approx(0.025, rel=1e-6)


def test_no_exposure_says_nothing_about_a_rate() -> None:
    assert poisson_rate(0, 0).to_dict() == {"value": None, "low": 0.0, "high": None}


def test_a_negative_exposure_is_refused() -> None:
    with pytest.raises(ValueError, match="neither can be negative"):
        poisson_rate(0, -1)
