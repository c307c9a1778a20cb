"""Quantiles of remaining life: never crossing, never falling, and holding what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.life.life import LEVELS, Life
from models.life.outlook import Outlook
from models.life.trees import completed

REACH = 100.0


def worn(lives: int, rows: int, seed: int, *, noise: float = 8.0) -> tuple[NDArray[np.float64], ...]:
    """Return predictions, capped lives, whether they are known, and the number of the life."""
    random = np.random.default_rng(seed)
    hours = np.concatenate([np.linspace(rows * 2, 0, rows) for _ in range(lives)])
    life = np.repeat(np.arange(lives), rows)
    own = random.standard_normal(lives)[life]
    true = np.minimum(hours, REACH)
    wrong = noise * np.sqrt(true / REACH) * (own + random.standard_normal(len(true))) / np.sqrt(2)
    return np.clip(true + wrong, 0, REACH), true, np.ones(len(true), bool), life


@given(
    seed=st.integers(0, 10_000),
    lives=st.integers(1, 30),
    rows=st.integers(1, 40),
    censored=st.floats(0, 1),
    noise=st.floats(0, 200),
)
@settings(max_examples=60, deadline=None)
def test_quantiles_never_cross_and_never_fall_where_the_prediction_rises(
    seed: int, lives: int, rows: int, censored: float, noise: float
) -> None:
    predicted, true, _, life = worn(lives, rows, seed, noise=noise)
    known = np.random.default_rng(seed).random(len(true)) >= censored
    outlook = Outlook.learn(predicted, true, known, life, REACH)
    asked = np.linspace(-20, 150, 200)
    found = outlook.quantiles(asked)

    assert not np.isnan(found).any()
    assert (found[:, 1:] >= found[:, :-1]).all()
    assert (found[1:] >= found[:-1]).all()
    assert (found >= 0).all()
    assert (np.isinf(found) | (found < REACH)).all()


@given(seed=st.integers(0, 10_000), noise=st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_the_probability_of_an_end_rises_with_time_and_falls_with_the_prediction(seed: int, noise: float) -> None:
    outlook = Outlook.learn(*worn(12, 30, seed, noise=noise), REACH)
    asked = np.linspace(0, 120, 60)
    within = np.stack([outlook.probability(asked, hours) for hours in np.linspace(0, 90, 30)])

    assert ((within >= 1e-6) & (within <= 0.999)).all()
    assert (np.diff(within, axis=0) >= -1e-9).all()
    assert (np.diff(within, axis=1) <= 1e-9).all()


def test_the_probability_agrees_with_the_quantiles() -> None:
    outlook = Outlook.learn(*worn(60, 60, 1), REACH)
    (found,) = outlook.quantiles(np.array([40.0]))

    for level, hours in zip(LEVELS, found, strict=True):
        assert outlook.probability(np.array([40.0]), float(hours))[0] == pytest.approx(level, abs=1e-6)


def test_intervals_hold_what_they_promise_for_lives_that_are_new() -> None:
    outlook = Outlook.learn(*worn(150, 80, 1), REACH)
    predicted, true, _, _ = worn(300, 80, 2)
    low, high = outlook.quantiles(predicted)[:, [0, -1]].T
    inside = (low <= true) & ((true <= high) | np.isinf(high))

    assert 0.88 <= inside.mean() <= 0.93
    assert inside[np.isfinite(high)].mean() >= 0.86


def test_each_life_counts_alike_however_many_rows_it_has() -> None:
    predicted, life = np.full(104, 50.0), np.r_[np.zeros(101, int), 1, 2, 3]
    true = np.r_[np.full(101, 60.0), 40.0, 40.0, 40.0]
    outlook = Outlook.learn(predicted, true, np.ones(104, bool), life, REACH)

    assert outlook.quantiles(np.array([50.0]))[0][LEVELS.index(0.5)] == 40.0


def test_lives_that_go_on_lengthen_what_is_said_and_never_shorten_it() -> None:
    predicted, true, known, life = worn(40, 30, 3)
    ended = Outlook.learn(predicted, true, known, life, REACH)
    later = np.where(life % 3 == 0, False, known) & (true < REACH)
    going_on = Outlook.learn(predicted, true, later | (true >= REACH), life, REACH)
    asked = np.linspace(0, REACH, 50)

    assert (going_on.quantiles(asked) >= ended.quantiles(asked) - 1e-9).all()


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=1, max_size=30), st.floats(1, 200))
def test_what_did_not_fail_never_counts_as_less_than_it_was_seen_or_foretold(
    rows: list[tuple[float, float]], cap: float
) -> None:
    seen, predicted = np.array(rows).T
    found = completed(seen, predicted, cap)

    assert (found >= np.minimum(seen, cap)).all()
    assert (found >= np.minimum(predicted, cap)).all()
    assert (found <= cap).all()


def test_without_anything_held_out_intervals_are_wide() -> None:
    found = Outlook.untested(REACH).quantiles(np.array([0.0, 50.0, 100.0]))

    assert (found[:, 1:] >= found[:, :-1]).all()
    assert found[1, -1] - found[1, 0] >= REACH / 2


def test_three_numbers_survive_being_kept() -> None:
    life = Life(22.5, 40.25, np.inf, 125.0)

    assert Life.from_dict(life.to_dict()) == life
    assert life.to_dict() == {"10": 22.5, "50": 40.25, "90": None, "reach": 125.0}
