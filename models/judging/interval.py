"""How sure a share or a rate is: Wilson and exact Poisson intervals of 95 %."""

from dataclasses import dataclass
from math import inf, isinf, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A number and the bounds between which the truth lies with 95 % confidence.

    Attributes
    ----------
    value : the estimate; ``None`` where nothing was observed
    """

    value: float | None
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return ``value``, ``low`` and ``high`` as JSON knows them; a bound at infinity is null."""
        return {"value": self.value, "low": self.low, "high": None if isinf(self.high) else self.high}

    def percent(self) -> str:
        """Write a share as people read it.

        Examples
        --------
        >>> wilson(12, 15).percent()
        '80 % [55–93 %]'
        >>> wilson(0, 0).percent()
        'not known'
        """
        if self.value is None:
            return "not known"
        return f"{100 * self.value:.0f} % [{100 * self.low:.0f}–{100 * self.high:.0f} %]"


def wilson(k: float, n: float) -> Interval:
    """Return the share k of n with its Wilson score interval.

    With n = 0 nothing is known: no value, bounds 0 and 1. Both need not be whole: of values that follow each other
    fewer count.

    Raises
    ------
    ValueError
        Unless 0 ≤ k ≤ n.

    Examples
    --------
    >>> wilson(1, 1).percent()
    '100 % [21–100 %]'
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share; the count must lie between 0 and the total")
    if n == 0:
        return Interval(None, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    share = k / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the bound is the value itself; rounding must not move it past.
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(share, low, high)


def poisson_rate(k: int, exposure: float) -> Interval:
    """Return k events over an exposure as a rate, with its exact (Garwood) interval.

    Parameters
    ----------
    exposure : for how long one looked, such as machine-weeks; the rate is per its unit

    Raises
    ------
    ValueError
        For a negative count or exposure.

    Examples
    --------
    >>> rate = poisson_rate(0, 10.0)
    >>> rate.value, rate.low, round(rate.high, 3)
    (0.0, 0.0, 0.369)
    """
    if k < 0 or exposure < 0:
        raise ValueError(f"{k} events in an exposure of {exposure:g} are no rate; neither can be negative")
    if exposure == 0:
        return Interval(None, 0.0, inf)
    from scipy.special import gammaincinv  # takes long to import, and a server's start need not wait for it

    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if k == 0 else float(gammaincinv(k, tail))
    high = float(gammaincinv(k + 1, 1 - tail))
    return Interval(k / exposure, low / exposure, high / exposure)
