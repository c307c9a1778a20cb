"""Whether to believe all members together, or one of them alone."""

import numpy as np
from numpy.typing import NDArray

from models.conditions.pool import pool_weights, pooled
from models.conditions.price import cheapest

Floats = NDArray[np.float64]


def settled(logs: Floats, code: NDArray[np.intp], prices: Floats) -> Floats:
    """Return how far each member is believed: as pooled, or one alone whose mistakes cost surely less.

    A pool is as likely as can be; where one member is nearly exact and others are only fair, the others can still
    turn a few of its decisions. One alone is taken when what held-out rows cost falls by more than one standard error
    of the difference.

    Parameters
    ----------
    logs : of what each member said of held-out rows, shape (n_members, n_rows, n_classes)
    code : what was recorded, shape (n_rows,)
    prices : of mistakes, shape (n_classes, n_classes)
    """
    together = pool_weights(logs, code)
    if len(logs) < 2:
        return together
    spent = _spent(logs, together, code, prices)
    best, most = together, 0.0
    for place in range(len(logs)):
        alone = np.zeros(len(logs))
        alone[place] = pool_weights(logs[[place]], code)[0]
        saved = spent - _spent(logs, alone, code, prices)
        surely = float(saved.sum() - np.sqrt(len(saved)) * saved.std())
        if alone[place] > 0 and surely > most:
            best, most = alone, surely
    return best


def _spent(logs: Floats, weights: Floats, code: NDArray[np.intp], prices: Floats) -> Floats:
    """Return what the cheapest decision on each row did cost."""
    return prices[code, cheapest(pooled(logs, weights), prices)]
