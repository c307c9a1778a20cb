"""Since when a series of shifts lies above its own usual: a CUSUM that learns only from what is usual.

Each value is scored against the values before it that are no part of a rise; scores are held to ±``CLIP``, so that no
single shift makes a finding. A rise ends when scores fall back below half of what it added.

Source: Page, Continuous inspection schemes, Biometrika 41 (1954); the limit is that of Siegmund for the run length that
is asked for, in the closed form of ``limit_for``.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.efficiency.change_point import change_point

LEAST_USUAL, MOST_USUAL = 20, 60
"""Values that it takes to know what is usual, and the newest that are asked."""
ALLOWANCE = 0.75
CLIP = 4.0
RUN_LENGTH = 20_000
"""Values of a series without a rise until one is told falsely, on average, if scores are normal and apart."""
_END_LIMIT = 4.0

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


class Scores(Protocol):
    """How far one value lies above what some others lead to expect, in standard deviations."""

    def __len__(self) -> int:
        """Return how many values there are."""
        ...

    def score(self, usual: Places, at: int) -> float:
        """Return the score of the value at a place, by the values at other places."""
        ...


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise that lasts, by place in its series.

    Attributes
    ----------
    first, low, high : where it began, and the 95 % interval of that
    seen : the value at which it was sure
    usual : places of the values that it is held against
    """

    first: int
    low: int
    high: int
    seen: int
    usual: Places


def limit_for(run_length: float, allowance: float = ALLOWANCE) -> float:
    """Return the limit at which a CUSUM of normal scores signals falsely once in so many values.

    Examples
    --------
    >>> round(limit_for(930, 0.5), 1)
    5.0
    """

    def length(limit: float) -> float:
        reach = 2 * allowance * (limit + 1.166)
        return (math.exp(reach) - 1 - reach) / (2 * allowance**2)

    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if length(middle) < run_length else (low, middle)
    return high


def lasting_rise(scores: Scores, *, series: int = 1) -> Rise | None:
    """Return the rise that lasts at the end of a series; ``None`` where the newest values are as usual.

    Parameters
    ----------
    series : how many series are looked at for one finding; the run length is shared among them
    """
    limit = limit_for(RUN_LENGTH * series)
    usual: list[int] = []
    pending: list[int] = []
    excursion: list[float] = []
    rise: Rise | None = None
    height = total = 0.0
    for at in range(len(scores)):
        if len(usual) < LEAST_USUAL:
            usual.append(at)
            continue
        known = np.array(usual[-MOST_USUAL:], np.int64)
        score = _known_by(scores.score(known, at), len(known))
        if rise is not None:
            total = max(0.0, total + height / 2 - score)
            pending = [*pending, at] if total else []
            if total > _END_LIMIT:
                usual += pending
                rise, total, pending, excursion = None, 0.0, [], []
            continue
        total = max(0.0, total + score - ALLOWANCE)
        pending.append(at)
        excursion.append(score)
        if total > limit:
            rise, height = _begun(scores, known, pending, excursion, at)
            total, pending = 0.0, []
        elif total == 0.0:
            usual += pending
            pending, excursion = [], []
    return rise


def _known_by(score: float, usual: int) -> float:
    """Return a score as a normal one: what is usual is known from few values, and how far they stray from fewer.

    Source: Wallace, Bounds on normal approximations to Student's distribution, Annals of Mathematical Statistics 30
    (1959); a robust deviation of n values is worth about half of their degrees of freedom.
    """
    free = usual / 2
    normal = math.sqrt(free * math.log1p(score**2 / free)) * (8 * free + 1) / (8 * free + 3)
    return float(np.clip(math.copysign(normal, score), -CLIP, CLIP))


def _begun(scores: Scores, known: Places, pending: list[int], excursion: list[float], at: int) -> tuple[Rise, float]:
    """Return a rise that was just seen and how high it is; its begin may lie before that of the running sum."""
    before = known[-LEAST_USUAL:]
    around = [_known_by(scores.score(known, int(each)), len(known)) for each in before]
    places = np.array([*before, *pending])
    found = change_point(np.array([*around, *excursion]), np.empty(0))
    first, low, high = (int(places[each]) for each in (found.first, found.low, found.high))
    return Rise(first, low, high, at, known[known < first]), max(found.size, 2 * ALLOWANCE)


