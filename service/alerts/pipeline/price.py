"""The price of a call: what is lost when a token is spent now and missing later in the week."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import ceil

_STEPS_PER_ALERT = 20
_MOST_STEPS = 500


def prices(worths: Sequence[float], expected: float, tokens: int) -> list[float]:
    """Return what an alert must be worth to take one of 1, 2, … tokens that are left.

    Whoever spends one of k tokens gives up the difference between the best that k and k − 1 tokens can be expected to
    bring in what is left of the week. With V(k) for that best, alerts that come at random as often as ``expected``
    says, and worths as they were: V(k) grows in each small step by the chance of an alert × E[(X − price(k))⁺], and
    price(k) = V(k) − V(k − 1). This is the optimal policy where the future is like the past (Gallego and van Ryzin,
    Management Science 40(8), 1994, for a stock that is sold until a date).

    Parameters
    ----------
    worths : what alerts of the past were worth, in no order
    expected : how many more are to be expected before the week ends
    tokens : how many are left

    Returns
    -------
    price for 1 … ``tokens`` left; it falls with each token more, and is 0 where nothing is known or to be expected

    Examples
    --------
    >>> prices([100.0, 300.0], expected=0.0, tokens=2)
    [0.0, 0.0]
    >>> [round(each) for each in prices([100.0, 300.0], expected=4.0, tokens=3)]
    [263, 191, 126]
    """
    ordered = sorted(worths)
    if not ordered or expected <= 0 or not tokens:
        return [0.0] * tokens
    # Sums of the worths from each place on: E[(X − p)⁺] is one look-up.
    above = [*reversed([*accumulate(reversed(ordered))]), 0.0]
    steps = min(_MOST_STEPS, ceil(expected * _STEPS_PER_ALERT))
    chance = min(1.0, expected / steps)
    best = [0.0] * (tokens + 1)
    for _ in range(steps):
        grown = [0.0]
        for left in range(1, tokens + 1):
            price = best[left] - best[left - 1]
            place = bisect_right(ordered, price)
            excess = (above[place] - price * (len(ordered) - place)) / len(ordered)
            grown.append(best[left] + chance * excess)
        best = grown
    return [best[left] - best[left - 1] for left in range(1, tokens + 1)]
