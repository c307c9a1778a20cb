"""How much more than usual was lost, with an interval from shifts drawn anew."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_DRAWS = 500


@dataclass(frozen=True, slots=True)
class Excess:
    """Lost since some time beyond what is usual: an amount with its 95 % interval, and both rates.

    Attributes
    ----------
    usual, actual : rate for each unit of exposure, before and since
    """

    amount: float
    low: float
    high: float
    usual: float
    actual: float


def excess_of(lost: Floats, exposure: Floats, usual: NDArray[np.int64], since: NDArray[np.int64]) -> Excess:
    """Return what was lost beyond the usual rate.

    Parameters
    ----------
    lost, exposure : of each shift, shape (n,)
    usual, since : places of shifts

    Examples
    --------
    >>> lost, hours = np.array([1.0] * 20 + [3.0] * 4), np.full(24, 8.0)
    >>> excess_of(lost, hours, np.arange(20), np.arange(20, 24)).amount
    8.0
    """
    before, after = (float(lost[each].sum() / max(exposure[each].sum(), 1e-12)) for each in (usual, since))
    exposed = float(exposure[since].sum())
    random = np.random.default_rng([len(usual), len(since)])
    drawn = []
    for places in (usual, since):
        picks = places[random.integers(len(places), size=(_DRAWS, len(places)))]
        drawn.append(lost[picks].sum(axis=1) / np.maximum(exposure[picks].sum(axis=1), 1e-12))
    # Few shifts drawn anew resemble each other too much: widened as a mean of n has n − 1 degrees.
    widen = [np.sqrt(len(places) / max(len(places) - 1, 1)) for places in (usual, since)]
    spread = (drawn[1] - after) * widen[1] - (drawn[0] - before) * widen[0]
    low, high = np.quantile(spread, [0.025, 0.975])
    amount = (after - before) * exposed
    return Excess(amount, amount + float(low) * exposed, amount + float(high) * exposed, before, after)
