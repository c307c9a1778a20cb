"""Since when a series of shifts lies above its own usual: two CUSUMs that learn only from what is usual.

Each value is scored against the values before it that are no part of a rise. What it says beyond the value before it
is summed up, where those two resemble each other (as shifts of one order do): by a quick sum, which sees a large step
within two or three shifts, and a slow one, which sees a small step at all. Scores are held to ±``CLIP`` and to a share
of what is needed, so that no single shift makes a finding. A rise ends when values fall back below half of what it
added.

Sources: Page, Continuous inspection schemes, Biometrika 41 (1954), with the limit of Siegmund for the run length that
is asked for (``limit_for``); Sparks, CUSUM charts for signalling varying location shifts, Journal of Quality Technology
32 (2000) for sums side by side; Alwan and Roberts, Time-series modeling for statistical process control, Journal of
Business and Economic Statistics 6 (1988) for what is left of values that follow each other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.efficiency.change_point import change_point

LEAST_USUAL, MOST_USUAL = 20, 60
"""Values that it takes to know what is usual, and the newest that are asked."""
QUICK, SLOW = 1.25, 0.75
"""Allowances of the two sums: half of the steps, in standard deviations, that each sees soonest."""
CLIP = 4.0
RUN_LENGTH = 1_500
"""Values of a series without a rise until one is told falsely, on average, if scores are normal: the one setting that
trades false findings against delay. A line of four machines has about as many a month, of all finders together."""
_END_LIMIT = 4.0
_MOST_OF_ONE = 0.75
_MOST_ALIKE = 0.75
"""A value that only repeats the one before it still says something, or a rise in one long order waits for the next."""

Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Scores(Protocol):
    """How far values lie above what some of them lead to expect, in standard deviations of one value."""

    def __len__(self) -> int:
        """Return how many values there are."""
        ...

    @property
    def follows(self) -> Flags:
        """Whether each value can resemble the one before it, shape (n,)."""
        ...

    def against(self, usual: Places) -> Floats:
        """Return the score of every value by the values at some places, shape (n,)."""
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


def limit_for(run_length: float, allowance: float) -> float:
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
    sums = _Sums(2 * RUN_LENGTH * series)
    usual = list(range(min(LEAST_USUAL, len(scores))))
    pending: list[int] = []
    rise: Rise | None = None
    height = fallen = 0.0
    for at in range(len(usual), len(scores)):
        known = np.array(usual[-MOST_USUAL:], np.int64)
        levels = scores.against(known)
        if rise is not None:
            fallen = max(0.0, fallen + height / 2 - _known_by(levels[at], len(known)))
            pending = [*pending, at] if fallen else []
            if fallen > _END_LIMIT:
                usual += pending
                rise, fallen, pending, sums = None, 0.0, [], sums.anew()
            continue
        # What is usual is off by one standard deviation in the root of so many values, always to the same side.
        sums.add(_known_by(_news(levels, scores.follows, known, at), len(known)) - 1 / math.sqrt(len(known)))
        pending.append(at)
        if sums.over:
            rise, height = _begun(levels, known, pending)
            pending = []
        elif sums.empty:
            usual += pending
            pending = []
    return rise


def likeliest(scores: Scores, since: Mapping[str, Flags]) -> list[str]:
    """Return which part of a series rose, the likeliest first.

    A rise of few values that is told by many is weaker than by those few; one of all is stronger by all.

    Parameters
    ----------
    since : of each part the values that rose, if it is that part; of two that are alike the later one goes first
    """
    begun = min(int(np.flatnonzero(risen)[0]) for risen in since.values())
    levels = scores.against(np.arange(begun)[-MOST_USUAL:])
    strength = {name: float(levels[risen].sum()) / math.sqrt(risen.sum()) for name, risen in since.items()}
    order = list(since)
    return sorted(order, key=lambda name: (-strength[name], -order.index(name)))


@dataclass
class _Sums:
    """The quick and the slow sum; half of the false signals that are allowed are each one's."""

    run_length: float
    heights: dict[float, float] = field(default_factory=lambda: {QUICK: 0.0, SLOW: 0.0})

    def __post_init__(self) -> None:
        self._limits = {allowance: limit_for(self.run_length, allowance) for allowance in self.heights}

    def add(self, score: float) -> None:
        """Take up one score; it alone gives no sum more than a share of what is needed."""
        self.heights = {
            allowance: max(0.0, sum_ + min(score - allowance, _MOST_OF_ONE * self._limits[allowance]))
            for allowance, sum_ in self.heights.items()
        }

    @property
    def over(self) -> bool:
        return any(sum_ > self._limits[allowance] for allowance, sum_ in self.heights.items())

    @property
    def empty(self) -> bool:
        return not any(self.heights.values())

    def anew(self) -> "_Sums":
        return _Sums(self.run_length)


def _known_by(score: float, usual: int) -> float:
    """Return a score as a normal one: what is usual is known from few values, and how far they stray from fewer.

    Source: Wallace, Bounds on normal approximations to Student's distribution, Annals of Mathematical Statistics 30
    (1959); a robust deviation of n values is worth about half of their degrees of freedom.
    """
    free = usual / 2
    normal = math.sqrt(free * math.log1p(score**2 / free)) * (8 * free + 1) / (8 * free + 3)
    return float(np.clip(math.copysign(normal, score), -CLIP, CLIP))


