"""Rows of an array or a DataFrame as a feature table: who they are of, and when."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import SEPARATOR
from features.table import FeatureTable
from models.judging.split import MOST_FOLDS, Fold
from models.rows import machine_rows

_BEGIN = np.datetime64("2000-01-01", "us")
_HOUR = np.timedelta64(1, "h")
UNNAMED = f"mean{SEPARATOR}1h"
"""What a column holds whose name does not say so: feature and window."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the order of a feature table, and how to put what is said of them back in their own.

    Attributes
    ----------
    order : position of each row of the table among the rows that were given
    """

    table: FeatureTable
    order: NDArray[np.intp]

    @classmethod
    def of(cls, given: Any, values: NDArray[np.float64], names: tuple[str, ...]) -> "Rows":
        """Return rows as a table.

        Parameters
        ----------
        given : what the caller gave; where it is a DataFrame as ``FeatureTable.frame`` gives it, with an index of
            machine and time, these are taken from it. Otherwise rows are of one machine, an hour apart
        values : the same as float64 array of shape (n_rows, n_names)
        """
        machine = np.full(len(values), "", dtype=object)
        time = _BEGIN + np.arange(len(values)) * _HOUR
        index = getattr(given, "index", None)
        if isinstance(index, pd.MultiIndex) and list(index.names) == ["machine", "time"]:
            machine = index.get_level_values("machine").astype(str).to_numpy(dtype=object)
            moments = pd.to_datetime(index.get_level_values("time"), utc=True)
            time = moments.tz_localize(None).to_numpy().astype("datetime64[us]")
        order = np.lexsort((time, machine.astype(str)))
        table = FeatureTable(machine[order], time[order], names, values[order], np.ones(len(values)))
        return cls(table, order)

    def back(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what was said of the rows of the table, in the order in which they were given."""
        found = np.empty(said.shape)
        found[self.order] = said
        return found

    def folds(self, most: int = MOST_FOLDS) -> list[Fold]:
        """Return folds of whole machines; of one machine, of stretches of time."""
        whole = np.arange(len(self.table))
        groups = [whole[rows] for rows in machine_rows(self.table.machine).values()]
        if len(groups) < 2:
            groups = np.array_split(whole, most)
        tests = [np.sort(np.concatenate(groups[place::most])) for place in range(min(most, len(groups)))]
        return [Fold(np.setdiff1d(whole, test), test) for test in tests if len(test)]


def column_names(given: Any, count: int, unnamed: str = UNNAMED) -> tuple[str, ...]:
    """Return names that say which feature of which signal a column holds.

    Raises
    ------
    ValueError
        When ``unnamed`` is no feature and window.

    Examples
    --------
    >>> column_names(None, 2)
    ('x0__mean__1h', 'x1__mean__1h')
    >>> column_names(pd.DataFrame(columns=["voltage__crest_factor__24h"]), 1)
    ('voltage__crest_factor__24h',)
    """
    if not _is_feature(f"x{SEPARATOR}{unnamed}"):
        raise ValueError(f"unnamed={unnamed!r} is no feature with its window; write it as in {UNNAMED!r}")
    columns = [f"x{place}" for place in range(count)]
    if isinstance(given, pd.DataFrame):
        columns = [str(name) for name in given.columns]
    return tuple(
        name if _is_feature(name) else f"{name.replace(SEPARATOR, '_')}{SEPARATOR}{unnamed}" for name in columns
    )


def _is_feature(name: str) -> bool:
    try:
        feature_in(name)
    except (KeyError, ValueError, IndexError):
        return False
    return True
