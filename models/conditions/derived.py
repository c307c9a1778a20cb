"""Columns that are made of other columns: shares of histograms, and products, ratios and differences of pairs."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]

_TREES = 40
_LARGEST = 1e30


class Derived(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # they ship no types
    """Appends derived columns to those that are there.

    The physics of a machine often lies in what two signals make together: power is torque times speed, heat leaves
    by a difference of temperatures, wear weighs more under load. Which pairs matter is learnt here, from the rows
    that it is fitted to and nothing else: among the products, ratios and, of equal units, differences of the
    ``paired`` columns that a quick forest finds most telling, it keeps the ``kept`` most telling ones.

    Parameters
    ----------
    histograms : for each histogram the places of its bins, lowest first; appended are its total, the share of each
        bin, the share up to each bin and the mean bin
    units : unit of each column; differences are taken of equal ones only. All are alike when ``None``
    most : how many of the columns that are there, and of the shares, are kept: the most telling ones; all when ``None``
    paired, kept : how many columns are paired, and how many pairs are kept; none when either is 0
    seed : of the quick forest
    """

    def __init__(
        self,
        *,
        histograms: Sequence[Sequence[int]] = (),
        units: Sequence[str] | None = None,
        most: int | None = 100,
        paired: int = 8,
        kept: int = 16,
        seed: int = 0,
    ) -> None:
        self.histograms = histograms
        self.units = units
        self.most = most
        self.paired = paired
        self.kept = kept
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose columns and pairs; without ``y`` all columns are kept, and none is paired."""
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.pairs_: list[tuple[int, int, int]] = []
        self.columns_: NDArray[np.intp] | None = None
        self.never_: NDArray[np.intp] = np.zeros(0, np.intp)
        if y is None:
            return self
        wide = self._wide(X)
        if self.most is not None and wide.shape[1] > self.most:
            self.columns_ = np.sort(_most_telling(wide, y, self.most, self.seed))
        if self.paired and self.kept and X.shape[1] > 1:
            self.pairs_ = self._pairs(X, y)
        self.never_ = np.flatnonzero(np.isnan(self._appended(X)).all(axis=0))
        return self

    def _pairs(self, X: Floats, y: Any) -> list[tuple[int, int, int]]:
        best = _most_telling(X, y, self.paired, self.seed)
        candidates = [
            (kind, first, second)
            for first, second in combinations(sorted(best), 2)
            for kind in range(3)
            if kind != _DIFFERENCE or self.units is None or self.units[first] == self.units[second]
        ]
        made = np.column_stack([_made(X, *each) for each in candidates])
        chosen = _most_telling(made, y, self.kept, self.seed)
        return [candidates[each] for each in sorted(chosen)]

    def transform(self, X: Any) -> Floats:
        """Return the columns with the derived ones behind them; 0 in those that were never known when it was fitted."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        made = self._appended(X)
        # Boosting stops at a column without any value.
        made[:, self.never_] = 0.0
        return made

    def _appended(self, X: Floats) -> Floats:
        wide = self._wide(X)
        kept = wide if self.columns_ is None else wide[:, self.columns_]
        return np.hstack([kept, *(_made(X, *each)[:, np.newaxis] for each in self.pairs_)])

    def _wide(self, X: Floats) -> Floats:
        """Return the columns that are there with the shares of histograms behind them."""
        return np.hstack([X, *(shares(X[:, list(bins)]) for bins in self.histograms)])

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def shares(bins: Floats) -> Floats:
    """Return total, share of each bin, share up to each bin but the last, and mean bin, shape (n_rows, 2 n_bins + 1).

    A bin that is missing counts as empty; all is missing where all bins are, and all but the total where it is 0.

    Examples
    --------
    >>> shares(np.array([[1.0, 3.0, np.nan], [np.nan, np.nan, np.nan]])).tolist()[0]
    [4.0, 0.25, 0.75, 0.0, 0.25, 1.0, 0.75]
    """
    known = ~np.isnan(bins)
    filled = np.where(known, bins, 0.0)
    total = np.where(known.any(axis=1), filled.sum(axis=1), np.nan)[:, np.newaxis]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(total > 0, filled / total, np.nan)
    return np.hstack([total, part, np.cumsum(part, axis=1)[:, :-1], part @ np.arange(bins.shape[1])[:, np.newaxis]])


_PRODUCT, _RATIO, _DIFFERENCE = range(3)


def _made(X: Floats, kind: int, first: int, second: int) -> Floats:
    with np.errstate(all="ignore"):
        if kind == _PRODUCT:
            made = X[:, first] * X[:, second]
        elif kind == _RATIO:
            made = X[:, first] / X[:, second]
        else:
            made = X[:, first] - X[:, second]
    return np.where(np.abs(made) < _LARGEST, made, np.nan)


def _most_telling(X: Floats, y: Any, count: int, seed: int) -> NDArray[np.intp]:
    """Return the columns that a quick forest uses most, at most ``count``."""
    if X.shape[1] <= count:
        return np.arange(X.shape[1])
    forest = ExtraTreesClassifier(
        _TREES, max_depth=8, min_samples_leaf=3, class_weight="balanced", random_state=seed
    ).fit(X, y)
    return np.argsort(-forest.feature_importances_, kind="stable")[:count]
