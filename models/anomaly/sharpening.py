"""What a few known failures teach a detector that learns from healthy time: which signals to look at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.labels.episodes import episodes_of
from models.learner import group_of, grouped

if TYPE_CHECKING:
    from models.anomaly.deviations import Deviations
    from models.detector import Detector

Floats = NDArray[np.float64]

_MOST_HEALTHY = 5_000

_CLEAR = 0.01
"""A failure is clear where less of healthy time than this looks as strange."""

_STRENGTHS = np.array([4.0, 8.0, 16.0, 32.0, 64.0, 128.0])
"""For how many failures the belief may count that all signals matter alike; which of them suits, the data say."""


@dataclass
class Sharpening:
    """Weights of signals, drawn towards those that stood out before known failures.

    Before any failure all signals weigh alike, 1. Each failure adds what share of what was strange before it
    lay in each signal, as far as anything was strange at all. How far the weights follow is an empirical Bayes
    estimate: the mean over strengths of the prior, each as likely as it makes the failures that were
    (Dirichlet and multinomial). However many failures there are, no signal is ever ignored: a failure of a new
    mode is still seen. Where the weights would not have shown more of the failures clearly that were left out of
    their learning, one by one, all stay 1: what makes a failure clearer that is clear without them is worth nothing,
    and often costs one that shows in another signal.

    Attributes
    ----------
    weights : of each signal, mean 1
    failures : how many they were learnt from; 0 where they stay 1
    signals : their names (and "errors", clocks …); empty where only numbers were given
    """

    weights: Floats
    failures: int = 0
    signals: tuple[str, ...] = ()

    @classmethod
    def learn(cls, before: Sequence[Floats], healthy: Floats) -> Self:
        """Learn from what each signal added to the score.

        Parameters
        ----------
        before : of the rows before each failure, shape (n_i, n_signals) each
        healthy : of healthy rows, shape (n, n_signals)
        """
        signals = healthy.shape[1]
        known = [rows for rows in before if len(rows)]
        if not known or not len(healthy) or signals < 2:
            return cls(np.ones(signals))
        evidence = np.stack([_evidence(rows, healthy) for rows in known])
        plain = sum(_clear(rows.sum(axis=1), healthy.sum(axis=1)) for rows in known)
        held = [_weights(np.delete(evidence, place, axis=0)) for place in range(len(known))]
        weighed = sum(_clear(rows @ each, healthy @ each) for rows, each in zip(known, held, strict=True))
        return cls(_weights(evidence), len(known)) if weighed > plain else cls(np.ones(signals))

    @classmethod
    def of(cls, detector: "Detector", table: FeatureTable, labels: NDArray[np.int8]) -> Self:
        """Learn from what a fitted detector says of the rows before failures.

        Parameters
        ----------
        labels : 1 before failures, 0 in healthy time, −1 elsewhere
        """
        episode = episodes_of(table, labels)
        signals, of_column = grouped(table.names)
        if not (episode >= 0).any():
            return cls(np.ones(len(signals)), 0, signals)
        healthy = np.flatnonzero(labels == 0)
        healthy = healthy[:: max(1, len(healthy) // _MOST_HEALTHY)]
        member = np.equal.outer(of_column, np.arange(len(signals))).astype(np.float64)
        before = [np.flatnonzero(episode == number) for number in range(episode.max() + 1)]
        rows = np.concatenate([healthy, *before])
        told = np.nan_to_num(detector.contributions(table.where(rows))) @ member
        edges = np.cumsum([len(healthy), *map(len, before)])
        usual, *strange = np.split(told, edges[:-1])
        return replace(cls.learn(strange, usual), signals=signals)

    def on(self, detector: "Detector", names: Sequence[str]) -> "Detector":
        """Return a fitted detector with these weights; itself where all are 1.

        Parameters
        ----------
        names : the columns of the tables that it was fitted to
        """
        if not np.ptp(self.weights) > 0:
            return detector
        weight = dict(zip(self.signals, self.weights, strict=True))
        return Sharpened(detector, np.array([weight.get(group_of(name), 1.0) for name in names]))


class Sharpened:
    """A fitted detector whose signals are weighed; a detector itself, whose contributions add up to its score."""

    def __init__(self, detector: "Detector", column_weights: Floats) -> None:
        self.detector = detector
        self.column_weights = column_weights

    def fit(self, table: FeatureTable, deviations: "Deviations | None" = None) -> Self:
        """Learn from healthy rows; the weights stay."""
        self.detector.fit(table, deviations)
        return self

    def score(self, table: FeatureTable) -> Floats:
        """Return the weighted strangeness of each row; NaN where the detector says nothing."""
        plain = self.detector.score(table)
        return np.where(np.isnan(plain), np.nan, self.contributions(table).sum(axis=1))

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, (n_rows, n_names); it sums to the score."""
        return self.detector.contributions(table) * self.column_weights


def _evidence(rows: Floats, healthy: Floats) -> Floats:
    """Return the share of each signal in what was strange before one failure; it sums to how strange that was.

    Nothing is learnt from a failure that gave no sign: its share sums to nothing.
    """
    late = rows[len(rows) // 2 :]
    usual = np.median(healthy, axis=0)
    excess = np.maximum(0.0, late.mean(axis=0) - usual)
    whole = excess.sum()
    if whole <= 0:
        return np.zeros(rows.shape[1])
    sign = max(0.0, 2 * float((healthy.sum(axis=1) < np.median(late.sum(axis=1))).mean()) - 1)
    return np.asarray(sign * excess / whole)


def _weights(evidence: Floats) -> Floats:
    """Return the posterior mean of the signals' shares, times their number; 1 without evidence."""
    from scipy.special import gammaln

    counts, signals = evidence.sum(axis=0), evidence.shape[1]
    total = counts.sum()
    own = _STRENGTHS[:, np.newaxis] / signals
    fit = (gammaln(own + counts) - gammaln(own)).sum(axis=1)
    fit += gammaln(_STRENGTHS) - gammaln(_STRENGTHS + total)
    likely = np.exp(fit - fit.max())
    shares = (own + counts) / (_STRENGTHS[:, np.newaxis] + total)
    return np.asarray(signals * (likely / likely.sum()) @ shares)


def _clear(rows: Floats, healthy: Floats) -> bool:
    """Say whether a failure's usual row is so strange that less than ``_CLEAR`` of healthy time is as strange."""
    usual = np.median(rows[len(rows) // 2 :])
    return bool(np.count_nonzero(healthy >= usual) < _CLEAR * len(healthy))
