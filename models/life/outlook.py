"""From one predicted life to its quantiles: what was predicted of machines unseen, against how long they lived."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.life.life import LEVELS

Floats = NDArray[np.float64]

MOST_STAGES = 20
LIVES_OF_A_STAGE = 4
LOWEST, HIGHEST = 1e-6, 0.999

_AT_REACH = 0.99

QUIET = 0.2
"""Share of the machines that outlived the reach which look worse than one of which nothing is said."""


@dataclass
class Outlook:
    """Quantiles of the remaining life, given what the trees predict, corrected on held-out machines.

    A prediction stands for a stage of life. In each stage, the errors that were made on machines unseen are
    what is added (split conformal prediction, Mondrian by stage); each life counts alike there, however many
    rows it has. Between stages the quantiles go straight. They never cross, and a longer prediction never has
    a shorter quantile.

    Attributes
    ----------
    knots : predicted hours, ascending, shape (n_knots,)
    values : hours of each of ``LEVELS``, shape (n_knots, n_levels), ascending along both axes
    reach : lives are known up to so many hours, and not beyond
    lives : how many lives it was learnt from
    quiet_from : predicted hours from which a machine looks as those do that outlived the reach; infinite where none did

    References
    ----------
    Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005. Kaplan, Meier: Nonparametric estimation
    from incomplete observations, Journal of the American Statistical Association 53, 1958.
    """

    knots: Floats
    values: Floats
    reach: float
    lives: int
    quiet_from: float

    @classmethod
    def learn(
        cls, predicted: Floats, hours: Floats, known: NDArray[np.bool_], life: NDArray[np.intp], reach: float
    ) -> Self:
        """Learn from predictions of rows that the trees had not seen.

        Parameters
        ----------
        predicted : hours, shape (n,)
        hours : how long it went on, no more than ``reach``; where it is not ``known``, it went on for longer
        life : number of the life that each row belongs to
        """
        lives = len(np.unique(life))
        order = np.argsort(predicted, kind="stable")
        count = int(np.clip(lives // LIVES_OF_A_STAGE, 1, MOST_STAGES))
        stages = [rows for rows in np.array_split(order, count) if len(rows)]
        centres = np.array([predicted[rows].mean() for rows in stages])
        errors = np.stack([_error_quantiles((hours - predicted)[rows], known[rows], life[rows]) for rows in stages])
        knots = np.concatenate([[predicted.min()], centres, [predicted.max()]])
        added = errors[[0, *range(len(stages)), -1]]
        outlived = known & (hours >= reach)
        quiet_from = float(np.quantile(predicted[outlived], QUIET)) if outlived.any() else np.inf
        values = _monotone(np.clip(knots[:, np.newaxis] + added, 0.0, reach))
        values[values >= _AT_REACH * reach] = reach
        return cls(knots, values, reach, lives, quiet_from)

    @classmethod
    def untested(cls, reach: float) -> Self:
        """Return what is said where nothing could be held out: hardly more than the prediction's order."""
        widths = np.array([[0.0, 0.0, 0.0, 0.05, 0.2, 0.4, 0.6], [0.2, 0.3, 0.5, 0.9, 1.0, 1.0, 1.0]])
        return cls(np.array([0.0, reach]), reach * widths, reach, 0, np.inf)

    def quantiles(self, predicted: Floats) -> Floats:
        """Return hours of each of ``LEVELS``, shape (n, n_levels), infinite from ``reach`` on.

        Between a stage in which a quantile is within reach and one in which it is not, the nearer one decides: a
        straight line would tell a number of lives that go on for who knows how long.
        """
        middle = (self.knots[1:] + self.knots[:-1]) / 2
        beyond = (self.values >= self.reach)[np.searchsorted(middle, predicted)]
        return np.where(beyond, np.inf, np.minimum(self._within(predicted), np.nextafter(self.reach, 0.0)))

    def quiet(self, predicted: Floats, horizon: float) -> NDArray[np.bool_]:
        """Say where nothing degrades: a machine looks no worse than most that outlived the reach.

        And it must not be one in twenty that ends within the horizon: trees that tell nothing would call all quiet.
        """
        return (predicted >= self.quiet_from) & (self._within(predicted)[:, 0] > horizon)

    def probability(self, predicted: Floats, hours: float) -> Floats:
        """Return the probability that life ends within some hours, shape (n,), 1e-6 to 0.999.

        Between two quantiles its log-odds go straight; beyond the outermost they go on as they do inside, on
        average over all stages.
        """
        found = self._within(predicted)
        odds = np.log(np.array(LEVELS)) - np.log1p(-np.array(LEVELS))
        low, high = self._slopes(odds)
        z = np.where(
            hours < found[:, 0], odds[0] + low * (hours - found[:, 0]), odds[-1] + high * (hours - found[:, -1])
        )
        for place in range(len(LEVELS) - 1):
            begin, end = found[:, place], found[:, place + 1]
            inside = (begin <= hours) & (hours < end)
            part = (hours - begin[inside]) / (end - begin)[inside]
            z[inside] = odds[place] + (odds[place + 1] - odds[place]) * part
        return np.clip(1 / (1 + np.exp(-np.clip(z, -40, 40))), LOWEST, HIGHEST)

    def _within(self, predicted: Floats) -> Floats:
        return np.stack([np.interp(predicted, self.knots, each) for each in self.values.T], axis=1)

    def _slopes(self, odds: Floats) -> tuple[float, float]:
        """Return how fast the log-odds rise with time below and above the known quantiles, per hour."""
        middle = len(odds) // 2
        narrowest = self.reach / 1000
        low = np.median(self.values[:, middle] - self.values[:, 0])
        high = np.median(self.values[:, -1] - self.values[:, middle])
        return tuple(float((odds[-1] - odds[middle]) / max(each, narrowest)) for each in (low, high))  # type: ignore[return-value]


def _error_quantiles(errors: Floats, known: NDArray[np.bool_], life: NDArray[np.intp]) -> Floats:
    """Return quantiles of errors of which some are only known to be larger, widened as so few lives ask for.

    Kaplan and Meier's estimate, each life with the same weight; infinite where too few errors are known.
    """
    numbers, inverse, counts = np.unique(life, return_inverse=True, return_counts=True)
    order = np.lexsort((~known, errors))
    weight = (1 / counts[inverse])[order]
    at_risk = np.cumsum(weight[::-1])[::-1]
    survives = np.cumprod(np.where(known[order], 1 - weight / at_risk, 1.0))
    gone = np.append(1 - survives, np.inf)
    values = np.append(errors[order], np.inf)
    return values[np.searchsorted(gone, _widened(LEVELS, len(numbers)) - 1e-9, side="left")]


def _widened(levels: Sequence[float], lives: int) -> Floats:
    """Return the levels whose quantiles in a sample of so many hold the asked share of what is new.

    Examples
    --------
    >>> _widened((0.1, 0.5, 0.9), 19).round(3).tolist()
    [0.079, 0.5, 0.921]
    """
    asked = np.array(levels)
    outer = (np.abs(asked - 0.5) * 2 * (lives + 1) / lives) / 2
    wide = 0.5 + np.sign(asked - 0.5) * outer
    return np.clip(wide, 0.0, 1.0)


def _monotone(values: Floats) -> Floats:
    """Return values that never fall along either axis, moved as little as running extremes do."""
    up = np.maximum.accumulate(np.maximum.accumulate(values, axis=0), axis=1)
    down = np.minimum.accumulate(np.minimum.accumulate(values[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]
    return (up + down) / 2
