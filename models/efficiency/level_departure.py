"""A stretch of a series whose level departs from the rest, however much the values follow each other.

Each stretch is tried as a column of its own beside the constant and the lags, so that the autocorrelation is
learnt with the stretch taken out: a shift that is not in the model passes for a long memory, and hides.

Sources: Andrews, Tests for parameter instability and structural change with unknown change point, Econometrica 61
(1993); Olshen, Venkatraman, Lucito and Wigler, Circular binary segmentation, Biostatistics 5 (2004).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.autoregression import Autoregression, forgotten, lagged, simulated
from models.efficiency.look import Floats
from models.efficiency.normal_scores import NormalScores

SHORTEST = 8
"""Points of the shortest stretch that is tried; shorter ones are outliers."""
CERTAIN_BELOW = 10.0
"""No series of a hundred points and more makes it a departure at one in a hundred."""
SIMULATED = 199
"""Simulated series beside which the largest departure has to stand out: with 199, one in a hundred is the second."""

LONGEST_SIMULATED = 1000
"""Points of simulated series. In longer ones there are more stretches in proportion, each as unlikely as before."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The most departing stretch of each row.

    Attributes
    ----------
    statistic : F of its column, shape (rows,)
    begin, end : first point and the one after the last, shape (rows,)
    """

    statistic: Floats
    begin: NDArray[np.intp]
    end: NDArray[np.intp]


def largest_departure(values: Floats, most: int) -> Departure:
    """Return the stretch of each row that fits least to the rest, at most half of it.

    Tried are all that touch an end, and of those within it lengths that grow by √2.

    Parameters
    ----------
    values : shape (rows, n), NaN where missing
    most : lags that are in the model
    """
    columns, known = lagged(values - np.nanmedian(values, axis=1, keepdims=True), most)
    regressors, value = columns[:, :-1], columns[:, -1]
    products = regressors @ regressors.transpose(0, 2, 1)
    index = np.arange(most + 1)
    products[:, index, index] *= 1 + 1e-10
    whitened = np.linalg.solve(np.linalg.cholesky(products), regressors)
    explained = np.einsum("rkt,rt->rk", whitened, value)
    left = value - np.einsum("rk,rkt->rt", explained, whitened)
    sums, counts, whites = (_summed(each) for each in (left, known.astype(np.float64), whitened))
    count = left.shape[1]
    begins, ends = _stretches(count)
    best = np.zeros((3, len(values)))
    for begin, end in zip(begins, ends, strict=True):
        total = sums[:, end] - sums[:, begin]
        held = counts[:, end] - counts[:, begin] - np.square(whites[:, :, end] - whites[:, :, begin]).sum(axis=1)
        gain = np.where(held > 1.0, total**2 / np.maximum(held, 1.0), 0.0)
        place = gain.argmax(axis=1)
        highest = gain[np.arange(len(values)), place]
        better = highest > best[0]
        best[:, better] = np.stack([highest, begin[place], end[place]])[:, better]
    unexplained = np.square(left).sum(axis=1)
    freedom = known.sum(axis=1) - most - 2
    statistic = best[0] * freedom / np.maximum(unexplained - best[0], 1e-12 * unexplained)
    return Departure(statistic, best[1].astype(np.intp) + most, best[2].astype(np.intp) + most)


def exceeded(statistic: float, model: Autoregression, rest: Floats, most: int, random: np.random.Generator) -> bool:
    """Return whether fewer than one in a hundred stable series of the same correlation and distribution depart as far.

    Parameters
    ----------
    model : of one row, learnt from the rest
    rest : the series without the stretch, NaN in its place, shape (n,)
    """
    if statistic < CERTAIN_BELOW:
        return False
    phi, count = model.coefficients[0], len(rest)
    burn, points = forgotten(phi), min(count, LONGEST_SIMULATED)
    residuals = model.residuals(rest[np.newaxis])
    innovations = NormalScores.of(residuals[:, np.isfinite(residuals[0])]).drawn(
        random.standard_normal((SIMULATED, burn + points))
    )
    series = simulated(phi, innovations, burn)
    beside = np.sort(largest_departure(series, most).statistic)
    # Far out F falls like e^(−F/2), so so many times as many stretches reach this much higher.
    return bool(statistic > beside[-2] + 2 * np.log(count / points))


def _stretches(count: int) -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """Return begins and ends of what is tried, in groups."""
    half = count // 2
    sizes = np.arange(SHORTEST, half + 1)
    begins, ends = [np.zeros_like(sizes), count - sizes], [sizes, np.full_like(sizes, count)]
    size = float(SHORTEST)
    while size <= half:
        begin = np.arange(1, count - int(size))
        begins.append(begin)
        ends.append(begin + int(size))
        size *= np.sqrt(2)
    return begins, ends


def _summed(values: Floats) -> Floats:
    """Return sums of the first 0, 1, 2, … points along the last axis."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
