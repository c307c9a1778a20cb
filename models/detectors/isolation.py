"""How few random cuts set a row apart: an isolation forest, kept as plain arrays."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.deviations import Deviations

_TREES = 100
_SAMPLES = 256
_SEED = 0

Floats = NDArray[np.float64]


class Isolation:
    """Scores how many cuts fewer than usual it takes to set a row apart from healthy ones.

    It asks nothing of shapes or scales. Every node of a tree stands for the number of cuts that a row
    in it takes on the average: those so far and those that its rows still need. What a cut changes in
    that number is what its feature adds to the score, so that contributions add up exactly.

    Attributes
    ----------
    feature, left, right : of each node, shape (n_trees, n_nodes); ``left`` is the node itself at a leaf
    limit : a value up to it goes left, shape (n_trees, n_nodes)
    cuts : expected number of cuts, shape (n_trees, n_nodes)
    depth : of the deepest leaf

    References
    ----------
    Liu, Ting, Zhou: Isolation Forest, ICDM 2008.
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows."""
        self.deviations = deviations or Deviations.learn(table)
        strange, known = self.deviations.of(table)
        self.depth = 0
        empty = np.zeros((1, 1))
        self.feature, self.left, self.right = (empty.astype(np.intp) for _ in range(3))
        self.limit, self.cuts = empty, empty
        if strange.shape[1] and known.any():
            self._grow(strange[known.any(axis=1)].astype(np.float32))
        return self

    def score(self, table: FeatureTable) -> Floats:
        """Return how many cuts fewer than the average each row takes; NaN where no feature is known."""
        strange, known = self.deviations.of(table)
        if not strange.shape[1]:
            return np.full(len(table), np.nan)
        node = np.zeros((len(strange), len(self.feature)), dtype=np.intp)
        for _ in range(self.depth):
            node = self._next(strange, node)
        trees = np.arange(len(self.feature))
        return np.where(known.any(axis=1), (self.cuts[:, 0] - self.cuts[trees, node]).mean(axis=1), np.nan)

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, shape (n_rows, n_names); below 0 where it makes a row usual."""
        strange, _ = self.deviations.of(table)
        parts = np.zeros(strange.shape)
        trees, rows = np.arange(len(self.feature)), np.arange(len(strange))[:, np.newaxis]
        node = np.zeros((len(strange), len(self.feature)), dtype=np.intp)
        for _ in range(self.depth):
            after = self._next(strange, node)
            saved = (self.cuts[trees, node] - self.cuts[trees, after]) / len(trees)
            np.add.at(parts, (rows, self.feature[trees, node]), saved)
            node = after
        return self.deviations.spread_out(parts, table.values.shape[1])

    def _next(self, strange: Floats, node: NDArray[np.intp]) -> NDArray[np.intp]:
        trees = np.arange(len(self.feature))
        value = np.take_along_axis(strange, self.feature[trees, node], axis=1)
        return np.where(value <= self.limit[trees, node], self.left[trees, node], self.right[trees, node])

    def _grow(self, usual: NDArray[np.float32]) -> None:
        from sklearn.ensemble import IsolationForest  # only a fit needs it, and it takes long to import

        forest = IsolationForest(n_estimators=_TREES, max_samples=min(_SAMPLES, len(usual)), random_state=_SEED).fit(
            usual
        )
        trees = [each.tree_ for each in forest.estimators_]
        self.depth = max(int(tree.max_depth) for tree in trees)
        shape = (len(trees), max(int(tree.node_count) for tree in trees))
        self.feature, self.left, self.right = (np.zeros(shape, dtype=np.intp) for _ in range(3))
        self.limit, self.cuts = np.zeros(shape), np.zeros(shape)
        for number, (tree, columns) in enumerate(zip(trees, forest.estimators_features_, strict=True)):
            count, inner = int(tree.node_count), tree.children_left >= 0
            own = np.arange(count)
            self.feature[number, :count] = np.where(inner, columns[np.where(inner, tree.feature, 0)], 0)
            self.left[number, :count] = np.where(inner, tree.children_left, own)
            self.right[number, :count] = np.where(inner, tree.children_right, own)
            self.limit[number, :count] = np.where(inner, tree.threshold, 0.0)
            self.cuts[number, :count] = _expected_cuts(tree)


def _expected_cuts(tree: Any) -> Floats:
    """Return the cuts that a row takes on the average which reaches each node: the mean over the leaves below it."""
    left, right, rows = tree.children_left, tree.children_right, tree.n_node_samples.astype(np.float64)
    depth, cuts = np.zeros(len(left)), np.zeros(len(left))
    for node in range(len(left)):  # parents come before their children
        if left[node] >= 0:
            depth[[left[node], right[node]]] = depth[node] + 1
    for node in range(len(left) - 1, -1, -1):
        if left[node] < 0:
            cuts[node] = depth[node] + _average_path(rows[node])
        else:
            below = [left[node], right[node]]
            cuts[node] = rows[below] @ cuts[below] / rows[node]
    return cuts


def _average_path(rows: float) -> float:
    """Return how many random cuts it takes on the average to set one of so many rows apart."""
    if rows <= 1:
        return 0.0
    if rows <= 2:
        return 1.0
    return 2 * (np.log(rows - 1) + np.euler_gamma) - 2 * (rows - 1) / rows
