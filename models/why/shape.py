"""The shape of how a machine behaves: its distance from normal, now and at a few moments before."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.usual import Usual
from models.moment import span
from models.rows import machine_rows

POINTS = 4
"""Moments that a shape is drawn by; together they reach back half a horizon."""

_ORDINARY = 0.5
_BEND = 4.0

Floats = NDArray[np.float64]


def step_of(horizon: timedelta, stride: timedelta) -> timedelta:
    """Return the time between two moments of a shape: a sixth of the horizon, in whole strides.

    Examples
    --------
    >>> step_of(timedelta(days=3), timedelta(hours=4))
    datetime.timedelta(seconds=43200)
    """
    return max(1, round(horizon / 6 / stride)) * stride


def reach_of(horizon: timedelta, stride: timedelta) -> timedelta:
    """Return how far back a shape looks.

    Examples
    --------
    >>> reach_of(timedelta(days=3), timedelta(hours=4))
    datetime.timedelta(days=1, seconds=43200)
    """
    return (POINTS - 1) * step_of(horizon, stride)


def shapes(table: FeatureTable, columns: Sequence[str], normal: Usual, horizon: timedelta, stride: timedelta) -> Floats:
    """Return the shape at each row, newest moment first: shape (n_rows, points × n_columns).

    A value counts by how many robust standard deviations it lies beyond half a one, in which it says
    nothing; beyond four by its logarithm, so that one signal cannot outshout all others. What is not known counts
    as normal. A moment without a row, as when the machine was off, is the row before it.

    Parameters
    ----------
    table : as a learner sees it, rows of whole machines in order of time
    """
    place = [table.names.index(name) for name in columns]
    strange = np.nan_to_num(normal.standardise(table)[:, place], nan=0.0)
    size = np.abs(strange)
    bent = np.where(size > _BEND, _BEND * (1 + np.log(np.maximum(size, _BEND) / _BEND)), size)
    own = np.sign(strange) * np.maximum(0.0, bent - _ORDINARY)
    step, found = span(step_of(horizon, stride)), np.zeros((len(table), POINTS, len(place)))
    for rows in machine_rows(table.machine).values():
        time = table.time[rows]
        for point in range(POINTS):
            before = np.searchsorted(time, time - point * step, side="right") - 1
            known = before >= 0
            found[rows.start + np.flatnonzero(known), point] = own[rows.start + before[known]]
    return found.reshape(len(table), POINTS * len(place))
