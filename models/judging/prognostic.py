"""How good predictions of remaining life are: the figures of the prognostics literature, to the letter.

All times and lives are in hours, or all in one other unit. A predicted life is given by some of its
quantiles; infinite ones lie beyond the range of the model.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.judging.interval import Interval, wilson

Floats = NDArray[np.float64]

EARLY, LATE = 13.0, 10.0
"""Constants of the PHM08 score: being late is dearer."""


def rmse(predicted: Floats, true: Floats, *, cap: float = math.inf) -> float:
    """Return the root of the mean squared error; with a cap, predictions and truth count as no more than that.

    Examples
    --------
    >>> rmse(np.array([10.0, 130.0]), np.array([13.0, 134.0])).__round__(3)
    3.536
    >>> rmse(np.array([10.0, 130.0]), np.array([13.0, 134.0]), cap=125.0).__round__(3)
    2.121
    """
    return float(np.sqrt(np.mean(_errors(predicted, true, cap) ** 2)))


def phm08(predicted: Floats, true: Floats, *, cap: float = math.inf) -> float:
    """Return Σ exp(−d / 13) − 1 for d < 0 and Σ exp(d / 10) − 1 otherwise, d = predicted − true.

    With a cap, predictions and truth count as no more than that. In cycles; lower is better.

    Examples
    --------
    >>> phm08(np.array([0.0, 10.0]), np.array([13.0, 0.0])).__round__(4)
    3.4366

    References
    ----------
    Saxena, Goebel, Simon, Eklund: Damage propagation modeling for aircraft engine run-to-failure simulation,
    PHM 2008.
    """
    error = _errors(predicted, true, cap)
    return float(np.where(error < 0, np.expm1(-error / EARLY), np.expm1(error / LATE)).sum())


def expected_life(levels: Sequence[float], quantiles: Floats, *, cap: float) -> Floats:
    """Return the mean of lives that count as no more than a cap, from some of their quantiles.

    No other number has a lower mean squared error (the restricted mean of survival analysis); a median does not aim at
    it where many lives outlast the cap. Between two quantiles they go straight; the outermost stand for all beyond.

    Parameters
    ----------
    levels : ascending, 0 to 1
    quantiles : infinite beyond the range of the model, shape (n, n_levels)
    cap : no more than that range, or what lies beyond counts as too much

    Returns
    -------
    shape (n,), in the unit of the quantiles

    Examples
    --------
    >>> lives = np.array([[20.0, 40.0, 60.0], [85.0, 125.0, math.inf]])
    >>> expected_life((0.1, 0.5, 0.9), lives, cap=125.0).round(6).tolist()
    [40.0, 113.0]

    References
    ----------
    Royston, Parmar: Restricted mean survival time, BMC Medical Research Methodology 13, 2013.
    """
    weight = np.diff(np.concatenate([[0.0], (np.array(levels)[1:] + np.array(levels)[:-1]) / 2, [1.0]]))
    # The outermost stand for what lies beyond them, and for half of the way to their neighbours: trapezoids.
    return np.minimum(quantiles, cap) @ weight


def _errors(predicted: Floats, true: Floats, cap: float) -> Floats:
    return np.minimum(predicted, cap) - np.minimum(true, cap)


def coverage(low: Floats, high: Floats, true: Floats) -> Interval:
    """Return how often the truth lies in [low, high], with its interval; an infinite ``high`` has no end."""
    inside = (low <= true) & (true <= high)
    return wilson(int(inside.sum()), len(inside))


def share_within(levels: Sequence[float], quantiles: Floats, low: float, high: float) -> float:
    """Return which share of a predicted life surely lies in [low, high].

    Between two quantiles the share grows in proportion. What lies outside of the outermost quantiles is not
    known and is counted as outside.

    Parameters
    ----------
    levels : ascending, 0 to 1
    quantiles : shape (n_levels,), ascending

    Examples
    --------
    >>> share_within((0.1, 0.5, 0.9), np.array([20.0, 40.0, 60.0]), 30.0, 50.0).__round__(2)
    0.4
    >>> share_within((0.1, 0.5, 0.9), np.array([20.0, 40.0, np.inf]), 0.0, 1e9)
    0.4
    """
    upper, lower = _share(levels, quantiles, high, "right"), _share(levels, quantiles, low, "left")
    return max(0.0, upper - lower)


def _share(levels: Sequence[float], quantiles: Floats, at: float, side: str) -> float:
    place = int(np.searchsorted(quantiles, at, side="right" if side == "right" else "left"))
    if place == 0:
        return levels[0]
    if place == len(levels) or not math.isfinite(quantiles[place]):
        return levels[place - 1]
    before, after = float(quantiles[place - 1]), float(quantiles[place])
    return levels[place - 1] + (levels[place] - levels[place - 1]) * (at - before) / (after - before)


def alpha_lambda(
    time: Floats,
    levels: Sequence[float],
    lives: Floats,
    end_of_life: float,
    *,
    at: float,
    alpha: float,
    beta: float,
) -> bool | None:
    """Say whether the first prediction at or after ``at`` keeps its promise.

    It does if at least the share ``beta`` of the predicted remaining life lies within ± ``alpha`` times the
    true remaining time of it.

    Parameters
    ----------
    time : of the predictions, ascending, shape (n,)
    levels, lives : quantiles of each predicted remaining life, shape (n, n_levels)
    at : λ, as a time

    Returns
    -------
    ``None`` where nothing is predicted from then on until the end of life

    References
    ----------
    Saxena et al.: Metrics for offline evaluation of prognostic performance, IJPHM 2010.
    """
    chosen = np.flatnonzero((time >= at) & (time < end_of_life))
    if not len(chosen):
        return None
    return _holds(time[chosen[0]], levels, lives[chosen[0]], end_of_life, alpha, beta)


def prognostic_horizon(
    time: Floats, levels: Sequence[float], lives: Floats, end_of_life: float, *, alpha: float, beta: float
) -> float | None:
    """Return the end of life minus the first time at which the criterion of ``alpha_lambda`` holds.

    ``None`` where it never does.
    """
    for each, own in zip(time.tolist(), lives, strict=True):
        if each < end_of_life and _holds(each, levels, own, end_of_life, alpha, beta):
            return end_of_life - each
    return None


def _holds(
    time: float, levels: Sequence[float], quantiles: Floats, end_of_life: float, alpha: float, beta: float
) -> bool:
    true = end_of_life - time
    return bool(share_within(levels, quantiles, (1 - alpha) * true, (1 + alpha) * true) >= beta)


def monotonicity(values: Floats) -> float | None:
    """Return |Σ sign(x[i+1] − x[i])| / (N − 1): 1 where values only rise or only fall; ``None`` of fewer than two.

    Examples
    --------
    >>> monotonicity(np.array([5.0, 4.0, 4.0, 3.0, 3.5])), monotonicity(np.array([3.0, 2.0, 1.0]))
    (0.25, 1.0)
    """
    if len(values) < 2:
        return None
    return float(abs(np.sign(np.diff(values)).sum()) / (len(values) - 1))
