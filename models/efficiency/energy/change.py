"""Since when a series is higher or lower than before: a CUSUM that allows for autocorrelation, and a change point.

Neighbouring savings resemble each other: what a baseline does not know lasts for hours. Of each value the part that
the value before foretold is taken away (a first-order autoregression), and a two-sided CUSUM watches what is left,
whose in-control run length has a closed form (D. Siegmund, Sequential Analysis, 1985). The change point is the one of
greatest likelihood; its interval holds all points whose likelihood ratio lies within 7.35, the 95 % point of the
distribution that B. Hansen gives for a threshold (Econometrica 68, 2000, p. 582).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ALLOWANCE = 0.5
"""Of the CUSUM, in standard deviations of what is left: half of the shift that is found soonest. What the series strays
for weeks in good time is added, see ``Noise.wanders``."""
WITHIN = 7.35
_CLIPPED = 4.0
_SETTLES = 21
_LONGEST = 1000
_PARTS = 8


@dataclass(frozen=True, slots=True)
class Noise:
    """What a series does while nothing changes: x[t] = phi · x[t−1] + noise of the standard deviation sigma.

    Attributes
    ----------
    wanders : standard deviation of what it strays for weeks beyond that: a baseline is never quite right
    """

    phi: float
    sigma: float
    wanders: float = 0.0

    @property
    def allowance(self) -> float:
        """Of the CUSUM, in standard deviations of what is left."""
        return ALLOWANCE + self.wanders * (1 - self.phi) / self.sigma

    @classmethod
    def of(cls, values: Floats) -> "Noise":
        """Learn it from good time; few wild values change it little.

        Raises
        ------
        ValueError
            With fewer than five values.
        """
        if len(values) < 5:
            raise ValueError(f"{len(values)} values tell no noise; give five or more")
        spread = 1.4826 * float(np.median(np.abs(values - np.median(values)))) or float(values.std())
        calm = np.clip(values, -5 * spread, 5 * spread)
        about = float((calm**2).sum())
        raw = float((calm[1:] * calm[:-1]).sum()) / about if about else 0.0
        # Short series make it too low (Kendall 1954).
        phi = float(np.clip(raw + (1 + 3 * raw) / len(values), 0.0, 0.9))
        left = calm[1:] - phi * calm[:-1]
        sigma = float(np.sqrt((left**2).mean()))
        return cls(phi, sigma, _wanders(calm, phi, sigma))


def _wanders(values: Floats, phi: float, sigma: float) -> float:
    """Return how far means of eighths of a series stray beyond what its noise makes of them."""
    parts = np.array_split(values, _PARTS)
    if len(values) < 5 * _PARTS:
        return 0.0
    noise = np.mean([sigma**2 / (1 - phi) ** 2 / len(each) for each in parts])
    return float(np.sqrt(max(0.0, np.mean([each.mean() ** 2 for each in parts]) - noise)))


def run_length(limit: float, allowance: float = ALLOWANCE) -> float:
    """Return how many values a one-sided CUSUM of independent normal values takes to a false alarm, on average.

    Examples
    --------
    >>> round(run_length(5.0))
    938
    """
    reach = 2 * allowance * (limit + 1.166)
    return (exp(reach) - reach - 1) / (2 * allowance**2)


def limit_for(length: float, allowance: float = ALLOWANCE) -> float:
    """Return the limit at which a two-sided CUSUM has that run length.

    Examples
    --------
    >>> round(limit_for(469), 2)
    5.0
    """
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if run_length(middle, allowance) / 2 < length else (low, middle)
    return round(high, 6)


@dataclass(frozen=True, slots=True)
class Change:
    """A series that went from one level to another.

    Attributes
    ----------
    at, earliest, latest : place of the first value at the new level, and its 95 % interval
    alarm : place of the value at which it was seen
    before, after : the levels
    error : standard error of ``after``
    """

    at: int
    earliest: int
    latest: int
    alarm: int
    before: float
    after: float
    error: float

    @property
    def back(self) -> bool:
        """Whether the new level is none: two standard errors reach it."""
        return abs(self.after) <= 2 * self.error


def whitened(values: Floats, noise: Noise) -> Floats:
    """Return what the value before does not foretell, in standard deviations, shape as ``values``."""
    first = values[:1] * sqrt(1 - noise.phi**2)
    return np.concatenate([first, values[1:] - noise.phi * values[:-1]]) / noise.sigma


def located(values: Floats, noise: Noise) -> tuple[int, int, int, float, float]:
    """Return the place of greatest likelihood at which a level began that lasts until the end.

    Returns
    -------
    the place, its earliest and latest one, the height of the level, and the standard error of that
    """
    left = whitened(values, noise)
    slow = (1 - noise.phi) / noise.sigma
    after = np.concatenate([np.cumsum(left[::-1])[::-1][1:], [0.0]])
    count = np.arange(len(left))[::-1]
    product = left / noise.sigma + slow * after
    weight = 1 / noise.sigma**2 + slow**2 * count
    gain = product**2 / weight
    at = int(np.argmax(gain))
    likely = np.flatnonzero(gain >= gain[at] - WITHIN)
    return at, int(likely[0]), int(likely[-1]), float(product[at] / weight[at]), float(1 / np.sqrt(weight[at]))


def changes(values: Floats, noise: Noise, limit: float) -> Iterator[Change]:
    """Yield the changes of level of a series that begins at level 0, each as it is seen.

    What comes after an alarm changes nothing of what was said of it.

    Parameters
    ----------
    values : shape (n,), without NaN
    limit : of the CUSUM, see ``limit_for``
    """
    level = before = 0.0
    begin = since = 0
    up = down = 0.0
    settled = True
    for place, value in enumerate(values):
        if not settled:
            own = values[since : place + 1]
            level, settled = float(own.mean()), len(own) >= _SETTLES
        last = values[place - 1] - level if place else 0.0
        left = (value - level - noise.phi * last) / noise.sigma
        left = float(np.clip(left, -_CLIPPED, _CLIPPED))
        up, down = max(0.0, up + left - noise.allowance), max(0.0, down - left - noise.allowance)
        if max(up, down) <= limit:
            continue
        begin = max(begin, place - _LONGEST)
        at, earliest, latest, height, error = located(values[begin : place + 1] - level, noise)
        before, level = level, level + height
        since = begin + at
        yield Change(since, begin + earliest, begin + latest, place, before, level, error)
        begin, up, down, settled = since, 0.0, 0.0, False
