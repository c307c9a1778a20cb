"""The shape of how a machine departs from its normal: a vector that strays as far in all directions in healthy time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import SEPARATOR, signal_of
from features.table import FeatureTable
from models.anomaly.covariance import shrunk_covariance
from models.anomaly.deviations import bent
from models.anomaly.normal import window_hours
from models.anomaly.usual import Usual

REACH = 1.5
"""How long before an episode its shapes are remembered, and the longest window that draws them, in horizons."""

_DRAWN = ("level", "spread", "value", "trend")
_RAREST = 4.0
_LEAST = 0.1
"""What differs by less than so many standard deviations from what the other columns let expect differs by chance."""
_MOST_ROWS = 10_000

Floats = NDArray[np.float64]


@dataclass
class Shapes:
    """Draws what a machine shows in a window as a vector, and says how alike two are.

    A *departure* is how many robust standard deviations a level, spread, value or trend of a signal lies from the
    machine's own normal, beyond four by its logarithm, so that one signal cannot outshout all others. Of a count of
    errors it is how rare so many are in healthy time, as a deviation of a normal distribution; fewer than usual say
    nothing, as does what is not known.

    What a machine is made to do, and the season, move many signals at once and much farther than wear does. So
    departures are whitened: turned and stretched until healthy time strays as far in all directions. A
    pressure that is low for this load is then far, one that is low with the load is not, and what is said twice counts
    once.

    Attributes
    ----------
    columns : names of the columns that draw a shape
    expected : mean of each count in healthy time; NaN for what is no count, shape (n_columns,)
    whitening : shape (n_columns, n_columns)

    References
    ----------
    Fault directions in the space of whitened residuals: Gertler: Fault Detection and Diagnosis in Engineering Systems,
    1998. The whitening is the symmetric one of Kessy, Lewin, Strimmer: Optimal whitening and decorrelation, The
    American Statistician 72, 2018.
    """

    columns: tuple[str, ...]
    expected: Floats
    whitening: Floats

    @classmethod
    def learn(cls, healthy: FeatureTable, normal: Usual, horizon: timedelta) -> Self:
        """Learn from healthy rows how departures stray together.

        Parameters
        ----------
        normal : of those rows
        horizon : of the model; longer windows than ``REACH`` of it tell more of the time before an episode than of it
        """
        columns = shape_columns(healthy.names, horizon)
        rows = np.linspace(0, max(len(healthy) - 1, 0), min(len(healthy), _MOST_ROWS)).astype(np.intp)
        healthy = healthy.where(rows)
        counts = np.array([feature_in(name).tells == "count" for name in columns], dtype=np.bool_)
        expected = np.full(len(columns), np.nan)
        values = np.nan_to_num(healthy.values[:, [healthy.names.index(name) for name in columns]])
        expected[counts] = (values[:, counts].sum(axis=0) + 1) / (len(healthy) + 1)
        found = cls(columns, expected, np.eye(len(columns)))
        if len(healthy) and not counts.all():
            usual = found.departures(healthy, normal)[:, ~counts]
            sizes, directions = np.linalg.eigh(shrunk_covariance(usual) + _LEAST**2 * np.eye(usual.shape[1]))
            found.whitening[np.ix_(~counts, ~counts)] = (directions / np.sqrt(sizes)) @ directions.T
        return found

    def departures(self, table: FeatureTable, normal: Usual) -> Floats:
        """Return how far each row departs from normal, shape (n_rows, n_columns).

        Parameters
        ----------
        table : as a learner sees it
        normal : of the same columns
        """
        place = [table.names.index(name) for name in self.columns]
        found = bent(np.nan_to_num(normal.standardise(table)[:, place], nan=0.0))
        counts = np.isfinite(self.expected)
        found[:, counts] = _rarity(np.nan_to_num(table.values[:, place][:, counts]), self.expected[counts])
        return found

    def whitened(self, departures: Floats) -> Floats:
        """Return departures as shapes, so long that healthy time has the squared length of the number of columns."""
        return departures @ self.whitening

    def of(self, table: FeatureTable, normal: Usual) -> Floats:
        """Return the shape of each row, shape (n_rows, n_columns); see ``departures``."""
        return self.whitened(self.departures(table, normal))


def likeness(those: Floats, one: Floats) -> Floats:
    """Return how alike shapes are: 2 a·b / (a·a + b·b + 2 n), where n is what the length of a healthy one is.

    It is near 1 for equal shapes that are far from normal, falls with the angle between them and with the difference in
    size, and stays near 0 where there is little but noise to compare.

    Parameters
    ----------
    those, one : shape (n, n_columns) and (n_columns,)

    Examples
    --------
    >>> likeness(np.array([[30.0, 0.0], [15.0, 0.0], [0.0, 30.0], [1.0, 0.0]]), np.array([30.0, 0.0])).round(2).tolist()
    [1.0, 0.8, 0.0, 0.07]
    """
    return likenesses(those, one[np.newaxis])[0]


def likenesses(those: Floats, some: Floats) -> Floats:
    """Return how alike each of some shapes is to each of those, see ``likeness``; shape (n_some, n_those)."""
    whole = (some**2).sum(axis=1)[:, np.newaxis] + (those**2).sum(axis=1) + 2 * max(some.shape[1], 1)
    return np.asarray(2 * (some @ those.T) / whole, dtype=np.float64)


def shape_columns(names: Sequence[str], horizon: timedelta) -> tuple[str, ...]:
    """Return the columns that draw a shape: levels, spreads, values and trends of signals, and errors one by one.

    Examples
    --------
    >>> names = ("a__mean__4h", "a__kurtosis__4h", "a__mean__7d", "errors__4h", "errors__e1__4h")
    >>> shape_columns(names, timedelta(hours=24))
    ('a__mean__4h', 'errors__e1__4h')
    """
    found = [name for name in names if _draws(name)]
    hours = [window_hours(name) for name in found]
    longest = max(min(hours, default=0.0), REACH * (horizon / timedelta(hours=1)))
    return tuple(name for name, own in zip(found, hours, strict=True) if own <= longest)


def _draws(name: str) -> bool:
    told = feature_in(name).tells
    return (bool(signal_of(name)) and told in _DRAWN) or (told == "count" and len(name.split(SEPARATOR)) > 2)


def _rarity(counts: Floats, expected: Floats) -> Floats:
    """Return of counts how rare so many or more are where so many are expected, as normal deviations from 0 to 4.

    Examples
    --------
    >>> _rarity(np.array([[0.0], [1.0], [3.0]]), np.array([0.05])).round(1).ravel().tolist()
    [0.0, 1.7, 4.0]
    """
    # Only here: nobody who does not compare shapes waits for it.
    from scipy.special import ndtri, pdtrc

    rare = pdtrc(np.maximum(counts - 1, 0), expected)
    return np.asarray(np.where(counts > 0, np.clip(-ndtri(np.maximum(rare, 1e-9)), 0.0, _RAREST), 0.0))
