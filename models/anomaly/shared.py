"""What machines of a class leave their normal by at once: the weather around them, or a medium that they share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import SEPARATOR, signal_of
from features.table import FeatureTable
from models.anomaly.covariance import against_others
from models.anomaly.normal import window_hours
from models.anomaly.normal_by_regime import Alone, usual_alone
from models.rows import machine_rows
from models.sensors.peers import FEWEST, common, next_in_order

_WINSOR = 5.0
_FEWEST_WINDOWS = 10
_LEAST_ALIKE = 0.3
_SURELY = 3.0
_MOST_GAIN = 1.5

Floats = NDArray[np.float64]


@dataclass
class Shared:
    """How far each level of a machine follows what its peers are off by at the same moment.

    Machines stand in one hall: a summer day warms all of them, and of a machine that was learnt about in winter it
    would look like damage. What the peers are off by is the median of what up to eight of them leave by what their own
    other signals let expect, so that neither their duties nor the damage of one has a say. How much of it a level
    follows is learnt from how it bends from one window to the next. Weather goes up and down, and all machines with
    it; machines that merely grow old together share no such bends, and nothing is taken from them.

    Attributes
    ----------
    normal : of the levels, as they are read
    levels : names of those that follow their peers
    weights : how much each level has a say in the residual of each that follows, shape (n_levels, n_names of normal)
    gain : how much of what its peers are off by each of them follows, shape (n_levels,)
    machines : those that may be peers, sorted
    """

    normal: Alone
    levels: tuple[str, ...]
    weights: Floats
    gain: Floats
    machines: tuple[str, ...]

    @classmethod
    def learn(cls, table: FeatureTable) -> Self | None:
        """Learn from healthy rows; ``None`` where there are too few machines, or no level follows others.

        Parameters
        ----------
        table : at least one row; its peers at the same moments are looked for in ``beside``
        """
        machines = tuple(np.unique(_beside(table).machine.astype(str)).tolist())
        levels = tuple(name for name in table.names if _is_level(name))
        if len(machines) <= FEWEST or not levels:
            return None
        context = tuple(name for name in table.names if feature_in(name).tells == "context")
        part = _part(table, (*context, *levels))
        normal = usual_alone(part)
        weights = _residuals(part, normal, levels)
        found = cls(normal, levels, weights, np.zeros(len(levels)), machines)
        gain = found._gains(part, _part(_beside(table), part.names))
        follows = np.flatnonzero(gain)
        if not len(follows):
            return None
        return cls(normal, tuple(levels[at] for at in follows), weights[follows], gain[follows], machines)

    def of(self, table: FeatureTable) -> Floats:
        """Return what each column is off by since its peers are, in its unit; shape (n_rows, n_names).

        It is 0 where fewer than three peers are known. Minima, maxima and quantiles move with the mean of their window.
        """
        found = np.zeros(table.values.shape)
        if len(table):
            shared = self.gain * np.nan_to_num(self._common(table, _part(_beside(table), self.normal.names)))
            columns, levels = _moved(table.names, self.levels)
            found[:, columns] = shared[:, levels]
        return found

    def _left(self, part: FeatureTable) -> Floats:
        """Return what each level that follows is off by, given the others of its machine; shape (n_rows, n_levels).

        Parameters
        ----------
        part : with the columns of ``normal``
        """
        away = part.values - self.normal.of(part)
        found = np.empty((len(part), len(self.levels)))
        for at, weights in enumerate(self.weights):
            said = np.flatnonzero(weights)
            # One row at a time, without BLAS: whoever else is asked about changes no bit.
            found[:, at] = (away[:, said] * weights[said]).sum(axis=1)
        return found

    def _common(self, table: FeatureTable, beside: FeatureTable) -> Floats:
        """Return the median of what the peers of each row are off by, shape (n_rows, n_levels); NaN for too few."""
        found = np.full((len(table), len(self.levels)), np.nan)
        for rows, peers in self._peers(table, beside):
            found[rows] = common(peers)
        return found

    def _peers(self, table: FeatureTable, beside: FeatureTable) -> Iterator[tuple[slice, list[Floats]]]:
        """Yield the rows of each machine, and what each of its peers is off by at their moments."""
        beside = beside.where(np.isin(beside.time, np.unique(table.time)))
        left, places = self._left(beside), machine_rows(beside.machine)
        for machine, rows in machine_rows(table.machine).items():
            peers = [places[name] for name in next_in_order(machine, self.machines) if name in places]
            if len(peers) >= FEWEST:
                yield rows, [_at(beside.time[own], left[own], table.time[rows]) for own in peers]

    def _gains(self, part: FeatureTable, beside: FeatureTable) -> Floats:
        """Return how much of what its peers are off by each level follows, shape (n_levels,); 0 where none is seen.

        A window is compared with the mean of those before and after it, so that what goes on steadily is no evidence.
        What half of the peers do tells how much of the bend of the other half is common, and not their own noise. The
        mean over an hour follows the weather as that over a week does, so the window that shows it best speaks for all.
        """
        own = self._left(part)
        sums = np.zeros((len(self.levels), 5))
        for rows, peers in self._peers(part, beside):
            halves = [_mean(peers[half::2]) for half in range(2)]
            for at, name in enumerate(self.levels):
                bends = _bends(
                    part.time[rows], np.column_stack([own[rows, at], *(each[:, at] for each in halves)]), name
                )
                sums[at] += _products(bends)
        span = (part.time.max() - part.time.min()) / np.timedelta64(1, "h")
        best: dict[str, tuple[float, float]] = {}
        for (mine, others, both, with_others, count), name in zip(sums, self.levels, strict=True):
            windows = span / window_hours(name)
            if not count or windows < _FEWEST_WINDOWS or both <= 0:
                continue
            alike = with_others / np.sqrt(mine * others)
            surely = alike * np.sqrt(windows)
            if alike > _LEAST_ALIKE and surely > max(_SURELY, best.get(_kind(name), (0.0, 0.0))[0]):
                best[_kind(name)] = surely, float(min(with_others / both, _MOST_GAIN))
        return np.array([best.get(_kind(name), (0.0, 0.0))[1] for name in self.levels])


def _beside(table: FeatureTable) -> FeatureTable:
    return table if table.beside is None else table.beside


def _is_level(name: str) -> bool:
    return bool(signal_of(name)) and feature_in(name).tells == "level"


def _part(table: FeatureTable, names: tuple[str, ...]) -> FeatureTable:
    columns = [table.names.index(name) for name in names]
    return replace(table, names=names, values=table.values[:, columns], beside=None)


def _residuals(part: FeatureTable, normal: Alone, levels: tuple[str, ...]) -> Floats:
    """Return the weights whose sum over what levels are off by is what each is off by, given its like of other signals.

    Returns
    -------
    array of shape (n_levels, n_names); all 0 for a level that stands still
    """
    weights = np.zeros((len(levels), len(part.names)))
    away, scale = part.values - normal.of(part), normal.spread
    for at, name in enumerate(levels):
        kind = name.removeprefix(signal_of(name))
        own = part.names.index(name)
        others = [
            place
            for place, other in enumerate(part.names)
            if place != own and other in levels and other.removeprefix(signal_of(other)) == kind and scale[place] > 0
        ]
        if not scale[own] > 0:
            continue
        weights[at, own] = 1.0
        used = [own, *others]
        usual = away[:, used] / scale[used]
        usual = usual[np.isfinite(usual).all(axis=1)]
        if len(usual):
            weights[at, used] = against_others(usual) * scale[own] / scale[used]
    return weights


def _at(time: NDArray[np.datetime64], values: Floats, asked: NDArray[np.datetime64]) -> Floats:
    """Return the rows of a machine at some moments, NaN where it has none."""
    place = np.minimum(np.searchsorted(time, asked), len(time) - 1)
    return np.where((time[place] == asked)[:, np.newaxis], values[place], np.nan)


def _bends(time: NDArray[np.datetime64], values: Floats, name: str) -> Floats:
    """Return how far each window lies from the mean of the windows before and after it; rows where that is known."""
    lag = np.timedelta64(round(window_hours(name) * 3600), "s")
    before, after = (_at(time, values, time + side) for side in (-lag, lag))
    found = values - (before + after) / 2
    return found[np.isfinite(found).all(axis=1)]


def _products(bends: Floats) -> Floats:
    """Return sums over bends of a machine and of both halves of its peers, those far out drawn in.

    Its square, the square of the mean of both halves, their product, its product with that mean, and how many.
    """
    if not len(bends):
        return np.zeros(5)
    scale = _WINSOR * 1.4826 * np.median(np.abs(bends), axis=0)
    own, one, other = np.clip(bends, -scale, scale).T
    mean = (one + other) / 2
    return np.array([(own**2).sum(), (mean**2).sum(), (one * other).sum(), (own * mean).sum(), len(bends)])


def _mean(peers: Sequence[Floats]) -> Floats:
    known = np.isfinite(peers)
    return np.where(known, peers, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _kind(name: str) -> str:
    """Return the signal and the feature of a column, whatever its window."""
    return name.rsplit(SEPARATOR, 1)[0]


@lru_cache(maxsize=64)
def _moved(names: tuple[str, ...], levels: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the columns that move with levels, and with which."""
    columns, found = [], []
    for column, name in enumerate(names):
        level = name
        if signal_of(name) and feature_in(name).tells == "value":
            signal, _, window = name.split(SEPARATOR)
            level = SEPARATOR.join((signal, "mean", window))
        if level in levels:
            columns.append(column)
            found.append(levels.index(level))
    return columns, found
