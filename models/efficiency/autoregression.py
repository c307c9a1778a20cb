"""Autoregressions of many series at once: x = c + Σ φ_j x(t − j) + e, the order chosen for each.

Least squares given the first points, so a missing value costs the rows that it takes part in and nothing else.
The order is the one with the least BIC. All orders come from one Cholesky factor: the columns are constant,
lag 1, lag 2, …, value, and the factor of the first columns is part of the factor of all.

Source: Schwarz, Estimating the dimension of a model, Annals of Statistics 6 (1978); Brockwell and Davis,
Time Series: Theory and Methods (1991).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.efficiency.look import Floats

LARGEST_ROOT = 0.995
"""A process that forgets less from point to point has no level that a phase I could show."""


@dataclass(frozen=True, slots=True)
class Autoregression:
    """One model for each row.

    Attributes
    ----------
    constant : c, shape (rows,)
    coefficients : φ_1 … φ_most, shape (rows, most); 0 beyond the order
    sigma : standard deviation of e, corrected for what was estimated, shape (rows,)
    order : shape (rows,)
    points : how many residuals it was learnt from, shape (rows,)
    """

    constant: Floats
    coefficients: Floats
    sigma: Floats
    order: NDArray[np.intp]
    points: NDArray[np.intp]

    def residuals(self, values: Floats) -> Floats:
        """Return what the past does not explain, shape (rows, n − most), beginning with point ``most``.

        NaN where the value or one that it is predicted from is missing.
        """
        most, count = self.coefficients.shape[1], values.shape[1]
        left = values[:, most:] - self.constant[:, np.newaxis]
        for lag in range(1, most + 1):
            phi = self.coefficients[:, lag - 1 : lag]
            if phi.any():
                left -= phi * values[:, most - lag : count - lag]
        return left

    def less(self, bias: Floats, values: Floats) -> "Autoregression":
        """Return it with a bias taken off the coefficients, and constant and sigma learnt anew with them.

        Where the corrected process would not be stationary as much of the bias is taken off as leaves it so.

        Parameters
        ----------
        bias : shape (most,); coefficients beyond the order stay 0
        values : what it was learnt from
        """
        used = np.arange(self.coefficients.shape[1]) < self.order[:, np.newaxis]
        off = np.where(used, bias, 0.0)
        coefficients = self.coefficients - off
        for part in (0.75, 0.5, 0.25, 0.0):
            wild = largest_root(coefficients) > LARGEST_ROOT
            if not wild.any():
                break
            coefficients = np.where(wild[:, np.newaxis], self.coefficients - part * off, coefficients)
        bare = replace(self, constant=np.zeros_like(self.constant), coefficients=coefficients)
        left = bare.residuals(values)
        constant = np.nanmean(left, axis=1)
        spread = np.nansum((left - constant[:, np.newaxis]) ** 2, axis=1) / (self.points - self.order - 1)
        return replace(bare, constant=constant, sigma=np.sqrt(spread))

    def take(self, rows: NDArray[np.intp]) -> "Autoregression":
        """Return some rows of it."""
        return Autoregression(
            self.constant[rows], self.coefficients[rows], self.sigma[rows], self.order[rows], self.points[rows]
        )

    @property
    def memory(self) -> Floats:
        """Σ φ_j, shape (rows,): what part of a level is explained by the level before."""
        return self.coefficients.sum(axis=1)

    @property
    def centre(self) -> Floats:
        """The level that it returns to, shape (rows,)."""
        return self.constant / (1 - self.memory)


def fitted(values: Floats, most: int) -> Autoregression:
    """Learn a model of each row.

    Parameters
    ----------
    values : shape (rows, n), NaN where missing
    most : the highest order that is tried

    Raises
    ------
    ValueError
        Where fewer than 3 (most + 2) points have a value and the ``most`` values before it, or where they do not vary.
    """
    middle = np.nanmedian(values, axis=1, keepdims=True)
    columns, known = lagged(values - middle, most)
    points = known.sum(axis=1)
    if points.min() < 3 * (most + 2):
        raise ValueError(f"{points.min()} points with all {most} before them are too few for an autoregression")
    products = columns @ columns.transpose(0, 2, 1)
    if not (products[:, -1, -1] > 0).all():
        raise ValueError("the values do not vary, so there is nothing to chart")
    factor = _factor(products)
    of_value = factor[:, -1, :-1]
    unexplained = products[:, -1, -1, np.newaxis] - np.cumsum(of_value**2, axis=1)
    unexplained = np.maximum(unexplained, 1e-12 * products[:, -1, -1, np.newaxis])
    tried = np.arange(most + 1)
    criterion = points[:, np.newaxis] * np.log(unexplained) + tried * np.log(points)[:, np.newaxis]
    order = np.argmin(criterion, axis=1)
    solved = _solved(factor, tried <= order[:, np.newaxis])
    rows = np.arange(len(values))
    coefficients = solved[:, 1:]
    return Autoregression(
        constant=solved[:, 0] + middle[:, 0] * (1 - coefficients.sum(axis=1)),
        coefficients=coefficients,
        sigma=np.sqrt(unexplained[rows, order] / (points - order - 1)),
        order=order,
        points=points,
    )


def simulated(coefficients: Floats, innovations: Floats, left_out: int) -> Floats:
    """Return stationary rows around 0 with the given innovations.

    Parameters
    ----------
    coefficients : φ, shape (order,), of all rows
    innovations : shape (rows, left_out + n)
    left_out : points at the start in which the process forgets that it began at 0; see ``forgotten``
    """
    return lfilter([1.0], np.concatenate([[1.0], -coefficients]), innovations, axis=1)[:, left_out:]


def forgotten(coefficients: Floats) -> int:
    """Return after how many points less than a hundredth of where it began is left."""
    root = float(largest_root(coefficients[np.newaxis])[0])
    return 10 + int(np.ceil(np.log(0.01) / np.log(min(max(root, 0.01), LARGEST_ROOT))))


def largest_root(coefficients: Floats) -> Floats:
    """Return the modulus of the slowest root of each row; the process is stationary where it is below 1."""
    rows, most = coefficients.shape
    if most == 0:
        return np.zeros(rows)
    if not coefficients[:, 1:].any():
        return np.abs(coefficients[:, 0])
    companion = np.zeros((rows, most, most))
    companion[:, 0] = coefficients
    companion[:, np.arange(1, most), np.arange(most - 1)] = 1.0
    return np.abs(np.linalg.eigvals(companion)).max(axis=1)


def stationary(model: Autoregression) -> Autoregression:
    """Return it with coefficients drawn in where the process would not be stationary; the constant keeps its centre."""
    root = largest_root(model.coefficients)
    shrink = np.minimum(LARGEST_ROOT / np.maximum(root, 1e-12), 1.0)
    lags = np.arange(1, model.coefficients.shape[1] + 1)
    return replace(model, coefficients=model.coefficients * shrink[:, np.newaxis] ** lags)


def autocorrelation(coefficients: Floats, lags: int) -> Floats:
    """Return the correlation with the value k points before, for k = 1 … ``lags``, of one stationary process.

    Examples
    --------
    >>> autocorrelation(np.array([0.5]), 3).round(6).tolist()
    [0.5, 0.25, 0.125]
    """
    weights = responses(coefficients, lags + 2 * forgotten(coefficients))
    size = 1 << (2 * len(weights) - 1).bit_length()
    spectrum = np.fft.rfft(weights, size)
    covariance = np.fft.irfft(spectrum * spectrum.conj(), size)
    return covariance[1 : lags + 1] / covariance[0]


def responses(coefficients: Floats, count: int) -> Floats:
    """Return how much of one innovation is left after 0, 1, 2, … points: ψ, shape (count,)."""
    impulse = np.zeros(count)
    impulse[0] = 1.0
    return lfilter([1.0], np.concatenate([[1.0], -coefficients]), impulse)


def overall_sigma(model: Autoregression) -> float:
    """Return the standard deviation of the values of the first row, not of their innovations."""
    phi = model.coefficients[0]
    return float(model.sigma[0] * np.sqrt(np.sum(responses(phi, 3 * forgotten(phi)) ** 2)))


def lagged(values: Floats, most: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return constant, lags and value side by side, 0 where one of them is missing, and where none is.

    Returns
    -------
    columns : shape (rows, most + 2, n − most)
    known : shape (rows, n − most)
    """
    rows, count = values.shape
    columns = np.empty((rows, most + 2, count - most))
    columns[:, 0] = 1.0
    for lag in range(most + 1):
        columns[:, lag if lag else -1] = values[:, most - lag : count - lag]
    known: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(columns), axis=1)
    if not known.all():
        columns = np.where(known[:, np.newaxis], columns, 0.0)
    return columns, known


def _factor(products: Floats) -> Floats:
    """Return the Cholesky factor; a trace of a ridge keeps lags that repeat each other apart."""
    scale = np.sqrt(np.maximum(np.diagonal(products, axis1=1, axis2=2), np.finfo(float).tiny))
    even = products / (scale[:, :, np.newaxis] * scale[:, np.newaxis])
    index = np.arange(products.shape[1])
    even[:, index, index] += 1e-10
    factor = np.linalg.cholesky(even) * scale[:, :, np.newaxis]
    return np.asarray(factor, dtype=np.float64)


def _solved(factor: Floats, kept: NDArray[np.bool_]) -> Floats:
    """Return the coefficients of the kept first columns, 0 for the others, shape (rows, most + 1)."""
    triangle = factor[:, :-1, :-1] * (kept[:, :, np.newaxis] & kept[:, np.newaxis])
    index = np.arange(kept.shape[1])
    triangle[:, index, index] += ~kept
    right = (factor[:, -1, :-1] * kept)[..., np.newaxis]
    return np.asarray(np.linalg.solve(triangle.transpose(0, 2, 1), right)[..., 0], dtype=np.float64)
