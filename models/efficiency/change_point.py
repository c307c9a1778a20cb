"""Since when: the most likely beginning of a step of the level, seen at a signal.

A step of δ in an autoregressive process adds δ f_0, δ f_1, … to the residuals from its beginning on, with f_0 = 1 and
f_j = 1 − Σ φ_i over i ≤ j. For each beginning the best δ has a likelihood; the largest is the estimate.

Sources: Samuel, Pignatiello and Calvin, Identifying the time of a step change with X-bar control charts, Quality
Engineering 10 (1998); Perry and Pignatiello, Identifying the time of step change in the mean of autocorrelated
processes, Journal of Applied Statistics 38 (2011).
"""

from dataclasses import dataclass

import numpy as np

from models.efficiency.look import Floats

CONFIDENCE = 0.95
REACH = 5000
"""Points before a signal in which a beginning is looked for."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a step began, by place.

    Attributes
    ----------
    first : most likely first point of the new level
    low, high : between which it lies with 95 % credibility, all beginnings being alike before
    size : how far the level stepped, in standard deviations of the residuals
    """

    first: int
    low: int
    high: int
    size: float


def change_point(residuals: Floats, coefficients: Floats) -> ChangePoint:
    """Return since when the residuals up to a signal show a step.

    Parameters
    ----------
    residuals : standardised, from where the process was last known to be in control to the signal, shape (n,)
    coefficients : φ of the autoregression, shape (order,)

    Examples
    --------
    >>> change_point(np.array([0.0, 0.1, -0.1, 0.0, 2.0, 2.1, 1.9]), np.empty(0)).first
    4
    """
    offset = max(0, len(residuals) - REACH)
    tail = residuals[offset:]
    signature = 1 - np.concatenate([[0.0], np.cumsum(coefficients)])
    lasting = signature[-1]
    after = np.cumsum(tail[::-1])[::-1]
    seen, held = lasting * after, lasting**2 * np.arange(len(tail), 0, -1.0)
    for step, weight in enumerate(signature[:-1]):
        reached = len(tail) - step
        if reached > 0:
            seen[:reached] += (weight - lasting) * tail[step:]
            held[:reached] += weight**2 - lasting**2
    likelihood = seen**2 / held / 2
    best = int(likelihood.argmax())
    weights = np.exp(likelihood - likelihood[best]) / np.sqrt(held)
    share = np.cumsum(weights) / weights.sum()
    low = int(np.searchsorted(share, (1 - CONFIDENCE) / 2))
    high = int(np.searchsorted(share, (1 + CONFIDENCE) / 2))
    low, high = min(low, best), max(min(high, len(tail) - 1), best)
    return ChangePoint(offset + best, offset + low, offset + high, float(seen[best] / held[best]))
