"""How much more is rejected in a region than outside it, and how sure that is."""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from models.judging.interval import CONFIDENCE, Interval
from models.levers.lots import Lots

Floats = NDArray[np.float64]

_A_LITTLE = 0.25
"""Rejects that are added to both sides, so that a side without any has a ratio."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Rejects inside a region against those outside it.

    Attributes
    ----------
    pieces, rejects : inside
    other_pieces, other_rejects : outside
    ratio : of the shares of rejects, within equal strata (Mantel and Haenszel)
    """

    pieces: float
    rejects: float
    other_pieces: float
    other_rejects: float
    ratio: Interval

    @property
    def share(self) -> float:
        """Share of rejects inside."""
        return self.rejects / self.pieces if self.pieces else 0.0

    @property
    def other_share(self) -> float:
        """Share of rejects outside."""
        return self.other_rejects / self.other_pieces if self.other_pieces else 0.0

    @property
    def avoidable(self) -> float:
        """Rejects inside beyond those that would have been, had the ratio been 1."""
        ratio = self.ratio.value or 1.0
        return self.rejects * (1 - 1 / ratio)


def contrast(lots: Lots, inside: NDArray[np.bool_], strata: NDArray[np.intp], *, looks: int = 1) -> Contrast:
    """Compare the rejects of some lots with those of the others.

    The ratio is that of Mantel and Haenszel over strata. Its interval leaves out one of twenty stretches of time after
    the other (jackknife): lots that follow each other are no witnesses of their own.

    Parameters
    ----------
    inside : which lots, shape (n_lots,)
    strata : what each lot is compared within, numbers from 0 on
    looks : how many such intervals shall hold together, at 95 % (Bonferroni)

    References
    ----------
    Mantel, Haenszel: Statistical aspects of the analysis of data from retrospective studies, Journal of the National
    Cancer Institute 22 (1959); Rothman, Greenland: Modern Epidemiology (1998), for shares.
    """
    from scipy.special import stdtrit  # takes long to import, and a server's start need not wait for it

    block = lots.stretches()
    size = (int(block.max(initial=0)) + 1, int(strata.max(initial=0)) + 1)
    cell = block * size[1] + strata
    bad, made, other_bad, other_made = (
        np.bincount(cell, weights=np.where(side, amount, 0.0), minlength=size[0] * size[1]).reshape(size)
        for side in (inside, ~inside)
        for amount in (lots.rejects, lots.pieces)
    )
    sums = [each.sum(axis=0) for each in (bad, made, other_bad, other_made)]
    held = log_ratio(*sums)
    left_out = np.array(
        [
            log_ratio(
                *(whole - part[place] for whole, part in zip(sums, (bad, made, other_bad, other_made), strict=True))
            )
            for place in range(size[0])
        ]
    )
    spread = sqrt((size[0] - 1) / size[0] * float(((left_out - left_out.mean()) ** 2).sum()))
    reach = float(stdtrit(max(size[0] - 1, 1), 1 - (1 - CONFIDENCE) / 2 / looks)) * spread
    ratio = Interval(exp(held), exp(max(held - reach, -700)), exp(min(held + reach, 700)))
    total = [float(each.sum()) for each in sums]
    return Contrast(pieces=total[1], rejects=total[0], other_pieces=total[3], other_rejects=total[2], ratio=ratio)


def log_ratio(bad: Floats, made: Floats, other_bad: Floats, other_made: Floats) -> float:
    """Return the logarithm of the ratio of shares over strata, each of shape (n_strata,).

    Examples
    --------
    >>> round(exp(log_ratio(*(np.array([each]) for each in (40.0, 1000.0, 20.0, 1000.0)))), 2)
    1.98
    """
    both = np.where(made + other_made > 0, made + other_made, 1.0)
    over, under = float((bad * other_made / both).sum()), float((other_bad * made / both).sum())
    return log((over + _A_LITTLE) / (under + _A_LITTLE))
