"""The parts of the level of any model that gives one: by asking it about rows in which groups are as usual."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.why.parts import SCALES, Parts, ScaleName
from models.why.shapley import shapley


def asked_parts(
    scale: ScaleName,
    level: Callable[[FeatureTable], NDArray[np.float64]],
    table: FeatureTable,
    usual: NDArray[np.float64],
    group_of_column: NDArray[np.intp],
    groups: int,
) -> Parts:
    """Return the parts of each row's level, for a model that cannot say them by itself.

    Parameters
    ----------
    level : gives the level of each row of a table with these columns
    usual : what is normal for each row, shape (n_rows, n_names)
    """
    score, first = SCALES[scale].score, np.zeros(1, np.intp)
    by_group, base = np.zeros((len(table), groups)), np.full(len(table), np.nan)
    for row in range(len(table)):
        one = table.where(np.array([row]))

        def ask(rows: NDArray[np.float64], one: FeatureTable = one) -> NDArray[np.float64]:
            return score(level(replace(one.where(np.repeat(first, len(rows))), values=rows)))

        now = float(ask(one.values)[0])
        if np.isfinite(now):
            by_group[row] = shapley(ask, one.values[0], usual[row], group_of_column, groups)
            base[row] = now - by_group[row].sum()
    return Parts(scale, base, by_group)
