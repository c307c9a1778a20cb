"""Normal values of features: of each machine where its healthy past is known, else of its class."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.duration import parse_duration

_MAD_TO_SIGMA = 1.4826
_NO_WINDOW_HOURS = 24.0


@dataclass
class Normal:
    """What is normal for each feature.

    A machine's own median is shrunk to the median of its class: the less healthy time it has and
    the less machines differ, the more (empirical Bayes). A machine that was never seen has the
    class's median and a wider scale, since nobody knows where it will settle.

    Attributes
    ----------
    names : feature columns
    centre : array of shape (n_names,), median of the class
    spread : array of shape (n_names,), robust standard deviation within one machine; 0 where constant
    between : array of shape (n_names,), standard deviation between machines
    machines : machines with values of their own, sorted
    own : array of shape (n_machines, n_names)
    """

    names: tuple[str, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    between: NDArray[np.float64]
    machines: tuple[str, ...]
    own: NDArray[np.float64]

    def of(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the normal values for each row's machine, shape (n_rows, n_names)."""
        return np.vstack([self.own, self.centre[np.newaxis]])[self._positions(table.machine)]

    def standardise(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return how many robust standard deviations each value lies from normal; NaN stays NaN.

        A feature that was constant gives 0.
        """
        positions = self._positions(table.machine)
        scale = np.vstack([np.tile(self.spread, (len(self.machines), 1)), np.hypot(self.spread, self.between)])
        with np.errstate(divide="ignore"):
            weight = np.where(scale > 0, 1 / scale, 0.0)
        return (table.values - self.of(table)) * weight[positions]

    def _positions(self, machine: NDArray[np.object_]) -> NDArray[np.intp]:
        known = {name: index for index, name in enumerate(self.machines)}
        names, inverse = np.unique(machine.astype(str), return_inverse=True)
        return np.array([known.get(name, len(known)) for name in names], dtype=np.intp)[inverse]


def window_hours(name: str) -> float:
    """Return the window length in a feature's name, in hours; a day where it names none.

    Examples
    --------
    >>> window_hours("voltage__mean__30min"), window_hours("voltage__mean_change__3h_vs_48h")
    (0.5, 48.0)
    """
    try:
        return parse_duration(name.rsplit("__", 1)[-1].rsplit("_vs_", 1)[-1]).total_seconds() / 3600
    except ValueError:
        return _NO_WINDOW_HOURS


def normal_of(table: FeatureTable, *, hours_of_a_row: float | None = None) -> Normal:
    """Return the normal values that healthy rows show.

    Parameters
    ----------
    table : healthy rows only; NaN where a feature is not known
    hours_of_a_row : how much time a row stands for; when left out, the rows of a machine stand for all
        time from its first to its last
    """
    frame = pd.DataFrame(table.values, columns=list(table.names))
    groups = frame.groupby(table.machine.astype(str), sort=True)
    medians = groups.median()
    machines = tuple(str(name) for name in medians.index)
    own = medians.to_numpy(dtype=np.float64)
    _, inverse = np.unique(table.machine.astype(str), return_inverse=True)
    spread = _robust_sigma(frame - own[inverse] if len(frame) else frame)
    centre = medians.median().to_numpy(dtype=np.float64)
    times = pd.Series(table.time).groupby(table.machine.astype(str))
    whole = times.agg(lambda time: time.max() - time.min()).dt.total_seconds().to_numpy() / 3600
    hours = whole if hours_of_a_row is None else hours_of_a_row * times.size().to_numpy()
    windows = np.array([window_hours(name) for name in table.names])
    independent = np.maximum(1.0, hours[:, np.newaxis] / windows)
    noise = spread**2 / independent
    variance = medians.var(ddof=1).fillna(0).to_numpy(dtype=np.float64) if len(machines) > 1 else np.zeros(len(windows))
    between = np.maximum(0.0, variance - noise.mean(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(noise > 0, between / (between + noise), 1.0)
    if len(machines) == 1:
        weight = np.ones_like(own)
    own = np.where(np.isnan(own), centre, centre + weight * (own - centre))
    return Normal(table.names, centre, spread, np.sqrt(between), machines, own)


def _robust_sigma(deviations: pd.DataFrame) -> NDArray[np.float64]:
    """Return 1.48 median absolute deviations, or the standard deviation of features that mostly stand still."""
    robust = _MAD_TO_SIGMA * deviations.abs().median().to_numpy(dtype=np.float64)
    plain = np.sqrt((deviations**2).mean().to_numpy(dtype=np.float64))
    sigma = np.where(robust > 1e-3 * plain, robust, plain)
    magnitude = deviations.abs().max().to_numpy(dtype=np.float64)
    return np.where(np.isfinite(sigma) & (magnitude > 0), sigma, 0.0)
