"""Trees that predict how long a machine goes on living, no longer than a cap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from models.life.lives import Lives

Floats = NDArray[np.float64]

MOST_ROWS = 20_000


@dataclass(frozen=True)
class LifeTrees:
    """A fitted ensemble: the mean over models is the predicted life in hours."""

    models: list[HistGradientBoostingRegressor]

    def hours(self, values: Floats) -> Floats:
        """Return the predicted life of each row, zero or more."""
        if not len(values):
            return np.zeros(0)
        return np.maximum(np.mean([model.predict(values) for model in self.models], axis=0), 0.0)


class Growing(NamedTuple):
    """What one ensemble is to learn from: rows of some values, and how their life is known."""

    values: Floats
    rows: NDArray[np.intp]
    cap: float
    seeds: int
    turns: int


def grow(lives: Lives, wanted: Sequence[Growing], seed: int) -> list[LifeTrees]:
    """Fit an ensemble to each of several parts.

    A row whose machine has not failed says that its life is longer than it was seen. Up to the cap that may
    be all there is to know; otherwise trees of the other rows say how long it may be, and it counts as that, or as
    what was seen if that is more: what did not fail never makes a life shorter.
    """
    first = [_known(lives, each) for each in wanted]
    grown = _grown([(each, *own) for each, own in zip(wanted, first, strict=True)], seed)
    again = [(place, each, _with_censored(lives, each, grown[place])) for place, each in enumerate(wanted)]
    open_ended = [(place, each, own) for place, each, own in again if own is not None]
    for (place, _, _), trees in zip(
        open_ended, _grown([(each, *own) for _, each, own in open_ended], seed), strict=True
    ):
        grown[place] = trees
    return grown


def completed(seen: Floats, predicted: Floats, cap: float) -> Floats:
    """Return the life that rows count as which went on for longer than ``seen``, in hours.

    Examples
    --------
    >>> completed(np.array([10.0, 50.0, 90.0]), np.array([30.0, 30.0, 200.0]), 125.0).tolist()
    [30.0, 50.0, 125.0]
    """
    return np.minimum(np.maximum(seen, predicted), cap)


def _known(lives: Lives, part: Growing) -> tuple[NDArray[np.intp], Floats]:
    rows = thinned(part.rows[lives.known_up_to(part.cap)[part.rows]])
    return rows, np.minimum(lives.hours[rows], part.cap)


def _with_censored(lives: Lives, part: Growing, trees: LifeTrees) -> tuple[NDArray[np.intp], Floats] | None:
    rows = thinned(part.rows[np.isfinite(lives.hours[part.rows])])
    censored = ~lives.known_up_to(part.cap)[rows]
    if not censored.any():
        return None
    aim = np.minimum(lives.hours[rows], part.cap)
    aim[censored] = completed(aim[censored], trees.hours(part.values[rows[censored]]), part.cap)
    return rows, aim


def thinned(rows: NDArray[np.intp], most: int = MOST_ROWS) -> NDArray[np.intp]:
    """Return no more than so many of the rows, evenly."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _grown(parts: Sequence[tuple[Growing, NDArray[np.intp], Floats]], seed: int) -> list[LifeTrees]:
    jobs = [
        joblib.delayed(_fit_one)(part.values[rows], aim, part.turns, seed + number)
        for part, rows, aim in parts
        for number in range(part.seeds)
    ]
    fitted = iter(joblib.Parallel(n_jobs=-1, prefer="threads")(jobs))
    return [LifeTrees([next(fitted) for _ in range(part.seeds)]) for part, _, _ in parts]


def _fit_one(values: Floats, aim: Floats, turns: int, seed: int) -> HistGradientBoostingRegressor:
    model = HistGradientBoostingRegressor(
        max_iter=turns,
        learning_rate=0.08,
        max_leaf_nodes=31,
        min_samples_leaf=int(np.clip(len(values) // 200, 5, 40)),
        l2_regularization=5.0,
        max_features=0.3,
        max_bins=63,
        early_stopping=False,
        random_state=seed,
    )
    # A signal may be unread in all rows of a part. scikit-learn cannot bin no value, and one value splits nothing.
    values = np.where(np.isnan(values).all(axis=0), 0.0, values)
    with threadpool_limits(1, user_api="openmp"):  # sums in a fixed order: the same model on any number of cores
        return model.fit(values, aim)
