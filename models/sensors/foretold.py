"""What a signal should say, given what the others say: a plane through the hours at which they said the same.

References
----------
Cleveland, Devlin: Locally weighted regression, J. American Statistical Association 83, 1988.
Hines, Garvey: Development and application of fault detectability performance metrics for instrument calibration
verification and anomaly detection, J. Pattern Recognition Research 1, 2006 (why each signal is left out of its own).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.sensors.block import Flags, Values

NEIGHBOURS = 100
_FARTHEST = 9.0
_RIDGE = 3.0
_FURTHEST_OUT = 2.0
_LEAST_SPREAD = 0.5


def gaps(now: Values, seen: Values) -> NDArray[np.float32]:
    """Return how far each hour is from each seen one, by signal: squared, at most three noises' worth.

    So that one broken signal is as far from all of them. Shape (n_signals, n_hours, n_seen).
    """
    found = now.astype(np.float32)[:, :, np.newaxis] - seen.astype(np.float32)[:, np.newaxis]
    np.multiply(found, found, out=found)
    # Also where one of them is not known.
    return np.fmin(found, _FARTHEST, out=found)


def nearest(distance: NDArray[np.float32], allowed: Flags | None = None) -> tuple[Values, Flags]:
    """Return how far the farthest of the nearest seen hours is from each hour, and which they are."""
    usable = distance if allowed is None else np.where(allowed, distance, np.float32(np.inf))
    most = min(NEIGHBOURS, usable.shape[1]) - 1
    far = np.partition(usable, most, axis=1)[:, most]
    return far.astype(np.float64), usable <= far[:, np.newaxis]


def foretold(signal: int, by: Sequence[int], now: Values, seen: Values, near: Flags) -> tuple[Values, Values]:
    """Return what a signal should say at each hour, and how far it was from that in the hours alike.

    Parameters
    ----------
    by : the signals that it is foretold by
    now : shape (n_signals, n_hours), NaN where a signal was not read
    seen : the same at other hours, shape (n_signals, n_seen), without gaps
    near : which of those are alike, shape (n_hours, n_seen)

    Returns
    -------
    (expected, spread), each of shape (n_hours,)
    """
    used = [signal, *by]
    level = seen[used].mean(axis=1)
    values = (seen[used] - level[:, np.newaxis]).T
    share = near / near.sum(axis=1, keepdims=True)
    row, column = np.triu_indices(len(used))
    sums = _summed(share, np.concatenate([values.T, (values[:, row] * values[:, column]).T]))
    middle, square = sums[:, : len(used)], np.empty((len(near), len(used), len(used)))
    square[:, row, column] = square[:, column, row] = sums[:, len(used) :]
    square -= middle[:, :, np.newaxis] * middle[:, np.newaxis]
    out = (now[list(by)] - level[1:, np.newaxis]).T - middle[:, 1:]
    known = ~np.isnan(out)
    most = _FURTHEST_OUT * np.sqrt(np.maximum(np.einsum("hpp->hp", square)[:, 1:], 0.0))
    out = np.where(known, np.clip(out, -most, most), 0.0)
    inner = square[:, 1:, 1:] * known[:, :, np.newaxis] * known[:, np.newaxis]
    inner = inner + _RIDGE / NEIGHBOURS * np.eye(len(by))
    slope = np.linalg.solve(inner, (square[:, 1:, 0] * known)[:, :, np.newaxis])[:, :, 0]
    left = square[:, 0, 0] - (slope * square[:, 1:, 0]).sum(axis=1)
    expected = level[0] + middle[:, 0] + (slope * out).sum(axis=1)
    return expected, np.sqrt(np.maximum(left, 0.0) + _LEAST_SPREAD**2)


def _summed(share: Values, values: Values) -> Values:
    """Return the shares' sums of values (n_values, n_seen), shape (n_hours, n_values), on one thread: it is small."""
    return np.asarray(np.einsum("hs,vs->hv", share, values))
