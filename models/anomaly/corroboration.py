"""Whether more than one signal says that a machine is not as usual: what rests on one alone may be its sensor."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.combined_index import combined_index
from models.anomaly.covariance import quadratic, shrunk_covariance
from models.anomaly.deviations import Deviations, same_levels
from models.anomaly.usual import Usual
from models.sensors.together import FEWEST_SIGNALS

USUAL = 0.99
"""Share of healthy time in which the other signals are no stranger than what is called usual of them."""

STANDS_OUT = 0.8
"""A signal stands out where the others without it are no stranger than this share of what they are without another."""

_WINSOR = 5.0
_MOST_ROWS = 5_000
_LEAST = 0.1
"""What differs by less than so many deviations from what the other signals let expect differs by chance."""

Floats = NDArray[np.float64]


@dataclass
class Own:
    """Features of one signal that are looked at together.

    Attributes
    ----------
    signal : whose features they are
    columns : positions among those of the deviations
    matrix : its distance is z · matrix · z
    far : distance that ``USUAL`` of healthy time stays below
    """

    signal: str
    columns: NDArray[np.intp]
    matrix: Floats
    far: float


@dataclass
class Level:
    """The same level of several signals, each beside what the others but one let expect.

    Attributes
    ----------
    signals : of the columns
    columns : positions among those of the deviations
    precision : of those columns, shape (n, n)
    far : how far column i lies from what all but j let expect, which ``USUAL`` of healthy time stays below; (n, n)
    """

    signals: tuple[str, ...]
    columns: NDArray[np.intp]
    precision: Floats
    far: Floats

    def off(self, own: Floats, left_out: int) -> Floats:
        """Return how far each column but one lies from what the others but that one let expect, in deviations.

        Returns
        -------
        array of shape (n_rows, n); 0 for the one that is left out
        """
        pull, left = own @ self.precision, self.precision[left_out]
        ratio = left / left[left_out]
        sure = np.diag(self.precision) - left * ratio
        sure[left_out] = np.inf
        return np.asarray((pull - pull[:, [left_out]] * ratio) / np.maximum(sure, np.finfo(np.float64).tiny))


@dataclass
class Corroboration:
    """Tells a machine that several signals call strange from one that a single signal does.

    A sensor that drifts changes its own signal and nothing else; so does some damage. Whether the others say anything
    is asked without the one: of each other signal by itself, and of each level beside what the others *but this one*
    let expect, since whatever a broken sensor says spoils what is expected of all others.

    Attributes
    ----------
    deviations : how features are measured
    signals : those that can be left out, sorted
    own, level : what is looked at
    usual : how strange the others are at most in ``USUAL`` of healthy time when each signal is left out, (n_signals,)
    most : how strange they ever were in healthy time, in multiples of ``usual``, (n_signals,); ``None`` in versions
        from before it was kept

    References
    ----------
    Hawkins: Multivariate quality control based on regression-adjusted variables, Technometrics 33, 1991. Leaving out
    one variable is reconstruction along the direction of a sensor: Dunia, Qin, Edgar, McAvoy: Identification of faulty
    sensors using principal component analysis, AIChE Journal 42, 1996.
    """

    deviations: Deviations
    signals: tuple[str, ...]
    own: list[Own]
    level: list[Level]
    usual: Floats
    most: Floats | None = None

    @classmethod
    def learn(cls, healthy: FeatureTable, history: float, normal: Usual) -> Self | None:
        """Learn from healthy rows; ``None`` of fewer than three signals: of two that disagree nobody knows which lies.

        Parameters
        ----------
        history : hours of the whole history
        normal : of these rows
        """
        if not len(healthy):
            return None
        deviations = Deviations.learn(healthy, history, normal)
        rows = np.linspace(0, max(len(healthy) - 1, 0), min(len(healthy), _MOST_ROWS)).astype(np.intp)
        strange, known = deviations.of(healthy.where(rows))
        often = np.flatnonzero(deviations.often).tolist()
        names = {at: name for at in often if signal_of(name := deviations.names[at])}
        signals = tuple(sorted({signal_of(name) for name in names.values()}))
        if len(signals) < FEWEST_SIGNALS:
            return None
        own = [_own(strange, signal, columns) for signal, columns in _of_one_signal(names)]
        # Of the same level of two signals one is left without another to be held against.
        columns = [np.array(same, dtype=np.intp) for same in same_levels(names) if len(same) > 2]
        level = [_level(strange, known, names, each) for each in columns]
        found = cls(deviations, signals, own, level, np.zeros(len(signals)))
        others = found._others(strange, known)
        found.usual = np.quantile(others, USUAL, axis=0)
        found.most = np.maximum(found._against_usual(others).max(axis=0), 1.0)
        return found

    def without_each(self, table: FeatureTable) -> Floats:
        """Return how strange the others are without each signal: up to 1 they are as usual.

        Parameters
        ----------
        table : as a learner sees it

        Returns
        -------
        array of shape (n_rows, n_signals)
        """
        return self._against_usual(self._others(*self.deviations.of(table)))

    def lone(self, table: FeatureTable) -> NDArray[np.object_]:
        """Return of each row the signal without which all others are as usual; see ``named``.

        Parameters
        ----------
        table : as a learner sees it
        """
        return self.named(self.without_each(table))

    def named(self, others: Floats) -> NDArray[np.object_]:
        """Return of each row the signal without which all others are as usual; empty where there is none.

        Where several could be it, the one without which the others are most usual.

        Parameters
        ----------
        others : by ``without_each``
        """
        return self._best(others, np.ones(len(self.signals)))

    def standing_out(self, others: Floats) -> NDArray[np.object_]:
        """Return of each row the signal that stands out, and without which the others are as they were in healthy time.

        They may be stranger than is usual, though not stranger than they ever were.

        Parameters
        ----------
        others : by ``without_each``
        """
        found = self._best(others, np.ones(len(self.signals)) if self.most is None else self.most)
        first, second = np.partition(others, 1, axis=1)[:, :2].T
        return np.where(first <= STANDS_OUT * second, found, "")

    def _best(self, others: Floats, most: Floats) -> NDArray[np.object_]:
        best = others.argmin(axis=1)
        alone = others[np.arange(len(best)), best] <= most[best]
        return np.where(alone, np.array(self.signals, dtype=object)[best], "")

    def _against_usual(self, others: Floats) -> Floats:
        return np.asarray(others / np.maximum(self.usual, np.finfo(np.float64).tiny))

    def _others(self, strange: Floats, known: NDArray[np.bool_]) -> Floats:
        """Return how strange the others are without each signal, in what is usual of each; (n_rows, n_signals)."""
        found = np.zeros((len(strange), len(self.signals)))
        place = {signal: at for at, signal in enumerate(self.signals)}
        for own in self.own:
            away = quadratic(strange[:, own.columns], own.matrix) / own.far
            others = np.array([signal != own.signal for signal in self.signals])
            found[:, others] = np.maximum(found[:, others], np.sqrt(np.maximum(away, 0.0))[:, np.newaxis])
        for level in self.level:
            values, there = strange[:, level.columns], known[:, level.columns]
            for left_out, signal in enumerate(level.signals):
                rest = np.delete(there, left_out, axis=1).all(axis=1)
                off = np.abs(level.off(values, left_out)) / level.far[:, left_out]
                at = place[signal]
                found[:, at] = np.maximum(found[:, at], np.where(rest, off.max(axis=1), 0.0))
        return found


def _of_one_signal(names: Mapping[int, str]) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the columns of each signal together, and each of its levels and spreads alone."""
    together = defaultdict(list)
    for at, name in names.items():
        together[signal_of(name)].append(at)
    alone = [(signal_of(name), [at]) for at, name in names.items() if feature_in(name).tells in ("level", "spread")]
    return [(signal, np.array(columns, dtype=np.intp)) for signal, columns in (*together.items(), *alone)]


def _own(strange: Floats, signal: str, columns: NDArray[np.intp]) -> Own:
    matrix = combined_index(np.clip(strange[:, columns], -_WINSOR, _WINSOR))
    far = float(np.quantile(quadratic(strange[:, columns], matrix), USUAL)) if len(strange) else 0.0
    return Own(signal, columns, matrix, max(far, _LEAST**2))


def _level(strange: Floats, known: NDArray[np.bool_], names: Mapping[int, str], columns: NDArray[np.intp]) -> Level:
    values = strange[known[:, columns].all(axis=1)][:, columns]
    far, precision = np.full((len(columns), len(columns)), np.inf), np.eye(len(columns))
    if len(values):
        precision = np.asarray(np.linalg.inv(shrunk_covariance(values)), dtype=np.float64)
    found = Level(tuple(signal_of(names[at]) for at in columns), columns, precision, far)
    for left_out in range(len(columns) if len(values) else 0):
        usual = np.quantile(np.abs(found.off(values, left_out)), USUAL, axis=0)
        far[:, left_out] = np.maximum(usual, _LEAST)
    return found
