"""Duties: where machines of a class are run, found in the signals that say what they are told to do."""

import math
import warnings
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from features.column import SEPARATOR
from features.table import FeatureTable
from models.context.domain import Domain

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

MOST_DUTIES = 8
FEWEST_WINDOWS = 10
"""Windows apart from each other that a duty, or a declared regime, is learnt from."""

_VALLEY = 0.25
_LEAST_SHARE = 0.02
_NARROWEST = 0.05
_SMALL_CHANGE = 0.01
_SMALLEST = 1e-100
"""Scale of what never was anything but 0: whatever else it becomes is far away, and its square still is a number."""

_FARTHEST = 5.0
_STEADY = 3.0
_REGULAR = 1e-4

Floats = NDArray[np.float64]


@dataclass
class Duties:
    """Where machines are run: clusters of what they are told to do, in windows that do not change.

    A window is in a duty when its mean lies within five standard deviations of it and it is no more than
    three times as restless as the shortest windows of that duty; otherwise it changes between duties. Where
    there is one duty, every window is in it.

    Attributes
    ----------
    signals : what machines are told to do, in the order of the axes
    centre, scale : shape (n_signals,), in the units of the signals; all that follows is (value − centre) / scale
    means : shape (n_duties, n_signals), sorted by the first signal, then the next
    whiten : shape (n_duties, n_signals, n_signals), distance² of x is ‖(x − mean) · whiten‖²
    weight : shape (n_duties,), log of the share of windows over the root of the covariance's determinant
    restless : shape (n_duties, n_signals), largest standard deviation of a steady window; infinite if not known
    domains : for each length of window, what was learnt from
    """

    signals: tuple[str, ...]
    centre: Floats
    scale: Floats
    means: Floats
    whiten: Floats
    weight: Floats
    restless: Floats
    domains: dict[str, Domain]

    @classmethod
    def learn(
        cls, table: FeatureTable, signals: tuple[str, ...], windows: tuple[str, ...], apart: NDArray[np.intp]
    ) -> Self | None:
        """Find duties in the shortest windows; equal rows give equal duties, in whatever order machines come.

        Parameters
        ----------
        windows : lengths as in names of columns, shortest first
        apart : rows whose shortest windows do not overlap

        Returns
        -------
        ``None`` where not even one duty can be learnt.
        """
        part = table.where(apart)
        means, restless = (_columns(part, signals, name, windows[0]) for name in ("mean", "standard_deviation"))
        known = np.isfinite(means).all(axis=1)
        if known.sum() < FEWEST_WINDOWS:
            return None
        rows = _ordered(np.column_stack([means, restless])[known])
        means, restless = rows[:, : len(signals)], rows[:, len(signals) :]
        centre = np.median(means, axis=0)
        scale = scale_of(means)
        found = mixture_of(((means - centre) / scale)[_calm(restless, scale)])
        order = np.lexsort(found.means_.T[::-1])
        whiten = found.precisions_cholesky_[order]
        log_det = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(axis=1)
        duties = cls(
            signals,
            centre,
            scale,
            found.means_[order],
            whiten,
            np.log(found.weights_[order]) + log_det,
            np.full((len(order), len(signals)), np.inf),
            {},
        )
        duty, _ = duties._nearest((means - centre) / scale)
        for place in range(len(order)):
            own = restless[np.isfinite(restless).all(axis=1) & (duty == place)]
            if len(own):
                duties.restless[place] = np.maximum(_STEADY * np.median(own, axis=0), _NARROWEST * scale)
        duties.domains = {window: Domain.of(duties._points(part, window)) for window in windows}
        return duties

    @property
    def names(self) -> tuple[str, ...]:
        """What duties are called."""
        return tuple(f"duty {number + 1}" for number in range(len(self.means)))

    def of(self, table: FeatureTable, window: str) -> NDArray[np.intp]:
        """Return the duty of the windows of this length: its position, −1 if not known, −2 between duties."""
        points = self._points(table, window)[:, : len(self.signals)]
        duty, distance = self._nearest(points)
        restless = np.nan_to_num(_columns(table, self.signals, "standard_deviation", window), nan=0.0)
        steady = (restless <= self.restless[duty]).all(axis=1) & (distance <= _FARTHEST)
        steady |= len(self.means) == 1
        return np.where(np.isfinite(points).all(axis=1), np.where(steady, duty, -2), -1).astype(np.intp)

    def unseen(self, table: FeatureTable, window: str) -> NDArray[np.bool_]:
        """Say of the window of this length of each row whether it lies outside of what was learnt from."""
        return self.domains[window].outside(self._points(table, window))

    def _points(self, table: FeatureTable, window: str) -> Floats:
        """Return mean, spread and extremes of what machines are told to do, shape (n_rows, 4 × n_signals).

        The extremes tell a window between two known duties from one on its way to an unknown one.
        """
        found = [(_columns(table, self.signals, "mean", window) - self.centre) / self.scale]
        found.append(np.nan_to_num(_columns(table, self.signals, "standard_deviation", window) / self.scale))
        for extreme in ("minimum", "maximum"):
            away = (_columns(table, self.signals, extreme, window) - self.centre) / self.scale
            found.append(np.nan_to_num(away))
        return np.column_stack(found)

    def _nearest(self, points: Floats) -> tuple[NDArray[np.intp], Floats]:
        away = np.nan_to_num(points)[:, np.newaxis] - self.means
        squares = (np.einsum("rds,dst->rdt", away, self.whiten) ** 2).sum(axis=2)
        duty = (self.weight - squares / 2).argmax(axis=1)
        return duty, np.sqrt(squares[np.arange(len(duty)), duty])


