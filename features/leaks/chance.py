"""How likely chance alone would give what was seen: exact, in closed form, and never too small."""

import math

ERROR = 0.01
"""Chance that a check names any column of a table in which nothing leaks, over all its columns together."""

SURE = 0.05
"""The other error of an interval: how often a share is said to be above a bound that it is not above."""


def at_least(count: int, of: int, chance: float) -> float:
    """Return the probability of ``count`` or more successes in ``of`` trials.

    Examples
    --------
    >>> at_least(2, 2, 0.5), at_least(0, 5, 0.1)
    (0.25, 1.0)
    """
    from scipy.special import betainc  # loaded only where leaks are looked for

    return 1.0 if count <= 0 else float(betainc(count, of - count + 1, chance))


def together(log_chances: float, count: int) -> float:
    """Return the probability that the product of ``count`` uniform numbers is as small (Fisher 1925).

    Parameters
    ----------
    log_chances : sum of the logarithms of the chances, zero or less

    Examples
    --------
    >>> round(together(math.log(0.05), 1), 9)
    0.05
    """
    if log_chances == 0:
        return 1.0
    terms = [log_chances + k * math.log(-log_chances) - math.lgamma(k + 1) for k in range(count)]
    top = max(terms)
    return min(1.0, math.exp(top) * sum(math.exp(each - top) for each in terms))


def of_correlation(r: float, count: int) -> float:
    """Return a bound on the chance that ``count`` pairs without relation correlate as strongly; for r² ≥ 1/2.

    The exact tail is the incomplete beta function of (1 − r²) with (n − 2)/2 and 1/2; its first term
    times 1.41 bounds the rest, and the constant before it keeps the whole below (1 − r²)^((n − 2)/2).

    Examples
    --------
    >>> of_correlation(1.0, 2), of_correlation(0.99, 12) < 1e-8
    (1.0, True)
    """
    return 1.0 if count < 3 or r * r < 0.5 else max(1 - r * r, 1e-16) ** ((count - 2) / 2)
