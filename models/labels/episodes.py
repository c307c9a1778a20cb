"""Which rows of a training table lie before which event."""

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable


def episodes_of(table: FeatureTable, labels: NDArray[np.int8]) -> NDArray[np.intp]:
    """Number the runs of rows of one machine that lie before an event; −1 for all other rows."""
    before = labels == 1
    if not len(table):
        return np.empty(0, dtype=np.intp)
    same = np.r_[False, table.machine[1:] == table.machine[:-1]]
    first = before & ~(np.r_[False, before[:-1]] & same)
    return np.where(before, np.cumsum(first) - 1, -1).astype(np.intp)
