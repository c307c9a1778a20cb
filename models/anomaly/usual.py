"""What is usual: normal values of features, moved by what the peers of a machine are off by at the same moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.normal_by_regime import Alone, usual_alone
from models.anomaly.shared import Shared

Floats = NDArray[np.float64]


@dataclass
class BesidePeers:
    """What is normal for each feature of a machine, given what its peers are off by: a ``Usual``.

    Attributes
    ----------
    shared : what peers are off by
    normal : of values without that
    """

    shared: Shared
    normal: Alone

    @property
    def names(self) -> tuple[str, ...]:
        """Feature columns."""
        return self.normal.names

    @property
    def spread(self) -> Floats:
        """The robust standard deviation of each feature, without what peers share; 0 where constant."""
        return self.normal.spread

    def of(self, table: FeatureTable) -> Floats:
        """Return the normal values for each row, shape (n_rows, n_names)."""
        moved = self.shared.of(table)
        return self.normal.of(_without(table, moved)) + moved

    def standardise(self, table: FeatureTable) -> Floats:
        """Return how many robust standard deviations each value lies from normal; NaN where that is not known."""
        return self.normal.standardise(_without(table, self.shared.of(table)))


Usual = Alone | BesidePeers


def usual_of(table: FeatureTable) -> Usual:
    """Return the normal values that healthy rows show, beside what their peers do where that says something.

    Parameters
    ----------
    table : healthy rows only; NaN where a feature is not known
    """
    shared = Shared.learn(table)
    if shared is None:
        return usual_alone(table)
    return BesidePeers(shared, usual_alone(_without(table, shared.of(table))))


def usuals_of(learner: object) -> tuple[Usual, ...]:
    """Return what a learner measures from, its ``usuals``; nothing of one that measures from no normal beside peers."""
    return getattr(learner, "usuals", ())


def without_peers(normal: Usual, table: FeatureTable) -> FeatureTable:
    """Return the table without what peers are off by."""
    return _without(table, normal.shared.of(table)) if isinstance(normal, BesidePeers) else table


def _without(table: FeatureTable, moved: Floats) -> FeatureTable:
    return replace(table, values=table.values - moved)
