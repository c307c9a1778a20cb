"""Which rows of a table belong to which machine."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def machine_rows(machine: NDArray[Any]) -> dict[str, slice]:
    """Return the rows of each machine, in a table whose rows are grouped by machine.

    Examples
    --------
    >>> machine_rows(np.array(["m1", "m1", "m2"], dtype=object))
    {'m1': slice(0, 2, None), 'm2': slice(2, 3, None)}
    """
    if not len(machine):
        return {}
    changes = np.flatnonzero(machine[1:] != machine[:-1]) + 1
    bounds = [0, *changes.tolist(), len(machine)]
    return {str(machine[first]): slice(first, last) for first, last in pairwise(bounds)}


def by_machine(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the events of each machine that has any."""
    if events.empty:
        return {}
    return {str(machine): group for machine, group in events.groupby("machine", sort=True)}
