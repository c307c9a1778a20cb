"""Columns by rank: how far out a value lies among those learnt from, on the scale of a normal distribution."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]

_STEPS = np.linspace(0.0, 1.0, 200)
_FARTHEST = 1e-3
"""Share of values beyond which all count as equally far out."""


class NormalScores(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # they ship no types
    """Puts a normal score in place of each value: what a normal distribution has at its place among the known ones.

    Counters of a fleet reach over many powers of ten, and the shape of a cycle saturates; a mean and a deviation say
    little of either, and a linear discriminant needs both. Order is kept, missing values stay missing, and values that
    are frequent get the middle of their places.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn where the values of each column lie; one that is never known tells nothing."""
        del y
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        columns = [column[~np.isnan(column)] for column in X.T]
        found = np.array([np.quantile(known, _STEPS) if len(known) else np.zeros(len(_STEPS)) for known in columns])
        # A weighted mean of two equal numbers can be off by its last bit, and places have to ascend.
        self.quantiles_ = np.maximum.accumulate(found, axis=1)
        return self

    def transform(self, X: Any) -> Floats:
        """Return the normal scores, about −3.1 to 3.1."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        places = [_place(column, own) for column, own in zip(X.T, self.quantiles_, strict=True)]
        return ndtri(np.clip(np.column_stack(places), _FARTHEST, 1 - _FARTHEST))

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _place(values: Floats, quantiles: Floats) -> Floats:
    """Return the share of known values below each value; the middle of it where several quantiles are equal."""
    below = np.interp(values, quantiles, _STEPS)
    above = np.interp(-values, -quantiles[::-1], _STEPS)
    return (below + 1 - above) / 2
