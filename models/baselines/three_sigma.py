"""Three sigma: an alert when the mean of any signal leaves the band in which healthy machines run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.column import signal_of
from features.table import FeatureTable
from models.assessment import Assessments, Reason
from models.baselines.means import shortest_means
from models.baselines.rule import Seen
from models.labels.label import healthy
from models.moment import as_datetime
from models.rows import machine_rows

SIGMAS = 3.0
ROWS_OF_ITS_OWN = 100
"""Healthy rows from which on a machine has a band of its own; before it has that of its class."""


@dataclass(frozen=True, slots=True)
class ThreeSigma:
    """Mean and standard deviation of each signal's mean, over healthy time.

    Attributes
    ----------
    columns : columns of the feature table, shape (n_signals,)
    of_class : mean and standard deviation, shape (2, n_signals)
    of_machine : the same of each machine that has healthy rows enough
    """

    columns: tuple[str, ...]
    of_class: NDArray[np.float64]
    of_machine: Mapping[str, NDArray[np.float64]]

    def describe(self) -> str:
        """Return the rule in words."""
        return f"any of {', '.join(map(signal_of, self.columns))} beyond {SIGMAS:g} sigma of its healthy mean"

    def assess(self, table: FeatureTable) -> Assessments:
        """Return assessments whose level is the largest distance of any signal, in sigmas."""
        values = table.values[:, [table.names.index(name) for name in self.columns]]
        level = np.full(len(table), np.nan)
        for machine, rows in machine_rows(table.machine).items():
            mean, sigma = self.of_machine.get(machine, self.of_class)
            away = np.abs(values[rows] - mean) / sigma
            known = np.isfinite(away).any(axis=1)
            level[rows] = np.where(known, np.max(np.where(np.isfinite(away), away, -1.0), axis=1), np.nan)
        reason = np.where(np.isnan(level), Reason.TOO_LITTLE.value, Reason.OK.value).astype(object)
        # Beyond, not at: at or above the next number is beyond.
        return Assessments("3 sigma", "", table.machine, table.time, level, reason, float(np.nextafter(SIGMAS, np.inf)))


def choose_three_sigma(seen: Seen) -> ThreeSigma | None:
    """Return the bands of healthy time in the training part; ``None`` when no signal has a mean or nothing is healthy.

    Nothing is tuned: the rule is the textbook's, with our persistence. On signals that are correlated from
    window to window it raises more than one alert in 370 windows, as it does in every plant.
    """
    table, rules = seen.table, seen.rules
    columns = shortest_means(table.names)
    if not columns or not len(table):
        return None
    known = rules.known_until or as_datetime(table.time.max())
    normal = healthy(table, seen.targets, rules.horizon, known)
    if not normal.any():
        return None
    values = table.values[:, columns]
    of_class = _band(values[normal])
    kept = np.isfinite(of_class[1])
    if not kept.any():
        return None
    of_machine = {
        machine: np.where(np.isfinite(own[1]), own, of_class)[:, kept]
        for machine, rows in machine_rows(table.machine).items()
        if normal[rows].sum() >= ROWS_OF_ITS_OWN
        for own in (_band(values[rows][normal[rows]]),)
    }
    names = tuple(table.names[column] for column, good in zip(columns, kept, strict=True) if good)
    return ThreeSigma(names, of_class[:, kept], of_machine)


def _band(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean and standard deviation of each column, shape (2, n_columns); NaN where it does not vary."""
    good = np.isfinite(values)
    count = good.sum(axis=0)
    filled = np.where(good, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0) / count
        sigma = np.sqrt((np.where(good, values - mean, 0.0) ** 2).sum(axis=0) / (count - 1))
    return np.stack([mean, np.where((count > 1) & (sigma > 0), sigma, np.nan)])
