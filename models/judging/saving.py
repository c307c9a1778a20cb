"""How sure a saving is: money made of small counts, with intervals that hold however few there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from models.judging.interval import CONFIDENCE, Interval, poisson_rate

RESAMPLES = 4_000
_TAIL = (1 - CONFIDENCE) / 2


@dataclass(frozen=True, slots=True)
class Term:
    """A count, or a share of one, with its own interval, and what each of it saves; less than 0 where it costs."""

    each: float
    count: Interval


def summed(terms: Sequence[Term]) -> Interval:
    """Return the sum of independent counts in money with an interval of 95 %.

    The distance from the sum to each bound is the root of the squares of the distances of its parts from
    theirs, so a kind of loss that was never seen still counts as one that may come: of a Poisson count of
    none, 3.7 lie within its interval.

    References
    ----------
    Zou, Donner: Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008).

    Examples
    --------
    >>> both = summed([Term(8000.0, poisson_rate(6, 1.0)), Term(-500.0, poisson_rate(2, 1.0))])
    >>> round(both.low), both.value, round(both.high)
    (16503, 47000.0, 103483)
    """
    value = low = high = 0.0
    for term in terms:
        count = term.count.value or 0.0
        ends = sorted((term.each * term.count.low, term.each * term.count.high))
        value += term.each * count
        low += (term.each * count - ends[0]) ** 2
        high += (ends[1] - term.each * count) ** 2
    return Interval(value, value - sqrt(low), value + sqrt(high))


def of_so_many(k: int, n: int) -> Interval:
    """Return the count k of n with its exact (Clopper–Pearson) interval, in counts.

    Examples
    --------
    >>> three = of_so_many(3, 3)
    >>> three.value, round(three.low, 2), three.high
    (3.0, 0.88, 3.0)
    """
    from scipy.special import betaincinv  # takes long to import, and a server's start need not wait for it

    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, _TAIL))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - _TAIL))
    return Interval(float(k), n * low, n * high)


def by_resampling(saved: NDArray[np.float64], *, seed: int = 0) -> Interval:
    """Return a sum with the interval of its paired bootstrap, and at least Student's, which few units need.

    Parameters
    ----------
    saved : what was saved on each machine, or in each stretch of its time, shape (n_units,); false alarms of one
        bad sensor come together, and so it is these that are drawn, not alarms
    """
    total = float(saved.sum())
    telling = saved[saved != 0]
    if not len(telling):
        return Interval(total, total, total)
    # Units without a difference only dilute: how many of the others are drawn is binomial.
    dice = np.random.default_rng(seed)
    drawn = dice.multinomial(
        len(saved), [*np.full(len(telling), 1 / len(saved)), 1 - len(telling) / len(saved)], size=RESAMPLES
    )
    low, high = np.quantile(drawn[:, :-1] @ telling, [_TAIL, 1 - _TAIL])
    if len(saved) > 1:
        from scipy.special import stdtrit  # takes long to import, and a server's start need not wait for it

        half = float(stdtrit(len(saved) - 1, 1 - _TAIL) * saved.std(ddof=1) * sqrt(len(saved)))
        low, high = min(low, total - half), max(high, total + half)
    return Interval(total, float(low), float(high))


def wider(first: Interval, second: Interval) -> Interval:
    """Return the interval of the first that holds those of both."""
    return Interval(first.value, min(first.low, second.low), max(first.high, second.high))


def counted(count: int) -> Interval:
    """Return a count with the exact interval of what it is expected to be."""
    return poisson_rate(count, 1.0)
