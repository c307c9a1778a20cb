"""The failure risk as a classifier of scikit-learn."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.estimators.rows import Rows, column_names
from models.judging.split import MOST_FOLDS
from models.learner import Learner
from models.risk.failure_risk import FailureRisk


class FailureRiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gradient boosting that is calibrated on machines, or stretches of time, that it has not seen.

    ``y`` says of each row whether a failure follows. A DataFrame as ``FeatureTable.frame`` gives it tells machines
    and times by its index; without them, rows are taken as one machine's, in their order. Values may be missing.

    Parameters
    ----------
    seed : of the random choices in growing trees
    folds : how many times it is fitted without some of the machines, or of the time, to calibrate it; 2 or more

    Attributes
    ----------
    classes_ : the two values of ``y``, sorted; the second is the failure
    learner_ : what was fitted, see ``models.learner.Learner``
    """

    def __init__(self, seed: int = 0, folds: int = MOST_FOLDS) -> None:
        self.seed = seed
        self.folds = folds

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from rows of which it is known what followed.

        Parameters
        ----------
        X : shape (n_rows, n_features); NaN where a feature is not known
        y : two different values, shape (n_rows,)
        """
        if self.folds < 2:
            raise ValueError(f"folds={self.folds!r} must be 2 or more")
        values, target = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(target)
        self.classes_, labels = np.unique(target, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError(f"y holds one class only, {self.classes_[0]!r}; a risk is learnt from two")
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass;"
                " a failure follows, or none"
            )
        self.names_ = column_names(X, values.shape[1])
        rows = Rows.of(X, values, self.names_)
        learner = self._learner()
        self.learner_ = learner.fit(rows.table, labels[rows.order].astype(np.int8), rows.folds(self.folds))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of no failure and of one, shape (n_rows, 2)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        rows = Rows.of(X, values, self.names_)
        risk = rows.back(self.learner_.level(rows.table))
        return np.column_stack([1 - risk, risk])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the more probable value of each row, shape (n_rows,)."""
        probable = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[probable]

    def _learner(self) -> Learner:
        return FailureRisk(seed=self.seed)

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
