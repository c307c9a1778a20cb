"""Robust principal components: far along the usual directions (T²) or off them (Q); and what others let expect."""

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
from models.anomaly.covariance import against_others, quadratic
from models.anomaly.deviations import Deviations, same_levels

_WINSOR = 5.0
_LEAST_RESIDUAL = 0.1
"""Two sensors of one thing agree until one is replaced: what is finer than so many deviations of a level is usual."""
_SHARES = np.array([1.0, 0.5, 0.2, 0.1, 0.05, 0.02])


@dataclass
class Block:
    """Features that are looked at together.

    Attributes
    ----------
    columns : positions among the detector's columns
    matrix : its distance is z · matrix · z, shape (n_columns, n_columns)
    knots : distances that these shares of healthy time exceed
    surprises : minus the logarithm of those shares
    residual : whether it is the first feature, against what the others let expect; nothing is said where one of
        them is not known
    """

    columns: NDArray[np.intp]
    matrix: NDArray[np.float64]
    knots: NDArray[np.float64]
    surprises: NDArray[np.float64]
    residual: bool = False

    @classmethod
    def learn(
        cls,
        columns: NDArray[np.intp],
        matrix: NDArray[np.float64],
        strange: NDArray[np.float64],
        known: NDArray[np.bool_],
        *,
        residual: bool = False,
    ) -> Self | None:
        """Learn how far rows usually lie; ``None`` where all lie as far."""
        some = known[:, columns].all(axis=1) if residual else known[:, columns].any(axis=1)
        if not some.any():
            return None
        distance = quadratic(strange[some][:, columns], matrix)
        knots, first = np.unique(np.quantile(distance, 1 - _SHARES), return_index=True)
        if residual and knots[-1] < _LEAST_RESIDUAL**2:
            knots = knots * (_LEAST_RESIDUAL**2 / max(knots[-1], np.finfo(np.float64).tiny))
        return cls(columns, matrix, knots, -np.log(_SHARES[first]), residual) if len(knots) > 1 else None

    def surprise(self, strange: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return minus the logarithm of the share of healthy time that lies as far; straight on beyond the last knot.

        Distances are squares, so their tail is near an exponential one and a straight line fits it.
        """
        distance = quadratic(strange[:, self.columns], self.matrix)
        rise, run = self.surprises[-1] - self.surprises[-2], self.knots[-1] - self.knots[-2]
        beyond = np.maximum(0, distance - self.knots[-1]) * (rise / run)
        found = np.interp(distance, self.knots, self.surprises) + beyond
        return np.where(known[:, self.columns].all(axis=1), found, 0.0) if self.residual else found

    def parts(self, strange: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each of its features adds to the distance."""
        own = strange[:, self.columns]
        parts = own * (own @ self.matrix)
        if self.residual:
            parts[:, 0], parts[:, 1:] = parts.sum(axis=1), 0.0
        return parts


class PrincipalComponents:
    """Scores how far a row lies from normal, given how features usually move together.

    Every feature is measured as ``Deviations`` does, and a missing one counts as normal; one whose window is
    seldom seen has no say. A distance is
    T² + Q, each over its median in healthy time: T² is the distance within the directions that hold nine
    tenths of the variance, Q the squared distance from them. It is taken over all features, over those of
    each signal, and for each mean and spread alone, since a fault in one signal drowns in the noise of
    fifty. What the machine is made to do moves all signals and hides a fault again; so each level is looked
    at against what the same level of the other signals lets expect, too (a regression on them). The score is
    the greatest surprise among all: minus the logarithm of the share of healthy time that lies as far.

    References
    ----------
    Yue, Qin: Reconstruction-based fault identification using a combined index, Ind. Eng. Chem. Res. 40, 2001.
    Hawkins: Multivariate quality control based on regression-adjusted variables, Technometrics 33, 1991.
    """

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows.

        Parameters
        ----------
        table : at least one row
        """
        self.deviations = deviations or Deviations.learn(table)
        strange, known = self.deviations.of(table)
        usual = np.clip(strange, -_WINSOR, _WINSOR)
        names = {at: self.deviations.names[at] for at in np.flatnonzero(self.deviations.often).tolist()}
        together = [
            Block.learn(columns, combined_index(usual[:, columns]), strange, known) for columns in _groups(names)
        ]
        against = [
            Block.learn(columns, _regression_adjusted(usual[:, columns]), strange, known, residual=True)
            for columns in _levels(names)
        ]
        self.blocks: list[Block] = [each for each in (*together, *against) if each is not None]
        return self

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the greatest surprise of each row; NaN where no feature is known. Higher is stranger."""
        if not self.blocks or not len(table):
            return np.full(len(table), np.nan)
        strange, known = self.deviations.of(table)
        return np.where(known.any(axis=1), self._surprises(strange, known).max(axis=0), np.nan)

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, shape (n_rows, n_names); sums to the score.

        They are those of the block with the greatest surprise.
        """
        if not self.blocks or not len(table):
            return np.zeros((len(table), len(table.names)))
        strange, known = self.deviations.of(table)
        parts, surprises = np.zeros(strange.shape), self._surprises(strange, known)
        winner = surprises.argmax(axis=0)
        for index in np.unique(winner):
            rows, block = np.flatnonzero(winner == index), self.blocks[index]
            own = block.parts(strange[rows])
            scale = surprises[index, rows] / np.maximum(own.sum(axis=1), 1e-12)
            parts[np.ix_(rows, block.columns)] = own * scale[:, np.newaxis]
        return self.deviations.spread_out(parts, len(table.names))

    def against_others(self, table: FeatureTable) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Return how far each level lies from what the others let expect, in robust standard deviations of the level.

        Returns
        -------
        names of the levels, and an array of shape (n_rows, n_levels); NaN where one of the signals is not known
        """
        blocks = [each for each in self.blocks if each.residual]
        strange, known = self.deviations.of(table)
        found = np.full((len(table), len(blocks)), np.nan)
        for place, block in enumerate(blocks):
            # The matrix is the outer product of the direction with itself, whose first element is 1.
            said = known[:, block.columns].all(axis=1)
            found[said, place] = strange[said][:, block.columns] @ block.matrix[0]
        return tuple(self.deviations.names[each.columns[0]] for each in blocks), found

    def _surprises(self, strange: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.stack([block.surprise(strange, known) for block in self.blocks])


def _groups(names: Mapping[int, str]) -> list[NDArray[np.intp]]:
    """Return the positions of all columns, of each signal's, and of each level and spread alone."""
    by_signal = defaultdict(list)
    for at, name in names.items():
        by_signal[signal_of(name)].append(at)
    alone = [[at] for at, name in names.items() if signal_of(name) and feature_in(name).tells in ("level", "spread")]
    groups = {tuple(group): None for group in ([*names], *by_signal.values(), *alone) if group}
    return [np.array(group, dtype=np.intp) for group in groups]


def _levels(names: Mapping[int, str]) -> list[NDArray[np.intp]]:
    """Return the positions of each level of a signal, followed by those of the same level of the other signals."""
    return [
        np.array([one, *(other for other in same if other != one)], dtype=np.intp)
        for same in same_levels(names)
        if len(same) > 1
        for one in same
    ]


def _regression_adjusted(usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix whose quadratic form is the squared residual of the first column, regressed on the others."""
    direction = against_others(usual)
    return np.outer(direction, direction)
