"""A covariance that few and broken rows do not spoil."""

import numpy as np
from numpy.typing import NDArray

_WINSOR = 5.0
_KEPT = 0.9
_TINY = 1e-9

Floats = NDArray[np.float64]


def shrunk_covariance(usual: Floats) -> Floats:
    """Return the covariance about 0, drawn towards independent features; shape (n_columns, n_columns).

    Few rows make directions look certain that are not. Values count up to five standard deviations.

    Parameters
    ----------
    usual : deviations of healthy rows, shape (n_rows, n_columns)
    """
    rows, width = usual.shape
    usual = np.clip(usual, -_WINSOR, _WINSOR)
    covariance = usual.T @ usual / rows
    doubt = width / (width + rows)
    return (1 - doubt) * covariance + doubt * np.diag(np.diag(covariance)) + _TINY * np.eye(width)


def against_others(usual: Floats) -> Floats:
    """Return the weights whose sum is what the first column leaves when it is regressed on the others, first weight 1.

    Parameters
    ----------
    usual : deviations of healthy rows, shape (n_rows, n_columns)

    References
    ----------
    Hawkins: Multivariate quality control based on regression-adjusted variables, Technometrics 33, 1991.
    """
    covariance = shrunk_covariance(usual)
    return np.r_[1.0, -np.linalg.solve(covariance[1:, 1:], covariance[1:, 0])]


def robust_precision(usual: Floats) -> Floats:
    """Return the inverse of a covariance to which the farthest tenth of the rows has nothing to say.

    It is scaled so that the median squared distance of the rows is the number of columns.

    References
    ----------
    Rousseeuw, Van Driessen: A fast algorithm for the minimum covariance determinant estimator,
    Technometrics 41, 1999; one concentration step of it.
    """
    precision = np.asarray(np.linalg.inv(shrunk_covariance(usual)), dtype=np.float64)
    distance = quadratic(usual, precision)
    near = distance <= np.quantile(distance, _KEPT)
    precision = np.asarray(np.linalg.inv(shrunk_covariance(usual[near])), dtype=np.float64)
    middle = float(np.median(quadratic(usual, precision)))
    return precision * (usual.shape[1] / middle) if middle > _TINY else precision


def quadratic(rows: Floats, matrix: Floats) -> Floats:
    """Return row · matrix · row of each row."""
    return ((rows @ matrix) * rows).sum(axis=1)
