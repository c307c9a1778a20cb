"""One distance for how far along the usual directions a row lies and how far off them."""

import numpy as np
from numpy.typing import NDArray

from models.anomaly.covariance import quadratic, shrunk_covariance

_EXPLAINED = 0.9
_TINY = 1e-9


def combined_index(usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix whose quadratic form is T² + Q, each over its median; shape (n_columns, n_columns).

    Parameters
    ----------
    usual : deviations of healthy rows, shape (n_rows, n_columns)

    References
    ----------
    Yue, Qin: Reconstruction-based fault identification using a combined index, Ind. Eng. Chem. Res. 40, 2001.
    """
    width = usual.shape[1]
    variances, directions = np.linalg.eigh(shrunk_covariance(usual))
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), _EXPLAINED)) + 1
    inside = directions[:, :kept]
    matrix = np.zeros((width, width))
    for part in ((inside / variances[:kept]) @ inside.T, np.eye(width) - inside @ inside.T):
        middle = float(np.median(quadratic(usual, part)))
        if middle > _TINY:
            matrix = matrix + part / middle
    return matrix
