"""Several opinions to one: how much each of several classifiers is believed, and how sure they are together."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]

LEAST = 1e-6
"""No classifier is believed to be surer than that of anything."""
_RIDGE = 2.0
_STRONGEST = 5.0


def log_shares(probabilities: Floats) -> Floats:
    """Return the logarithms of probabilities, of none less than ``LEAST``."""
    return np.log(np.clip(probabilities, LEAST, 1))


def pooled(logs: Floats, weights: Floats) -> Floats:
    """Return the probabilities on which several classifiers settle: p ∝ Π pₘ^wₘ.

    Parameters
    ----------
    logs : of the probabilities of each classifier, shape (n_classifiers, n_rows, n_classes)
    weights : shape (n_classifiers,)

    Examples
    --------
    >>> logs = np.log([[[0.9, 0.1]], [[0.5, 0.5]]])
    >>> pooled(logs, np.array([1.0, 1.0])).round(3).tolist()
    [[0.9, 0.1]]
    """
    together = np.tensordot(weights, logs, 1)
    together -= together.max(axis=1, keepdims=True)
    shares = np.exp(together)
    return shares / shares.sum(axis=1, keepdims=True)


def pool_weights(logs: Floats, code: NDArray[np.intp], rows: float | None = None) -> Floats:
    """Return how much each classifier is to be believed, by what they said of rows that they had not seen.

    Their weighted log-probabilities are made as likely as can be, drawn towards equal parts of 1. The sum of the
    weights calibrates: below 1 they were too sure together.

    Parameters
    ----------
    logs : shape (n_classifiers, n_rows, n_classes)
    code : what was recorded, shape (n_rows,)
    rows : as how many independent rows these count; all when left out

    References
    ----------
    Genest, Zidek: Combining probability distributions, Statistical Science 1 (1986): logarithmic pools.
    """
    members, count = len(logs), logs.shape[1]
    start = np.full(members, 1 / members)
    scale = 1.0 if rows is None else rows / max(count, 1)
    recorded = logs[:, np.arange(count), code]

    def loss(weights: Floats) -> tuple[float, Floats]:
        together = np.tensordot(weights, logs, 1)
        top = together.max(axis=1, keepdims=True)
        shares = np.exp(together - top)
        total = shares.sum(axis=1, keepdims=True)
        likelihood = together[np.arange(count), code] - (top + np.log(total))[:, 0]
        expected = np.einsum("nk,mnk->m", shares / total, logs)
        away = weights - start
        return (
            float(-likelihood.sum() * scale + _RIDGE * away @ away),
            -(recorded.sum(axis=1) - expected) * scale + 2 * _RIDGE * away,
        )

    found = minimize(loss, start, jac=True, bounds=[(0.0, _STRONGEST)] * members, method="L-BFGS-B")
    return np.where(found.x < 1e-3, 0.0, found.x)
