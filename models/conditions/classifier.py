"""One classifier for pieces of every kind: several ask the data, and are believed as far as they were right."""

from collections.abc import Sequence
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from models.conditions.deal import MOST_TRIED, at_random
from models.conditions.members import MEMBERS
from models.conditions.pool import log_shares, pooled
from models.conditions.price import cheapest, price_table
from models.conditions.settle import settled
from models.judging.split import Fold

Floats = NDArray[np.float64]

_OUT_OF_THE_RACE = 2.0
_TOO_CLOSE_TO_CALL = 0.02
"""Nats a row by which chance alone may part two members in one fold."""


class PieceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # they ship no types
    """Pools a shrunken linear discriminant and trees by what they said of rows that they had not seen.

    Where classes lie apart in some direction, as the shapes of cycles do, the discriminant is nearly exact and trees
    are not; where limits of single signals decide, it is the other way round. Folds inside the rows that it is
    fitted to decide how far each is believed and how sure they are together, so that probabilities are calibrated.

    Parameters
    ----------
    histograms, units : see ``Derived``
    mistakes : what it costs, as (recorded, said, costs); each mistake costs 1 when there is none
    trees : of each member that is made of trees
    seed : of everything random

    Attributes
    ----------
    classes_ : what may be recorded, sorted
    weights_ : how far each member is believed, in the order of ``MEMBERS``
    held_out_ : probability of each class for each row by members that had not seen it; NaN where there is none
    """

    def __init__(
        self,
        *,
        histograms: Sequence[Sequence[int]] = (),
        units: Sequence[str] | None = None,
        mistakes: Sequence[tuple[Any, Any, float]] = (),
        trees: int = 120,
        seed: int = 0,
    ) -> None:
        self.histograms = histograms
        self.units = units
        self.mistakes = mistakes
        self.trees = trees
        self.seed = seed

    def fit(self, X: Any, y: Any, folds: Sequence[Fold] | None = None) -> Self:
        """Learn from rows and what was recorded of them.

        Parameters
        ----------
        folds : which rows members are tried on that learnt from which others; dealt out at random when left out
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(f"the number of classes has to be greater than one; got {len(self.classes_)} class")
        code = encoder.transform(y)
        folds = at_random(code, MOST_TRIED, self.seed) if folds is None else list(folds)
        usable = [fold for fold in folds if len(np.unique(code[fold.train])) > 1]
        shares = np.full((len(MEMBERS), len(code), len(self.classes_)), np.nan)
        names, kept = list(MEMBERS), np.arange(len(MEMBERS))
        for fold in usable:
            asked = self._all([names[each] for each in kept], X, code, fold.train, fold.test)
            for place, (_, told) in zip(kept, asked, strict=True):
                shares[place, fold.test] = told
            kept = kept[_in_the_race(log_shares(shares[kept][:, fold.test]), code[fold.test])]
        self.weights_ = np.zeros(len(MEMBERS))
        self.weights_[kept] = 1 / len(kept)
        self.held_out_ = np.full(shares.shape[1:], np.nan)
        known = np.isfinite(shares[kept]).all(axis=(0, 2))
        if known.any():
            logs = log_shares(shares[kept][:, known])
            self.weights_[kept] = settled(logs, code[known], self.prices_)
            self.held_out_[known] = pooled(logs, self.weights_[kept])
        everything = np.arange(len(code))
        believed = [name for name, weight in zip(names, self.weights_, strict=True) if weight > 0]
        fitted = self._all(believed, X, code, everything, everything[:0])
        self.members_ = {name: member for name, (member, _) in zip(believed, fitted, strict=True)}
        return self

    def _all(
        self, names: Sequence[str], X: Floats, code: NDArray[np.intp], train: NDArray[np.intp], test: NDArray[np.intp]
    ) -> list[tuple[Any, Floats]]:
        """Fit some members to the same rows and ask them about others."""
        jobs = [joblib.delayed(_asked)(name, self, X, code, train, test) for name in names]
        return joblib.Parallel(n_jobs=-1, prefer="threads")(jobs)

    @property
    def prices_(self) -> Floats:
        """What each mistake costs, shape (n_classes, n_classes): rows what is recorded, columns what is said."""
        return price_table(self.classes_.tolist(), self.mistakes)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class, in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        if not self.members_:
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
        with threadpool_limits(1):
            logs = log_shares(np.stack([_told(each, X, len(self.classes_)) for each in self.members_.values()]))
        return pooled(logs, self.weights_[self.weights_ > 0])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return what is expected to cost least to say."""
        check_is_fitted(self)
        return self.classes_[self.cheapest(self.predict_proba(X))]

    def cheapest(self, probabilities: Floats) -> NDArray[np.intp]:
        """Return the place in ``classes_`` of what is expected to cost least to say."""
        return cheapest(probabilities, self.prices_)

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _in_the_race(logs: Floats, code: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say of each member whether it is worth asking again: what it said is not far less likely than the best.

    Parameters
    ----------
    logs : of what each said of the same rows, shape (n_members, n_rows, n_classes)
    """
    loss = -logs[:, np.arange(len(code)), code].mean(axis=1)
    return loss <= _OUT_OF_THE_RACE * loss.min() + _TOO_CLOSE_TO_CALL


def _asked(
    name: str,
    asker: PieceClassifier,
    X: Floats,
    code: NDArray[np.intp],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[Any, Floats]:
    """Fit one member to some rows and ask it about others."""
    with threadpool_limits(1):
        member = MEMBERS[name](asker.histograms, asker.units, asker.trees, asker.seed).fit(X[train], code[train])
        return member, _told(member, X[test], int(code.max()) + 1)


def _told(member: Any, X: Floats, classes: int) -> Floats:
    """Return what a member says, of classes that it has never seen nothing."""
    said = np.zeros((len(X), classes))
    if len(X):
        said[:, member.classes_] = member.predict_proba(X)
    return said
