"""Capability of stable processes, and yield."""

import numpy as np
import pytest

from models.efficiency.autoregression import forgotten, simulated
from models.efficiency.capability import Limits, capability, effective_sizes, share_beyond
from models.efficiency.look import Floats
from models.efficiency.phase_one import PhaseOne, learnt
from models.efficiency.piece_quality import piece_quality
from models.judging.interval import wilson


def values_of(phi: float, points: int, seed: int) -> Floats:
    coefficients, random = np.array([phi]), np.random.default_rng(seed)
    burn = forgotten(coefficients)
    return simulated(coefficients, random.standard_normal((1, burn + points)), burn)[0]


def phase_of(phi: float = 0.0, points: int = 300, seed: int = 3) -> PhaseOne:
    return learnt(values_of(phi, points, seed), np.random.default_rng(0))


def test_indices_are_what_their_formulas_give() -> None:
    phase = phase_of()
    x = phase.values
    within = np.abs(np.diff(x)).mean() / 1.128379
    overall = x.std(ddof=1)

    found = capability(phase, Limits(-4.0, 5.0))

    assert found.cp is not None
    assert found.cpk is not None
    assert found.pp is not None
    assert found.ppk is not None
    assert found.cp.value == pytest.approx(9 / (6 * within), rel=1e-5)
    assert found.cpk.value == pytest.approx((x.mean() + 4) / (3 * within), rel=1e-5)
    assert found.pp.value == pytest.approx(9 / (6 * overall), rel=1e-3)
    assert found.ppk.value == pytest.approx((x.mean() + 4) / (3 * overall), rel=1e-3)
    assert found.normal
    assert found.why == {}


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_intervals_hold_the_truth_as_often_as_they_say_also_of_values_that_follow_each_other(phi: float) -> None:
    sigma = 1 / np.sqrt(1 - phi**2)
    within = sigma * np.sqrt(1 - phi)
    limits = Limits(-4 * sigma, 5 * sigma)
    truth = {"cp": 1.5 * sigma / within, "cpk": 4 / 3 * sigma / within, "pp": 1.5, "ppk": 4 / 3}
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for seed in range(80):
        found = capability(phase_of(phi, seed=seed), limits)
        for name, true in truth.items():
            if (interval := getattr(found, name)) is not None:
                held[name].append(interval.low <= true <= interval.high)

    for name, each in held.items():
        assert len(each) > 70
        assert np.mean(each) > 0.88, name


def test_correlated_values_are_worth_fewer_and_are_said_to_be() -> None:
    found = capability(phase_of(0.8), Limits(-6.0, 6.0))

    assert found.effective_points == pytest.approx(300 / 9, rel=0.5)
    assert "read Ppk" in found.why["cpk"]
    assert found.sigma_within < 0.7 * found.sigma_overall


def test_independent_values_are_worth_what_the_books_say() -> None:
    sizes = effective_sizes(phase_of(points=500).model, 500)

    assert sizes.of_mean == 500
    assert sizes.freedom_overall == 499
    # 0.605 (n − 1) degrees of freedom of a moving range; Montgomery gives about 0.62.
    assert sizes.freedom_within == pytest.approx(0.605 * 499, rel=0.01)


def test_one_limit_gives_no_width_but_a_distance() -> None:
    found = capability(phase_of(), Limits(upper=3.0))

    assert found.cp is None
    assert found.pp is None
    assert "one limit" in found.why["cp"]
    assert found.ppk is not None
    assert found.ppk.value == pytest.approx(1.0, abs=0.15)


def test_an_unstable_process_has_no_capability_but_a_reason() -> None:
    values = values_of(0.0, 300, 3)
    values[200:] += 4
    found = capability(learnt(values, np.random.default_rng(0)), Limits(-9.0, 9.0))

    assert (found.cp, found.cpk, found.pp, found.ppk, found.beyond) == (None,) * 5
    assert "not stable" in found.why["ppk"]


def test_skewed_values_are_said_not_to_be_normal() -> None:
    skewed = learnt(np.random.default_rng(1).exponential(1.0, 400), np.random.default_rng(0))

    found = capability(skewed, Limits(upper=6.0))

    assert not found.normal
    assert "not normal" in found.why["normal"]
    wrong = [not capability(phase_of(0.8, seed=seed), Limits(-9, 9)).normal for seed in range(25)]
    assert sum(wrong) <= 3


def test_the_share_beyond_limits_is_counted() -> None:
    phase = phase_of(points=500)
    found = capability(phase, Limits(-1.0, 1.0))

    assert found.beyond is not None
    assert found.beyond.value == pytest.approx(np.mean(np.abs(phase.values) > 1))
    assert found.beyond.low < 0.3173 < found.beyond.high


def test_limits_between_which_nothing_lies_are_refused() -> None:
    with pytest.raises(ValueError, match="must lie below"):
        Limits(2.0, 1.0)
    with pytest.raises(ValueError, match="or both"):
        Limits()


def test_unit_and_zero_change_no_index() -> None:
    values = values_of(0.5, 300, 2)
    plain = capability(learnt(values, np.random.default_rng(0)), Limits(-5.0, 4.0))
    other = capability(learnt(180 + 0.1 * values, np.random.default_rng(0)), Limits(179.5, 180.4))

    for name in ("cp", "cpk", "pp", "ppk"):
        one, two = getattr(plain, name), getattr(other, name)
        np.testing.assert_allclose([two.value, two.low, two.high], [one.value, one.low, one.high])


def test_a_share_beyond_limits_counts_as_many_values_as_there_really_are() -> None:
    values, limits = np.arange(20.0), Limits(None, 16.5)

    assert share_beyond(values, limits, 20.0) == wilson(3, 20)
    assert share_beyond(values, limits, 7.5) == wilson(0.15 * 7.5, 7.5)
    assert share_beyond(values, limits, 7.5).low < wilson(3, 20).low < wilson(3, 20).high


def test_first_pass_yield_scrap_and_rework_share_all_pieces() -> None:
    found = piece_quality(produced=1000, scrapped=20, reworked=30)

    assert [each.value for each in (found.first_pass_yield, found.scrap, found.rework)] == [0.95, 0.02, 0.03]
    assert piece_quality(0, 0).first_pass_yield.value is None
    with pytest.raises(ValueError, match="no more pieces are bad"):
        piece_quality(10, 8, 3)
