"""What several signals say at one moment, though each is read at times of its own.

The value of a signal at a moment is that of its newest reading at or before it, unless that is older than
the signal's maximum age: what a silent sensor would say is not known. Nothing is drawn between two
readings, since the later one is not known yet, so readings that come later change no value.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.plant import Signal

HOLDS = 5
"""Maximum age of a signal that declares none, in its own sampling intervals."""

Times = NDArray[np.int64]

_Number = TypeVar("_Number", bound=np.floating)


def max_age(signal: Signal, every: timedelta) -> timedelta:
    """Return how old a reading of a signal may be and still say what the signal says now.

    Parameters
    ----------
    every : time between two readings of the signal
    """
    return HOLDS * every if signal.max_age is None else signal.max_age


def aligned(times: Times, values: NDArray[_Number], moments: Times, ages: Sequence[int]) -> NDArray[_Number]:
    """Return the value of each signal at some moments.

    Parameters
    ----------
    times : of the readings, ascending, shape (n_readings,)
    values : shape (n_signals, n_readings), NaN where a signal was not read
    moments : in any order, in the unit of ``times``, shape (n_moments,)
    ages : maximum age of each signal, in that unit, too

    Returns
    -------
    array of shape (n_signals, n_moments)
        NaN where a signal was not read, or not lately enough.

    Examples
    --------
    >>> times, moments = np.array([0, 10, 20]), np.array([5, 12, 20, 31])
    >>> values = np.array([[1.0, 2.0, 3.0], [7.0, np.nan, np.nan]])
    >>> aligned(times, values, moments, [10, 12]).tolist()
    [[1.0, 2.0, 3.0, nan], [7.0, 7.0, nan, nan]]
    """
    found = np.full((len(values), len(moments)), np.nan, values.dtype)
    for own, read, age in zip(found, values, ages, strict=True):
        known = np.flatnonzero(~np.isnan(read))
        places = newest_place(times[known], moments, age)
        own[places >= 0] = read[known[places[places >= 0]]]
    return found


def newest_place(times: Times, moments: Times, age: int) -> NDArray[np.intp]:
    """Return the place of the newest reading at or before each moment; −1 where it is older than ``age``, or none.

    Parameters
    ----------
    times : of the readings of one signal, ascending, shape (n_readings,)
    moments, age : see ``aligned``
    """
    places = np.searchsorted(times, moments, side="right") - 1
    young = moments - np.append(times, 0)[places] <= age
    return np.where((places >= 0) & young, places, -1)