@dataclass(frozen=True)
class CountScores:
    """Scores of counts that come at a rate for each unit of exposure; overdispersion is learnt.

    Attributes
    ----------
    counts, exposure : shape (n,), 0 or above
    """

    counts: Floats
    exposure: Floats

    def __len__(self) -> int:
        return len(self.counts)

    def score(self, usual: Places, at: int) -> float:
        """Return the score on the square-root scale, on which counts have a variance of one."""
        exposed = float(self.exposure[usual].sum())
        if exposed <= 0 or self.exposure[at] <= 0:
            return 0.0
        rate = (float(self.counts[usual].sum()) + 0.5) / exposed
        kept = self._root(rate, usual)
        spread = math.sqrt(max(1.0, robust_variance(kept)) * resemblance(kept))
        error = math.sqrt(1 + float(self.exposure[at]) / exposed)
        return float(self._root(rate, np.array([at]))[0]) / (spread * error)

    def _root(self, rate: float, places: Places) -> Floats:
        return 2 * (np.sqrt(self.counts[places] + 0.375) - np.sqrt(rate * self.exposure[places] + 0.375))


@dataclass(frozen=True)
class MeanScores:
    """Scores of means, each over so much that its variance falls with its weight.

    Attributes
    ----------
    values : shape (n,), never NaN
    weights : shape (n,), above 0
    """

    values: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.values)

    def score(self, usual: Places, at: int) -> float:
        """Return the score against the weighted median."""
        values, weights = self.values[usual], self.weights[usual]
        middle = weighted_median(values, weights)
        kept = (values - middle) * np.sqrt(weights)
        spread = math.sqrt(robust_variance(kept) * resemblance(kept))
        own = float((self.values[at] - middle) * np.sqrt(self.weights[at]))
        error = math.sqrt(1 + 1.57 * float(self.weights[at] / weights.sum()))
        floor = 1e-6 * max(abs(middle), 1e-9) * math.sqrt(float(self.weights[at]))
        return own / (max(spread, floor) * error)


@dataclass(frozen=True)
class ShareScores:
    """Scores of shares of time that are often nothing, on the square-root scale, against mean and plain deviation.

    Medians of what is mostly nothing are nothing, and would call every event a rise.

    Attributes
    ----------
    shares : 0 to 1, shape (n,)
    weights : hours that each is of, shape (n,), above 0
    """

    shares: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.shares)

    def score(self, usual: Places, at: int) -> float:
        """Return the score against the weighted mean."""
        roots, weights = np.sqrt(self.shares), self.weights
        middle = float(np.average(roots[usual], weights=weights[usual]))
        kept = (roots[usual] - middle) * np.sqrt(weights[usual])
        # A wait of nothing in all usual time still leaves one that nobody saw yet.
        least = 1 / float(weights[usual].sum())
        spread = math.sqrt(max(float(np.mean(kept**2)), least) * resemblance(kept))
        error = math.sqrt(1 + float(weights[at] / weights[usual].sum()))
        return float((roots[at] - middle) * math.sqrt(weights[at])) / (spread * error)


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value below which half of the weight lies.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0]))
    2.0
    """
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(share, 0.5)])


def robust_variance(values: Floats) -> float:
    """Return the variance around 0, with what lies beyond four robust deviations held to them."""
    calm = 1.4826 * float(np.median(np.abs(values)))
    if calm == 0.0:
        return float(np.mean(values**2))
    return float(np.mean(np.clip(values, -4 * calm, 4 * calm) ** 2))


def resemblance(values: Floats) -> float:
    """Return by how much sums of neighbours vary more than if they were apart; never less than one.

    Of the correlation at one step two thirds of its chance error are left: a finder rather waits a shift.
    """
    if len(values) < 3 or not values.any():
        return 1.0
    lag = float(values[1:] @ values[:-1]) / float(values @ values)
    phi = float(np.clip(lag - 0.67 / math.sqrt(len(values)), 0.0, 0.8))
    return (1 + phi) / (1 - phi)
