"""Residuals of any distribution as normal scores."""

import numpy as np
import pytest
from scipy.special import ndtr

from models.efficiency.look import Floats
from models.efficiency.normal_scores import NormalScores


def samples(shape: str, rows: int, count: int, seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    drawn: Floats = {
        "normal": random.standard_normal,
        "exponential": lambda size: random.exponential(1.0, size),
        "t3": lambda size: random.standard_t(3, size),
        "uniform": random.random,
    }[shape]((rows, count))
    return drawn


@pytest.mark.parametrize("shape", ["normal", "exponential", "t3", "uniform"])
def test_new_residuals_of_any_distribution_are_nearly_normal(shape: str) -> None:
    scores = NormalScores.of(samples(shape, 100, 500)).of_residuals(samples(shape, 100, 2000, seed=2))

    for level in (-2.0, -1.0, 0.0, 1.0, 2.0):
        assert np.mean(scores <= level) == pytest.approx(ndtr(level), abs=0.01)
    assert np.mean(np.abs(scores) > 3) < 2.2 * 0.0027


def test_scores_rise_with_residuals_and_turn_round_with_them() -> None:
    learnt = samples("exponential", 1, 300)
    values = np.linspace(-3, 20, 1000)[np.newaxis]

    scores = NormalScores.of(learnt).of_residuals(values)[0]

    assert (np.diff(scores) >= 0).all()
    assert np.isfinite(scores).all()
    turned = NormalScores.of(-learnt).of_residuals(-values)[0]
    np.testing.assert_allclose(turned, -scores, atol=1e-12)


def test_unit_and_zero_do_not_matter() -> None:
    learnt, new = samples("t3", 1, 200), samples("t3", 1, 50, seed=3)

    np.testing.assert_allclose(
        NormalScores.of(5 + 10 * learnt).of_residuals(5 + 10 * new),
        NormalScores.of(learnt).of_residuals(new),
        atol=1e-9,
    )


def test_what_is_drawn_is_distributed_as_what_was_learnt() -> None:
    learnt = samples("exponential", 1, 2000)

    drawn = NormalScores.of(learnt).drawn(np.random.default_rng(4).standard_normal(200_000))

    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        assert np.quantile(drawn, share) == pytest.approx(np.quantile(learnt, share), abs=0.02, rel=0.03)
    # One in 8,100 lies beyond 9, where few of the 2,000 learnt come near: the tail tells it within a factor of five.
    assert np.exp(-9) / 5 < np.mean(drawn > 9) < np.exp(-9) * 5


def test_equal_residuals_share_one_score() -> None:
    coarse = np.round(samples("normal", 1, 500) * 2) / 2

    scores = NormalScores.of(coarse).of_residuals(np.array([[0.0, 0.5, -0.5]]))[0]

    assert scores.tolist() == pytest.approx([0.0, 0.5, -0.5], abs=0.1)
