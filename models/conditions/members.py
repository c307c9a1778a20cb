"""The classifiers that are asked, one row each: none is best everywhere, so that what they say is pooled."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from models.conditions.derived import Derived

Floats = NDArray[np.float64]


class Standard(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # they ship no types
    """Centres and scales columns, bounds what lies far out, and puts the mean where a value is missing.

    Parameters
    ----------
    bound : values farther than so many standard deviations from the mean are put there
    """

    def __init__(self, *, bound: float = 3.0) -> None:
        self.bound = bound

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn mean and deviation of each column; one that does not vary tells nothing and stays 0."""
        del y
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        known = ~np.isnan(X)
        count = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, X, 0.0)
        self.mean_ = filled.sum(axis=0) / count
        away = np.where(known, X - self.mean_, 0.0)
        deviation = np.sqrt((away * away).sum(axis=0) / count)
        flat = deviation <= 1e-12 * np.maximum(np.abs(self.mean_), 1e-300)
        self.weight_ = np.where(flat, 0.0, 1 / np.where(flat, 1.0, deviation))
        return self

    def transform(self, X: Any) -> Floats:
        """Return columns of mean 0 and deviation 1."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.clip(np.where(np.isnan(X), 0.0, (X - self.mean_) * self.weight_), -self.bound, self.bound)

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


Maker = Callable[[Sequence[Sequence[int]], Sequence[str] | None, int, int], Pipeline]
"""(histograms, units, trees, seed) to a classifier that has learnt nothing yet; see ``Derived``."""


def _linear(shrinkage: float | str) -> Maker:
    """Return what makes a linear discriminant: nearly exact where conditions move the shape of a cycle."""

    def make(histograms: Sequence[Sequence[int]], units: Sequence[str] | None, trees: int, seed: int) -> Pipeline:
        del trees
        return make_pipeline(
            Derived(histograms=histograms, units=units, most=None, paired=0, seed=seed),
            Standard(),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage),
        )

    return make


def _boosting(histograms: Sequence[Sequence[int]], units: Sequence[str] | None, trees: int, seed: int) -> Pipeline:
    return make_pipeline(
        # Every column: those that a quick forest finds less telling of a few rare pieces still tell the hard ones.
        Derived(histograms=histograms, units=units, most=None, seed=seed),
        HistGradientBoostingClassifier(
            max_iter=trees,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=10,
            l2_regularization=1.0,
            max_features=0.3,
            early_stopping=False,
            random_state=seed,
        ),
    )


def _forest(histograms: Sequence[Sequence[int]], units: Sequence[str] | None, trees: int, seed: int) -> Pipeline:
    return make_pipeline(
        Derived(histograms=histograms, units=units, seed=seed),
        ExtraTreesClassifier(trees, max_features=0.4, random_state=seed),
    )


MEMBERS: Final[dict[str, Maker]] = {
    "linear": _linear(1e-5),
    "linear, shrunken": _linear("auto"),
    "boosting": _boosting,
    "forest": _forest,
}
"""Name to what makes a classifier that has learnt nothing yet, cheapest first."""