def _news(levels: Floats, follows: Flags, usual: Places, at: int) -> float:
    """Return what a value says beyond the one before it, in standard deviations of that."""
    if at == 0 or not follows[at]:
        return float(levels[at])
    phi = likeness(levels, follows, usual)
    return float((levels[at] - phi * levels[at - 1]) / math.sqrt(1 - phi**2))


def likeness(levels: Floats, follows: Flags, usual: Places) -> float:
    """Return the correlation of usual values with the ones before them, where they follow them; 0 to 0.75.

    Few values show too little: Kendall, Note on bias in the estimation of autocorrelation, Biometrika 41 (1954).
    """
    linked = usual[1:][(np.diff(usual) == 1) & follows[usual[1:]]]
    held = np.clip(levels, -CLIP, CLIP)
    before = held[linked - 1]
    squares = float(before @ before)
    if len(linked) < 3 or squares == 0.0:
        return 0.0
    phi = float(before @ held[linked]) / squares
    return float(np.clip(phi + (1 + 3 * phi) / len(linked), 0.0, _MOST_ALIKE))


def _begun(levels: Floats, known: Places, pending: list[int]) -> tuple[Rise, float]:
    """Return a rise that was just seen and how high it is; its begin may lie before that of the running sums."""
    places = np.array([*known[-LEAST_USUAL:], *pending])
    held = np.array([_known_by(float(levels[each]), len(known)) for each in places])
    found = change_point(held, np.empty(0))
    first, low, high = (int(places[each]) for each in (found.first, found.low, found.high))
    return Rise(first, low, high, pending[-1], known[known < first]), max(found.size, 2 * SLOW)


@dataclass(frozen=True)
class CountScores:
    """Scores of counts that come at a rate for each unit of exposure; overdispersion is learnt.

    Attributes
    ----------
    counts, exposure : shape (n,), 0 or above
    kind : whose own rate each is held against, shape (n,); all are of one kind if ``None``
    """

    counts: Floats
    exposure: Floats
    kind: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def follows(self) -> Flags:
        """Neighbours."""
        return np.ones(len(self), np.bool_)

    def expected(self, usual: Places) -> Floats:
        """Return what the usual rate of its kind leads to expect of each; that of all where its kind is new."""
        return self._rates(usual)[0] * self.exposure

    def against(self, usual: Places) -> Floats:
        """Return signed roots of the deviance: normal of counts that come by chance, also of the few and the many."""
        rate, exposed = self._rates(usual)
        roots = deviance_roots(self.counts, rate * self.exposure)
        spread = math.sqrt(max(1.0, robust_variance(roots[usual])))
        known = (self.exposure > 0) & (exposed > 0)
        error = np.sqrt(1 + self.exposure / np.where(known, exposed, 1.0))
        scores: Floats = np.where(known, roots / (spread * error), 0.0)
        return scores

    def _rates(self, usual: Places) -> tuple[Floats, Floats]:
        """Return the usual rate of each, and the exposure that it is known from."""
        kind = np.full(len(self), "", object) if self.kind is None else self.kind
        rates, known = np.zeros(len(self)), np.zeros(len(self))
        for each in set(kind):
            own = usual[kind[usual] == each]
            own = own if len(own) else usual
            exposed = float(self.exposure[own].sum())
            rates[kind == each] = (float(self.counts[own].sum()) + 0.5) / exposed if exposed else 0.0
            known[kind == each] = exposed
        return rates, known


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

    @property
    def follows(self) -> Flags:
        """Neighbours."""
        return np.ones(len(self), np.bool_)

    def against(self, usual: Places) -> Floats:
        """Return scores against the weighted median."""
        values, weights = self.values, self.weights
        middle = weighted_median(values[usual], weights[usual])
        over = (values - middle) * np.sqrt(weights)
        error = np.sqrt(1 + 1.57 * weights / weights[usual].sum())
        floor = 1e-6 * max(abs(middle), 1e-9) * np.sqrt(weights)
        scores: Floats = over / (np.maximum(math.sqrt(robust_variance(over[usual])), floor) * error)
        return scores


def deviance_roots(counts: Floats, expected: Floats) -> Floats:
    """Return how far counts lie above what is expected, each as a normal score if it came by chance.

    Source: Pierce and Schafer, Residuals in generalized linear models, Journal of the American Statistical Association
    81 (1986).

    Examples
    --------
    >>> deviance_roots(np.array([0.0, 4.0, 16.0]), np.full(3, 4.0)).round(2)
    array([-2.83,  0.  ,  4.51])
    """
    held = np.maximum(expected, 1e-9)
    deviance = np.where(counts > 0, counts * np.log(np.maximum(counts, 1e-9) / held), 0.0) - (counts - expected)
    roots: Floats = np.sign(counts - expected) * np.sqrt(2 * np.maximum(deviance, 0.0))
    return roots


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
