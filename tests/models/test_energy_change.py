"""Since when: run lengths that are asked for, change points and their intervals."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.efficiency.energy.change import Change, Noise, changes, limit_for, located, run_length
from tests.models.meter_years import correlated


def noisy(random: np.random.Generator, count: int, phi: float) -> NDArray[np.float64]:
    """An autoregression with shocks of standard deviation 1."""
    return correlated(random, count, phi) / np.sqrt(1 - phi**2)


@pytest.mark.parametrize(("limit", "length"), [(4.0, 336), (5.0, 930)])
def test_run_lengths_are_those_of_the_tables(limit: float, length: float) -> None:
    # One-sided, allowance 0.5: 336 and 930 (Montgomery, Introduction to Statistical Quality Control).
    assert run_length(limit) == pytest.approx(length, rel=0.02)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_a_series_that_resembles_itself_raises_no_more_alarms_than_asked_for(phi: float) -> None:
    random = np.random.default_rng(round(10 * phi))
    alarms = steps = 0
    for _ in range(60):
        found = next(changes(noisy(random, 1200, phi), Noise(phi, 1.0), limit_for(200)), None)
        alarms += found is not None
        steps += 1200 if found is None else found.alarm + 1

    assert steps / alarms == pytest.approx(200, rel=0.35)


def test_noise_is_learnt() -> None:
    found = Noise.of(noisy(np.random.default_rng(1), 2000, 0.6))

    assert found.phi == pytest.approx(0.6, abs=0.06)
    assert found.sigma == pytest.approx(1.0, abs=0.05)


def test_wild_values_hardly_change_the_noise_and_raise_no_alarm_alone() -> None:
    values = noisy(np.random.default_rng(2), 600, 0.3)
    calm = Noise.of(values)
    values[100] += 500

    assert Noise.of(values).sigma < 1.2 * calm.sigma
    assert [each for each in changes(values, calm, limit_for(10_000)) if each.at <= 100 <= each.alarm] == []


def test_a_step_without_noise_is_placed_exactly() -> None:
    values = np.concatenate([np.zeros(40), np.full(20, 6.0)])

    at, earliest, latest, height, _ = located(values, Noise(0.5, 1.0))

    assert (at, earliest, latest) == (40, 40, 40)
    assert height == pytest.approx(6.0)


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_the_interval_of_the_change_point_holds_it_in_nineteen_of_twenty(phi: float) -> None:
    random = np.random.default_rng(4)
    held, found = 0, 0
    for _ in range(150):
        values = noisy(random, 220, phi)
        values[120:] += 1.0 / (1 - phi)
        own = [each for each in changes(values, Noise(phi, 1.0), limit_for(1000)) if each.alarm >= 120]
        found += bool(own)
        held += bool(own) and own[0].earliest <= 120 <= own[0].latest

    assert found >= 145
    assert held / found >= 0.9


def test_the_way_back_is_seen_too() -> None:
    values = noisy(np.random.default_rng(5), 300, 0.2)
    values[100:200] += 4

    rose, fell = changes(values, Noise(0.2, 1.0), limit_for(3000))

    assert rose.at == pytest.approx(100, abs=2)
    assert rose.after == pytest.approx(4, abs=1)
    assert not rose.back
    assert fell.at == pytest.approx(200, abs=2)
    assert fell.back


def test_what_comes_later_changes_no_alarm() -> None:
    values = noisy(np.random.default_rng(6), 400, 0.4)
    values[150:] += 3
    values[300:] -= 5

    def until(count: int) -> list[Change]:
        return list(changes(values[:count], Noise(0.4, 1.0), limit_for(2000)))

    whole = until(400)
    for count in (160, 200, 310, 350):
        assert until(count) == [each for each in whole if each.alarm < count]


def test_too_few_values_tell_no_noise() -> None:
    with pytest.raises(ValueError, match="4 values tell no noise; give five or more"):
        Noise.of(np.zeros(4))
