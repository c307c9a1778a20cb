"""From how strange each reading is to when something is out of order: an episode begins, lasts and ends."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEADY = 10
"""Readings whose median is looked at, the newest included."""
REARMED = float(np.exp(2.0))
"""Times by which strangeness must rise again before a new episode begins above the threshold."""


def steadied(surprise: Floats) -> Floats:
    """Return the median of the last readings; what is not known is no surprise."""
    return pd.Series(np.nan_to_num(surprise)).rolling(STEADY, min_periods=1).median().to_numpy()


def episodes(surprise: Floats, threshold: float, share: float) -> NDArray[np.bool_]:
    """Return whether each reading lies in an episode.

    It begins where surprise reaches the threshold, and is over where it falls below it, or below a share of the
    highest of the episode: what has been disturbed seldom comes back to where it was, and that it is not there yet
    is no part of the disturbance. Another one begins where surprise was below the threshold, or has risen many
    times over since.

    Parameters
    ----------
    surprise : of the readings of one machine, steadied, shape (n,)
    share : 0 where an episode lasts as long as surprise is above the threshold
    """
    over, on, armed, highest, lowest = np.zeros(len(surprise), dtype=bool), False, True, 0.0, np.inf
    for row, value in enumerate(surprise.tolist()):
        if on:
            highest = max(highest, value)
            on = threshold <= value and share * highest <= value
            if not on:
                lowest, armed = value, value < threshold
        else:
            lowest, armed = min(lowest, value), armed or value < threshold
            if value >= threshold and (armed or value >= REARMED * lowest):
                on, highest = True, value
        over[row] = on
    return over
