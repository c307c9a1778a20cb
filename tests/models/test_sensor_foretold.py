"""A signal is foretold by a plane through the hours alike, of which far and unknown values have little say."""

import numpy as np
import pytest

from models.sensors.foretold import NEIGHBOURS, foretold, gaps, nearest


def plane(count: int = 300) -> np.ndarray:
    random = np.random.default_rng(3)
    first, second = random.uniform(-20, 20, (2, count))
    return np.stack([2 * first - second + 5, first, second])


def test_a_plane_is_foretold_where_the_mean_of_those_alike_is_not() -> None:
    seen, now = plane(), plane(320)[:, 300:]
    distance = gaps(now, seen)[1:].sum(axis=0)
    _, near = nearest(distance)
    expected, spread = foretold(0, [1, 2], now, seen, near)
    mean = (near @ seen[0]) / near.sum(axis=1)
    assert np.abs(expected - now[0]).max() < 0.1
    assert np.abs(mean - now[0]).max() > 1.0
    assert spread.min() >= 0.5, "no less than half of a signal's own noise"
    assert spread.max() < 0.7


def test_the_spread_is_that_of_the_hours_alike() -> None:
    random, count = np.random.default_rng(4), 600
    other = np.repeat([0.0, 50.0], count // 2)
    seen = np.stack([other + random.normal(0, np.where(other > 0, 6.0, 1.0)), other])
    now = np.array([[0.0, 50.0], [0.0, 50.0]])
    _, near = nearest(gaps(now, seen)[1])
    _, (rest, work) = foretold(0, [1], now, seen, near)
    assert 0.8 < rest < 1.5
    assert 5.0 < work < 7.0


def test_one_broken_signal_makes_all_hours_equally_far_and_moves_what_is_foretold_little() -> None:
    seen = plane()
    now = seen[:, :1].copy()
    broken = now.copy()
    broken[2] = 1e6
    assert np.ptp(gaps(broken, seen)[2]) == 0.0
    _, near = nearest(gaps(broken, seen)[1:].sum(axis=0))
    expected, _ = foretold(0, [1, 2], broken, seen, near)
    assert abs(expected[0] - now[0, 0]) < 60.0


def test_a_signal_that_was_not_read_has_no_say() -> None:
    seen = plane()
    now = np.full((3, 1), np.nan)
    _, near = nearest(gaps(now, seen)[1:].sum(axis=0))
    expected, _ = foretold(0, [1, 2], now, seen, near)
    assert expected[0] == pytest.approx(seen[0, near[0]].mean())


def test_the_hundred_nearest_hours_say_what_is_expected_and_none_that_is_not_allowed() -> None:
    distance = np.random.default_rng(5).uniform(0, 9, (1, 300)).astype(np.float32)
    far, near = nearest(distance)
    assert near.sum() == NEIGHBOURS
    assert far[0] == distance[near].max()
    allowed = np.arange(300)[np.newaxis] >= 150
    assert not nearest(distance, allowed)[1][~allowed].any()
    assert np.isinf(nearest(distance, np.arange(300)[np.newaxis] >= 250)[0]), "fewer than a hundred are allowed"
