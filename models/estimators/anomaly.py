"""The detectors of strange behaviour as outlier detectors of scikit-learn."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from models.detector import DETECTORS
from models.estimators.rows import UNNAMED, Rows, column_names


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """One of Andon's detectors, by its name; see ``models.detector.DETECTORS``.

    A DataFrame as ``FeatureTable.frame`` gives it tells machines and times by its index; without them, rows are
    taken as one machine's. Values may be missing; a row without any counts as an inlier.

    Parameters
    ----------
    detector : name of the detector
    contamination : share of the training rows that are called outliers, more than 0 and at most 0.5
    unnamed : feature and window of columns whose names do not say so; the detector ``shift`` looks at trends only,
        such as ``mean_change__1h_vs_24h``

    Attributes
    ----------
    offset_ : score of the training rows below which ``contamination`` of them lie
    detector_ : what was fitted, see ``models.detector.Detector``
    """

    def __init__(
        self, detector: str = "principal components", contamination: float = 0.01, unnamed: str = UNNAMED
    ) -> None:
        self.detector = detector
        self.contamination = contamination
        self.unnamed = unnamed

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : shape (n_rows, n_features); NaN where a feature is not known
        y : not looked at
        """
        del y
        if self.detector not in DETECTORS:
            raise ValueError(f"detector={self.detector!r} is none of {', '.join(map(repr, DETECTORS))}")
        if not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination={self.contamination!r} must be more than 0 and at most 0.5")
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.names_ = column_names(X, values.shape[1], self.unnamed)
        rows = Rows.of(X, values, self.names_)
        self.detector_ = DETECTORS[self.detector]().fit(rows.table)
        scores = -self.detector_.score(rows.table)
        known = scores[np.isfinite(scores)]
        self.offset_ = float(np.quantile(known, self.contamination)) if len(known) else 0.0
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how normal each row is, higher is more so; ``offset_`` where nothing can be said."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        rows = Rows.of(X, values, self.names_)
        scores = rows.back(-self.detector_.score(rows.table))
        return np.where(np.isnan(scores), self.offset_, scores)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how far each row is on the normal side, below 0 for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return 1 for what is normal and −1 for outliers."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
