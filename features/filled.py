"""How much of what a window should hold of a signal it does hold."""

import numpy as np
from numpy.typing import NDArray

from features.moments import Floats

Shares = NDArray[np.float32]

LEAST_SAMPLES = 3
"""A window of fewer samples has no features."""
LEAST_SHARE = 0.3
"""Nor has one of a smaller share of the samples that the sampling interval promises, unless a model says otherwise."""


def filled_share(count: Floats, expected: Floats, ran: Floats) -> Shares:
    """Return the share of what was expected while the machine ran; NaN where nothing was.

    Parameters
    ----------
    count : readings or snapshots that windows hold
    expected : how many a full window holds; one at least is asked for
    ran : share of each window in which the machine ran and had settled

    Examples
    --------
    >>> filled_share(np.array([30.0, 30.0, 0.0]), np.array([60.0]), np.array([1.0, 0.5, 0.0])).tolist()
    [0.5, 1.0, nan]
    """
    wanted = np.maximum(expected, 1.0) * ran
    share = np.divide(count, wanted, out=np.full(np.broadcast(count, wanted).shape, np.nan), where=wanted > 0)
    return np.minimum(share, 1.0).astype(np.float32)