def scale_of(values: Floats) -> Floats:
    """Return how much of a change in each signal counts as one, in its unit: its spread, if that is no trifle.

    Parameters
    ----------
    values : finite, shape (n, n_signals)
    """
    small = np.maximum(_SMALL_CHANGE * np.abs(values).max(axis=0), _SMALLEST)
    return np.maximum(values.std(axis=0), small)


def _calm(restless: Floats, scale: Floats) -> NDArray[np.bool_]:
    """Say which windows are no more restless than most; all are where too few would be left, or that is not known."""
    known = np.nan_to_num(restless, nan=0.0)
    calm = np.all(known <= _STEADY * np.median(known, axis=0) + _NARROWEST * scale, axis=1)
    return calm if calm.sum() >= max(FEWEST_WINDOWS, len(calm) / 4) else np.ones(len(calm), np.bool_)


def _ordered(rows: Floats) -> Floats:
    """Return the rows in an order of their own, so that the order of machines changes nothing."""
    return rows[np.lexsort(rows.T[::-1])]


def _columns(table: FeatureTable, signals: tuple[str, ...], feature: str, window: str) -> Floats:
    """Return a feature of some signals, (n_rows, n_signals); NaN where the table does not have it."""
    found = np.full((len(table), len(signals)), np.nan)
    for place, signal in enumerate(signals):
        name = SEPARATOR.join((signal, feature, window))
        if name in table.names:
            found[:, place] = table.values[:, table.names.index(name)]
    return found


def mixture_of(points: Floats) -> "GaussianMixture":
    """Return the mixture with the lowest BIC of those whose parts are large enough and apart from each other."""
    # Only here: a server that serves must not wait for it at its start.
    from sklearn.mixture import GaussianMixture

    distinct = len(np.unique(points, axis=0))
    best, least = None, math.inf
    for count in range(1, min(MOST_DUTIES, distinct, len(points) // FEWEST_WINDOWS) + 1):
        with warnings.catch_warnings(), threadpool_limits(1):  # the same sums on any number of cores
            warnings.simplefilter("ignore")
            mixture = GaussianMixture(count, reg_covar=_REGULAR, n_init=3, max_iter=200, random_state=0).fit(points)
        large = mixture.weights_.min() * len(points) >= max(FEWEST_WINDOWS, _LEAST_SHARE * len(points)) - 0.5
        bic = mixture.bic(points)
        if count == 1 or (large and bic < least and _apart(mixture)):
            best, least = mixture, bic
    if best is None:
        raise ValueError("a mixture is fitted to at least one point")
    return best


def _apart(mixture: "GaussianMixture") -> bool:
    """Say whether the density between any two parts falls below a quarter of that at the thinner one."""
    along = np.linspace(0, 1, 41)[:, np.newaxis]
    for first, second in combinations(mixture.means_, 2):
        density = np.exp(mixture.score_samples(first + along * (second - first)))
        if density.min() > _VALLEY * min(density[0], density[-1]):
            return False
    return True
