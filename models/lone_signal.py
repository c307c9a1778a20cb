"""What rests on one signal alone, as before no failure that was recorded: it may be the sensor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.corroboration import Corroboration
from models.anomaly.usual import Usual
from models.why.similar import Episodes

LIKE = 0.4
"""Likeness from which a machine looks as one did before a recorded failure."""

MOST_DOUBTED = 0.2
"""Share of held-out time that may be over the threshold and no alert. A fit of everything that is known doubts a tenth
of that."""

Floats = NDArray[np.float64]


@dataclass
class LoneSignal:
    """Tells a machine that departs from a sensor that does, by the other signals and by what failures looked like.

    A sensor that drifts and wear that shows in one signal only are the same readings. So where one signal alone
    departs, the recorded failures of the class decide: if a machine looked so before one of them, it is the machine,
    otherwise the sensor is looked at first.

    Attributes
    ----------
    corroboration : tells whether the other signals are as usual
    target : kind of the events that are foreseen
    threshold : level from which one signal alone is worth a look at its sensor
    sure : level from which nothing is doubted: what learnt from failures and is that sure has seen them look so
    """

    corroboration: Corroboration
    target: str
    threshold: float
    sure: float

    def recorded(self, table: FeatureTable, episodes: Episodes, normal: Usual) -> NDArray[np.bool_]:
        """Say of each row whether a machine looked so before a failure that is known, its own next one left out."""
        shapes = episodes.shapes.of(table, normal)
        return episodes.most_alike(shapes, table.machine, table.time, self.target) >= LIKE

    def doubted(self, levels: Floats, table: FeatureTable, episodes: Episodes, normal: Usual) -> NDArray[np.bool_]:
        """Say of each row with a level whether it rests on one signal alone as before no failure that was recorded.

        Parameters
        ----------
        levels : shape (n_rows,), NaN where there is none
        table : as a learner sees it
        """
        rows = np.flatnonzero(levels < self.sure)
        part = table.where(rows)
        found = np.zeros(len(levels), dtype=np.bool_)
        found[rows] = (self.corroboration.lone(part) != "") & ~self.recorded(part, episodes, normal)
        return found


def least_threshold(levels: Floats, doubted: NDArray[np.bool_]) -> float:
    """Return the lowest threshold at which no more than ``MOST_DOUBTED`` of the rows are over and doubted.

    Examples
    --------
    >>> least_threshold(np.linspace(0, 1, 101), np.arange(101) % 2 == 0)
    0.6
    """
    known = ~np.isnan(levels)
    return float(np.quantile(np.where(doubted, levels, 0.0)[known], 1 - MOST_DOUBTED)) if known.any() else 0.0
