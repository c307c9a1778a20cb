"""How a machine departs from its normal: columns that those who learn of failures see beside the features."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.column import SEPARATOR
from features.table import FeatureTable
from models.anomaly.deviations import Deviations
from models.anomaly.usual import without_peers
from models.detectors.principal_components import PrincipalComponents

AGAINST_OTHERS = "against_others"
SURPRISE = "surprise"

Floats = NDArray[np.float64]


@dataclass
class Departures:
    """What a detector that knows healthy time only makes of a row.

    A tree cuts one column at a time. It cannot see that a pressure is low for this load, or low for this machine,
    unless somebody tells it: the residual of each level against the same level of the other signals, and how
    strange the whole is. A mode that came a few times then looks like itself on machines that differ, and one
    that never came looks strange at least.

    Attributes
    ----------
    detector : fitted to healthy rows
    """

    detector: PrincipalComponents

    @classmethod
    def learn(cls, healthy: FeatureTable, history: float | None = None) -> Self:
        """Learn from healthy rows, at least one; see ``Deviations.learn``."""
        return cls(PrincipalComponents().fit(healthy, Deviations.learn(healthy, history)))

    def beside(self, table: FeatureTable) -> FeatureTable:
        """Return the table with its departures as further columns; the surprise comes last."""
        levels, residuals = self.detector.against_others(table)
        names = (SEPARATOR.join((*name.split(SEPARATOR, 1), AGAINST_OTHERS)) for name in levels)
        plain = without_peers(self.detector.deviations.normal, table).values
        values = np.column_stack([plain, residuals, self.detector.score(table)])
        return replace(table, names=(*table.names, *names, SURPRISE), values=values, beside=None)

    def shares(self, table: FeatureTable) -> Floats:
        """Return which part of its surprise each column of a table is, shape (n_rows, n_names); each row sums to 1.

        Where nothing surprises, all that the detector looks at share alike.
        """
        parts = np.maximum(0.0, self.detector.contributions(table))
        parts[np.ix_(parts.sum(axis=1) == 0, self.detector.deviations.columns)] = 1.0
        return parts / np.maximum(parts.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
