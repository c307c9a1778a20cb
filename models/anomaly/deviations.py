"""How far features lie from normal: the view of a table that all detectors share."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME, feature_in
from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.normal import window_hours
from models.anomaly.usual import Usual, usual_of
from models.columns import telling_columns

_BEND = 4.0
_LEAST_FILLED = 0.2
_LEAST_WINDOWS = 15
"""How many windows have to fit into the history, one after the other, for their features to be known well."""

Floats = NDArray[np.float64]


def bent(strange: Floats) -> Floats:
    """Return deviations that count by their logarithm beyond four.

    Examples
    --------
    >>> bent(np.array([-3.0, 4.0, 40.0])).round(1).tolist()
    [-3.0, 4.0, 13.2]
    """
    size = np.abs(strange)
    return np.sign(strange) * np.where(size > _BEND, _BEND * (1 + np.log(np.maximum(size, _BEND) / _BEND)), size)


@dataclass
class Deviations:
    """Measures every feature in robust standard deviations from the machine's own normal, by regime if there are any.

    Beyond four standard deviations a feature counts by its logarithm, so that one broken value cannot
    outshout a whole machine. Where features tell how far a machine is from the beginning of its own
    history, those take the place of absolute ones, which on a machine that was never seen would only say
    that it is another machine. Columns come in the order of the catalogue and of
    their names, so that the order in a table has no say.

    Attributes
    ----------
    normal : of all columns of the table
    columns : positions of the columns that tell something
    names : of those columns
    often : for each of them, whether its window fits into the history often enough to know how it strays
    """

    normal: Usual
    columns: NDArray[np.intp]
    names: tuple[str, ...]
    often: NDArray[np.bool_]

    @classmethod
    def learn(cls, table: FeatureTable, history: float | None = None, normal: Usual | None = None) -> Self:
        """Learn from healthy rows, at least one.

        Parameters
        ----------
        history : hours of the whole history, where the rows are a part of it; those of the rows when left out
        normal : of these rows, where it is known already
        """
        normal = normal or usual_of(table)
        strange = normal.standardise(table)
        order = np.array(sorted(range(len(table.names)), key=lambda at: _place(table.names[at])), dtype=np.intp)
        telling = order[telling_columns(strange[:, order])]
        filled = np.isfinite(strange).mean(axis=0) >= _LEAST_FILLED
        usable = filled & (normal.spread > 0) & ~_left_out(table.names)
        columns = telling[usable[telling]]
        names = tuple(table.names[column] for column in columns)
        return cls(normal, columns, names, _often_seen(names, hours_of(table) if history is None else history))

    def of(self, table: FeatureTable) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the deviations, shape (n_rows, n_columns), 0 where not known; and where they are known, so shaped."""
        strange = self.normal.standardise(table)[:, self.columns]
        known = np.isfinite(strange)
        return bent(np.nan_to_num(strange, nan=0.0)), known

    def spread_out(self, parts: Floats, width: int) -> Floats:
        """Return parts of the score by column of the deviations as parts by column of a table of this width."""
        found = np.zeros((len(parts), width))
        found[:, self.columns] = parts
        return found


def same_levels(names: Mapping[int, str]) -> list[list[int]]:
    """Return the columns that are the same level of different signals together.

    Examples
    --------
    >>> same_levels({0: "a__mean__1h", 2: "b__mean__1h", 3: "a__mean__1d", 4: "a__slope__1h"})
    [[0, 2], [3]]
    """
    kinds = defaultdict(list)
    for at, name in names.items():
        if (signal := signal_of(name)) and feature_in(name).tells == "level":
            kinds[name.removeprefix(signal)].append(at)
    return list(kinds.values())


_PLACES = {name: place for place, name in enumerate(BY_NAME)}


def _place(name: str) -> tuple[int, str]:
    """Sort what the catalogue names first to the front: of two columns that say the same the first is kept."""
    return _PLACES[feature_in(name).name], name


def hours_of(table: FeatureTable) -> float:
    """Return the hours from the first to the last row of any machine."""
    return float((table.time.max() - table.time.min()) / np.timedelta64(1, "h")) if len(table) else 0.0


def _often_seen(names: tuple[str, ...], history: float) -> NDArray[np.bool_]:
    """Say of each column whether its window fits into the history often enough to know how it strays.

    Windows overlap and machines share their seasons, so neither rows nor machines make up for time. The shortest
    windows always do; a change counts by the shorter of its two, since what is slow leaves it.
    """
    hours = np.array([window_hours(name.rsplit("_vs_", 1)[0]) for name in names])
    return np.asarray((hours <= hours.min(initial=np.inf)) | (hours * _LEAST_WINDOWS <= history), dtype=np.bool_)


def _left_out(names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Say of each column whether it is context, or features against the machine's own beginning take its place."""
    features = [feature_in(name) for name in names]
    known = any(each.tells == "level" and each.against_itself for each in features)
    return np.array([(known and each.absolute) or each.tells == "context" for each in features], dtype=np.bool_)
