"""Shapes: far from normal is what no duty explains, noise is like nothing, and rare errors speak."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from features.table import FeatureTable
from models.anomaly.normal import normal_of
from models.why.shape import Shapes, likeness, shape_columns
from tests.models.pumps import START

HORIZON = timedelta(hours=24)
NAMES = ("pressure__mean__3h", "power__mean__3h", "heat__mean__3h", "errors__e1__3h", "errors__e2__3h")


def healthy(rows: int = 4000, seed: int = 0) -> FeatureTable:
    """Return hours in which a load moves pressure and power by three times their noise, and e1 comes now and then."""
    random = np.random.default_rng(seed)
    load = random.normal(size=rows)
    values = np.column_stack([3 * load, 3 * load, np.zeros(rows)]) + random.normal(size=(rows, 3))
    errors = np.column_stack([random.random(rows) < 0.05, np.zeros(rows)])
    time = START + np.arange(rows) * np.timedelta64(1, "h")
    return FeatureTable(np.full(rows, "m1", object), time, NAMES, np.hstack([values, errors]), np.ones(rows))


def of(*rows: tuple[float, ...]) -> np.ndarray:  # type: ignore[type-arg]
    """Return the shapes of rows of pressure, power, heat, e1 and e2."""
    table = healthy()
    normal = normal_of(table)
    asked = replace(table.where(np.arange(len(rows))), values=np.array(rows, dtype=np.float64))
    return Shapes.learn(table, normal, HORIZON).of(asked, normal)


def length(shape: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(np.linalg.norm(shape))


def test_what_the_load_explains_is_near_and_what_it_does_not_is_far() -> None:
    with_load, against_it = of((3.0, 3.0, 0.0, 0.0, 0.0), (3.0, -3.0, 0.0, 0.0, 0.0))

    assert length(with_load) < 1.5
    assert length(against_it) > 3


def test_healthy_time_strays_as_far_in_all_directions() -> None:
    table, later = healthy(), healthy(seed=1)
    normal = normal_of(table)
    own = Shapes.learn(table, normal, HORIZON).of(later, normal)[:, [0, 2]]

    assert np.cov(own.T) == pytest.approx(np.eye(2), abs=0.2)


def test_two_that_hardly_differ_are_told_apart_no_finer_than_a_tenth_of_how_they_stray() -> None:
    table = healthy()
    values = table.values.copy()
    values[:, 1] = values[:, 0]
    twice = replace(table, values=values)
    normal = normal_of(twice)
    row = replace(twice.where(np.array([0])), values=np.array([[0.3, 0.0, 0.0, 0.0, 0.0]]))

    assert length(Shapes.learn(twice, normal, HORIZON).of(row, normal)[0]) < 1


def test_an_error_speaks_by_how_rare_it_is_and_its_absence_by_nothing() -> None:
    nothing, usual, never, many = of(*((0.0, 0.0, 0.0, *each) for each in ((0, 0), (1, 0), (0, 1), (9, 0))))

    assert nothing[3:].tolist() == [0.0, 0.0]
    assert 1.2 < usual[3] < 2.2
    assert never[4] > 3
    assert many[3] == pytest.approx(4.0)


def test_what_is_not_known_counts_as_normal() -> None:
    blind, seen = of((np.nan, np.nan, np.nan, np.nan, np.nan), (0.0, 0.0, 0.0, 0.0, 0.0))

    assert blind.tolist() == [0.0] * 5
    assert length(seen) < 0.5


def test_without_healthy_time_departures_are_compared_as_they_are() -> None:
    table = healthy()
    shapes = Shapes.learn(table.where(np.array([], dtype=int)), normal_of(table), HORIZON)

    assert np.array_equal(shapes.whitening, np.eye(5))


def test_noise_is_like_nothing_and_what_is_far_is_like_itself() -> None:
    random = np.random.default_rng(0)
    noise, far = random.normal(size=(2000, 40)), 20 * random.normal(size=(50, 40))

    assert max(likeness(noise[1:], noise[0])) < 0.5
    assert all(likeness(far, each).argmax() == at and likeness(far, each)[at] > 0.99 for at, each in enumerate(far))
    assert likeness(np.zeros((1, 3)), np.zeros(3)).tolist() == [0.0]


def test_windows_longer_than_an_episode_draw_no_shape_unless_there_are_no_others() -> None:
    names = ("a__mean__3h", "a__mean__36h", "a__mean__48h", "a__skewness__3h", "hours_since_failure")

    assert shape_columns(names, HORIZON) == ("a__mean__3h", "a__mean__36h")
    assert shape_columns(names[2:], HORIZON) == ("a__mean__48h",)
