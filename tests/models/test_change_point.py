"""Since when a step of the level shows."""

import numpy as np
import pytest

from models.efficiency.autoregression import simulated
from models.efficiency.change_point import change_point
from models.efficiency.look import Floats


def residuals(phi: float, step: float, at: int, count: int, seed: int) -> Floats:
    """Return residuals of an AR(1) of unit innovations whose level steps by so many standard deviations of them."""
    values = simulated(np.array([phi]), np.random.default_rng(seed).standard_normal((1, 100 + count + 1)), 100)[0]
    values[at + 1 :] += step
    found: Floats = values[1:] - phi * values[:-1]
    return found


def test_the_best_beginning_is_the_one_of_the_largest_likelihood() -> None:
    """Against each beginning fitted by itself, with the step's trace in the residuals written out."""
    phi = np.array([0.5, 0.2])
    left = np.random.default_rng(2).standard_normal(30)
    left[18:] += 0.8
    gain = []
    for begin in range(30):
        trace = np.zeros(30)
        trace[begin:] = 1 - np.array([0.0, 0.5, *[0.7] * 30])[: 30 - begin]
        size = trace @ left / (trace @ trace)
        gain.append((left @ left - (left - size * trace) @ (left - size * trace), size))
    best = int(np.argmax([each for each, _ in gain]))

    found = change_point(left, phi)

    assert found.first == best
    assert found.size == pytest.approx(gain[best][1])


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_the_interval_holds_the_truth_at_least_as_often_as_it_says(phi: float) -> None:
    found = [change_point(residuals(phi, 2.5, 120, 160, seed), np.array([phi])) for seed in range(200)]

    assert np.mean([each.low <= 120 <= each.high for each in found]) > 0.91
    assert np.median([abs(each.first - 120) for each in found]) <= 3
    assert np.mean([each.size for each in found]) == pytest.approx(2.5, abs=0.3)


def test_a_mirrored_step_is_the_same_step_down() -> None:
    left = residuals(0.5, 2.0, 50, 70, 3)
    up, down = change_point(left, np.array([0.5])), change_point(-left, np.array([0.5]))

    assert (down.first, down.low, down.high) == (up.first, up.low, up.high)
    assert down.size == pytest.approx(-up.size)


def test_one_residual_alone_is_its_own_beginning() -> None:
    found = change_point(np.array([4.0]), np.array([0.5]))

    assert (found.first, found.low, found.high, found.size) == (0, 0, 0, 4.0)
