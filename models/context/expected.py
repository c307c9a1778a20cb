"""What the other signals let expect of a signal: a robust ridge regression of window means."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.column import RESIDUAL, SEPARATOR
from features.table import FeatureTable

_HUBER = 1.345
_MAD_TO_SIGMA = 1.4826
_TURNS = 6
_ROWS_OF_AN_INPUT = 10
_EXACT = 1e-12

Floats = NDArray[np.float64]


@dataclass
class Expected:
    """A linear law for each signal, learnt within machines, since machines of a class differ by nature.

    It is learnt from the shortest windows and holds for all of them: what is linear in a signal is linear in
    its means, so the residual of a mean is the mean of the residuals.

    Attributes
    ----------
    signals : those that something is expected of
    inputs : those that it is expected from; a signal is never expected from itself
    windows : lengths, as in names of columns, shortest first
    intercept : shape (n_signals,), in each signal's unit
    slope : shape (n_signals, n_inputs), in units of signal over input

    References
    ----------
    Huber: Robust Statistics, 1981. Hoerl, Kennard, Baldwin: Ridge regression: some simulations, Communications
    in Statistics 4, 1975.
    """

    signals: tuple[str, ...]
    inputs: tuple[str, ...]
    windows: tuple[str, ...]
    intercept: Floats
    slope: Floats

    @classmethod
    def learn(
        cls, table: FeatureTable, signals: tuple[str, ...], inputs: tuple[str, ...], windows: tuple[str, ...]
    ) -> Self:
        """Learn from healthy rows; a signal that cannot be learnt has NaN, and so has what is expected of it."""
        intercept, slope = np.full(len(signals), np.nan), np.zeros((len(signals), len(inputs)))
        means = {name: _mean(table, name, windows[0]) for name in dict.fromkeys((*signals, *inputs))}
        for place, signal in enumerate(signals):
            others = [at for at, name in enumerate(inputs) if name != signal]
            law = _law(table.machine, np.stack([means[inputs[at]] for at in others], axis=1), means[signal])
            if law is not None:
                intercept[place], slope[place, others] = law
        return cls(signals, inputs, windows, intercept, slope)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that ``of`` gives."""
        return tuple(SEPARATOR.join((signal, RESIDUAL, window)) for signal in self.signals for window in self.windows)

    def of(self, table: FeatureTable) -> Floats:
        """Return how far each mean lies above what is expected, shape (n_rows, n_names), in the signals' units.

        NaN where a signal that it is expected from is not known.
        """
        found = np.full((len(table), len(self.signals), len(self.windows)), np.nan)
        for at, window in enumerate(self.windows):
            inputs = np.stack([_mean(table, name, window) for name in self.inputs], axis=1)
            for place, signal in enumerate(self.signals):
                used = self.slope[place] != 0
                expected = self.intercept[place] + inputs[:, used] @ self.slope[place, used]
                found[:, place, at] = _mean(table, signal, window) - expected
        return found.reshape(len(table), len(self.names))


def _mean(table: FeatureTable, signal: str, window: str) -> Floats:
    return table.values[:, table.names.index(SEPARATOR.join((signal, "mean", window)))]


def _law(machine: NDArray[np.object_], inputs: Floats, values: Floats) -> tuple[float, Floats] | None:
    """Return intercept and slopes; ``None`` with too few rows."""
    known = np.isfinite(inputs).all(axis=1) & np.isfinite(values)
    if known.sum() < _ROWS_OF_AN_INPUT * (inputs.shape[1] + 1):
        return None
    own = np.unique(machine[known].astype(str), return_inverse=True)[1]
    rows = np.column_stack([inputs[known], values[known]])
    # In an order of their own, so that the names of machines and their order change no sum.
    order = np.lexsort(rows.T)
    rows, own = rows[order], np.unique(own[order], return_inverse=True)[1]
    x, y = rows[:, :-1], rows[:, -1]
    middle = np.median(x, axis=0)
    size = (x - middle).std(axis=0)
    varies = size > _EXACT * np.abs(x).max(axis=0)
    slope = np.zeros(x.shape[1])
    if varies.any():
        slope[varies] = _robust_ridge((x - middle)[:, varies] / size[varies], y, own) / size[varies]
    return float(pd.Series(y - x @ slope).groupby(own).median().median()), slope


def _robust_ridge(x: Floats, y: Floats, own: NDArray[np.intp]) -> Floats:
    """Return slopes common to all machines, each with an intercept of its own.

    Far rows count less, and slopes are penalised by as much as the noise asks for: not at all without any.
    """
    weight, slope = np.ones(len(y)), np.zeros(x.shape[1])
    for _ in range(_TURNS):
        total = np.bincount(own, weight)
        left, right = (
            each - np.stack([np.bincount(own, weight * column) / total for column in each.T], axis=1)[own]
            for each in (x, y[:, np.newaxis])
        )
        root = np.sqrt(weight)[:, np.newaxis]
        weighed, aim = left * root, (right * root)[:, 0]
        plain = np.linalg.lstsq(weighed, aim, rcond=1e-9)[0]
        noise = float(((aim - weighed @ plain) ** 2).sum()) / max(len(y) - x.shape[1], 1)
        penalty = min(x.shape[1] * noise / max(float(plain @ plain), np.finfo(np.float64).tiny), 1e12 * len(y))
        widened = np.vstack([weighed, np.sqrt(penalty) * np.eye(x.shape[1])])
        slope = np.linalg.lstsq(widened, np.r_[aim, np.zeros(x.shape[1])], rcond=1e-9)[0]
        away = np.abs(right[:, 0] - left @ slope)
        sigma = _MAD_TO_SIGMA * float(np.median(away))
        if sigma <= _EXACT * float(np.abs(y).max()):
            break
        weight = np.minimum(1.0, _HUBER * sigma / np.maximum(away, np.finfo(np.float64).tiny))
    return slope
