"""What each group of columns adds to the sum of many trees, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 64
_MOST_DEEP = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Leaves:
    """The leaves of many trees, each with the path that leads to it.

    A path of fewer steps than the longest one has −1 for the column of those that it has not.

    Attributes
    ----------
    value : what each leaf adds, shape (n_leaves,)
    column, threshold, left, missing_left : of each step, shape (n_leaves, n_steps): the column that is asked,
        whether the path turns left there, and whether a missing value does
    """

    value: Floats
    column: NDArray[np.intp]
    threshold: Floats
    left: NDArray[np.bool_]
    missing_left: NDArray[np.bool_]

    @classmethod
    def of(cls, trees: Sequence[NDArray[Any]]) -> Self:
        """Take trees apart.

        Parameters
        ----------
        trees : nodes of each tree as scikit-learn's ``TreePredictor.nodes`` holds them, of numbers only
        """
        sizes = np.array([len(nodes) for nodes in trees])
        # Joined as bytes: numpy compares the types of all trees field by field, which takes longer than all the rest.
        nodes = np.frombuffer(b"".join(each.tobytes() for each in trees), dtype=trees[0].dtype)
        shift = np.repeat(np.cumsum(sizes) - sizes, sizes)
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        parent, turned_left = np.full(len(nodes), -1), np.zeros(len(nodes), np.bool_)
        for side, is_left in (("left", True), ("right", False)):
            child = nodes[side][inner].astype(np.intp) + shift[inner]
            parent[child], turned_left[child] = inner, is_left
        at = np.flatnonzero(nodes["is_leaf"] != 0)
        steps = int(nodes["depth"].max(initial=0))
        shape = (len(at), steps)
        value = nodes["value"][at].astype(np.float64)
        column, threshold = np.full(shape, -1, np.intp), np.zeros(shape)
        left, missing_left = np.ones(shape, np.bool_), np.ones(shape, np.bool_)
        for step in range(steps):
            above = parent[at]
            rows = np.flatnonzero(above >= 0)
            asked = nodes[above[rows]]
            column[rows, step] = asked["feature_idx"]
            threshold[rows, step] = asked["num_threshold"]
            left[rows, step] = turned_left[at[rows]]
            missing_left[rows, step] = asked["missing_go_to_left"] != 0
            at = np.where(above >= 0, above, at)
        return cls(value, column, threshold, left, missing_left)

    def follows(self, rows: Floats) -> NDArray[np.bool_]:
        """Say of each step whether a row follows the path there, shape (n_rows, n_leaves, n_steps)."""
        asked = rows[:, self.column]
        goes_left = np.where(np.isnan(asked), self.missing_left, asked <= self.threshold)
        return (goes_left == self.left) | (self.column < 0)


def tree_parts(leaves: Leaves, rows: Floats, usual: Floats, group_of_column: NDArray[np.intp], groups: int) -> Floats:
    """Return the Shapley value of each group of columns between two rows, for the sum of the trees.

    A leaf is reached by some groups as they are and the others as usual if all groups that only the row follows
    are among the former, and all that only the usual one follows among the latter. Of a leaf that asks ``a``
    groups to be as they are and ``b`` as usual each of the former adds value · (a − 1)! b! / (a + b)!, and each
    of the latter takes off value · a! (b − 1)! / (a + b)!; so there is nothing to sample, however many groups.

    Parameters
    ----------
    rows, usual : shape (n_rows, n_columns); NaN where missing
    group_of_column : shape (n_columns,), from 0 to ``groups`` − 1

    Returns
    -------
    array of shape (n_rows, groups)
        Sums over groups to the trees' sum of ``rows`` less that of ``usual``.

    References
    ----------
    Lundberg et al.: From local explanations to global understanding with explainable AI for trees, Nature
    Machine Intelligence 2, 2020 (the interventional form, with one reference).
    """
    parts = [
        _some(leaves, rows[begin : begin + _AT_ONCE], usual[begin : begin + _AT_ONCE], group_of_column, groups)
        for begin in range(0, len(rows), _AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, groups))


def _some(leaves: Leaves, rows: Floats, usual: Floats, group_of_column: NDArray[np.intp], groups: int) -> Floats:
    found = np.zeros((len(rows), groups))
    if not leaves.column.shape[1]:
        return found
    group = np.where(leaves.column < 0, -1, group_of_column[leaves.column])
    by_row, by_usual = leaves.follows(rows), leaves.follows(usual)
    asked = _players(group)
    row_all, usual_all = (_all_of(each, group, asked) for each in (by_row, by_usual))
    only_row, only_usual = row_all & ~usual_all, usual_all & ~row_all
    reached = (row_all | usual_all).all(axis=2)
    a, b = only_row.sum(axis=2), only_usual.sum(axis=2)
    adds, takes = (np.where(reached, weight[a, b] * leaves.value, 0.0) for weight in _WEIGHTS)
    amount: Floats = only_row * adds[:, :, np.newaxis] - only_usual * takes[:, :, np.newaxis]
    place = np.broadcast_to(np.maximum(asked, 0), amount.shape)
    row = np.broadcast_to(np.arange(len(rows))[:, np.newaxis, np.newaxis], amount.shape)
    np.add.at(found, (row.ravel(), place.ravel()), amount.ravel())
    return found


def _players(group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the groups that each path asks, each once, in the order of its steps; −1 for those that are told twice."""
    first = np.ones(group.shape, np.bool_)
    for step in range(1, group.shape[1]):
        first[:, step] = ~(group[:, :step] == group[:, step, np.newaxis]).any(axis=1)
    return np.where(first, group, -1)


def _all_of(follows: NDArray[np.bool_], group: NDArray[np.intp], asked: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say of each group that a path asks whether all its steps are followed; of none, yes."""
    found = np.ones(follows.shape, np.bool_)
    for step in range(group.shape[1]):
        own = group == asked[:, step, np.newaxis]
        found[:, :, step] = (follows | ~own).all(axis=2) | (asked[:, step] < 0)
    return found


def _weights() -> tuple[Floats, Floats]:
    adds, takes = np.zeros((2, _MOST_DEEP + 1, _MOST_DEEP + 1))
    for a in range(_MOST_DEEP + 1):
        for b in range(_MOST_DEEP + 1):
            whole = factorial(a + b)
            adds[a, b] = factorial(a - 1) * factorial(b) / whole if a else 0.0
            takes[a, b] = factorial(a) * factorial(b - 1) / whole if b else 0.0
    return adds, takes


_WEIGHTS = _weights()
