"""What each group adds: exact for trees and for few groups, and adding up however many there are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.why.shapley import shapley
from models.why.tree_parts import Leaves, tree_parts

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def grown() -> tuple[HistGradientBoostingClassifier, Floats]:
    random = np.random.default_rng(3)
    rows = random.normal(size=(600, 7))
    rows[random.random(rows.shape) < 0.15] = np.nan
    level = np.nan_to_num(rows[:, 0]) * np.nan_to_num(rows[:, 3]) + np.nan_to_num(rows[:, 5], nan=2.0)
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=9, random_state=0)
    return model.fit(rows, level + 0.3 * random.normal(size=600) > 0.5), rows


def leaves_of(model: HistGradientBoostingClassifier) -> Leaves:
    return Leaves.of([tree.nodes for (tree,) in model._predictors])


def test_parts_of_trees_add_up_to_what_the_trees_say(grown: tuple[HistGradientBoostingClassifier, Floats]) -> None:
    model, rows = grown
    usual = np.roll(rows, 1, axis=0)
    parts = tree_parts(leaves_of(model), rows, usual, np.arange(7), 7)
    risen = model.decision_function(rows) - model.decision_function(usual)

    assert np.allclose(parts.sum(axis=1), risen, rtol=0, atol=1e-9)
    assert np.abs(parts).max() > 0.5


@pytest.mark.parametrize("group_of_column", [np.arange(7), np.array([0, 1, 0, 2, 1, 2, 2])])
def test_parts_of_trees_are_what_asking_about_every_combination_gives(
    grown: tuple[HistGradientBoostingClassifier, Floats], group_of_column: NDArray[np.intp]
) -> None:
    model, rows = grown
    groups, leaves = int(group_of_column.max()) + 1, leaves_of(model)
    for place in range(0, 40, 2):
        row, usual = rows[place], rows[place + 1]
        asked = shapley(model.decision_function, row, usual, group_of_column, groups)
        exact = tree_parts(leaves, row[np.newaxis], usual[np.newaxis], group_of_column, groups)[0]

        assert np.allclose(exact, asked, rtol=0, atol=1e-9)


def test_a_group_at_its_normal_adds_nothing(grown: tuple[HistGradientBoostingClassifier, Floats]) -> None:
    model, rows = grown
    usual = np.roll(rows, 1, axis=0)
    usual[:, 3] = rows[:, 3]
    parts = tree_parts(leaves_of(model), rows, usual, np.arange(7), 7)

    assert np.abs(parts[:, 3]).max() == 0
    assert shapley(model.decision_function, rows[0], rows[0], np.arange(7), 7).tolist() == [0.0] * 7


def test_a_tree_of_one_leaf_says_nothing_of_any_group() -> None:
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=50).fit(np.zeros((60, 2)), np.arange(60) % 2)

    assert tree_parts(leaves_of(model), np.ones((2, 2)), np.zeros((2, 2)), np.arange(2), 2).tolist() == [[0, 0]] * 2


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(0, 2**32 - 1))
def test_what_groups_add_adds_up_however_many_they_are(groups: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    weight, row, usual = random.normal(size=(3, groups))

    def function(rows: Floats) -> Floats:
        return np.tanh(rows @ weight) + rows.max(axis=1)

    added = shapley(function, row, usual, np.arange(groups), groups)

    assert added.sum() == pytest.approx(float(np.diff(function(np.stack([usual, row])))[0]), abs=1e-9)
    assert np.array_equal(added, shapley(function, row, usual, np.arange(groups), groups))


def test_many_groups_that_act_alone_get_what_each_of_them_adds() -> None:
    weight = np.arange(1.0, 15.0)
    added = shapley(lambda rows: rows @ weight, np.ones(14), np.zeros(14), np.arange(14), 14)

    assert np.allclose(added, weight)
