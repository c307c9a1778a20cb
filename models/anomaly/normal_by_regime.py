"""Normal values of features in each regime: of each machine and regime where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import SEPARATOR
from features.table import FeatureTable
from models.anomaly.normal import Normal, normal_of, window_hours
from models.context.window_regime import WindowRegimes, window_regimes

FEWEST_WINDOWS = 10
"""Time, in windows, that a normal of its own takes; what is in a regime with less is compared with nothing."""
LARGEST_SHARE = 0.25
"""Share of all rows from which a regime has a normal whatever time that is: where histories are short."""

_LIGHT = 1e-3
"""Weight that draws what sets machines apart to nothing where the readings leave it open."""

Floats = NDArray[np.float64]


@dataclass
class Cell:
    """What is normal for the windows of one length in one regime.

    Attributes
    ----------
    window : length, as in names of columns; empty for columns without a window
    regime : position among the regimes of the table
    columns : positions of the columns
    normal : of those columns, without what sets a machine apart in all regimes
    """

    window: str
    regime: int
    columns: NDArray[np.intp]
    normal: Normal


@dataclass
class NormalByRegime:
    """What is normal for each feature, given the regime that its own window is in.

    What a machine has of its own in all regimes is learnt first, and what it has of its own in one regime
    is added; both are shrunk as in ``Normal``. So a machine that was never seen in a regime has the normal of
    its class there, moved by what sets the machine apart elsewhere. Windows that change between regimes are
    compared with such windows. Where nothing is known, NaN stands for normal.

    Attributes
    ----------
    names : feature columns
    offset : what sets machines apart
    cells : of each length of window and regime that is known
    """

    names: tuple[str, ...]
    offset: Normal
    cells: list[Cell]

    @property
    def spread(self) -> Floats:
        """The largest robust standard deviation of each feature in any regime; 0 where constant."""
        found = np.zeros(len(self.names))
        for cell in self.cells:
            np.maximum.at(found, cell.columns, cell.normal.spread)
        return found

    def of(self, table: FeatureTable) -> Floats:
        """Return the normal values for each row, shape (n_rows, n_names); of regimes, what they are."""
        context = [place for place, name in enumerate(self.names) if feature_in(name).tells == "context"]
        found = np.full((len(table), len(self.names)), np.nan)
        found[:, context] = table.values[:, context]
        offset = self.offset.of(table)
        for cell, rows in self._cells_of(table):
            block = np.ix_(rows, cell.columns)
            found[block] = offset[block] + cell.normal.of(_part(table, table.values, rows, cell.columns))
        return found

    def standardise(self, table: FeatureTable) -> Floats:
        """Return how many robust standard deviations each value lies from normal; NaN where that is not known."""
        found = np.full((len(table), len(self.names)), np.nan)
        values = table.values - self.offset.of(table)
        for cell, rows in self._cells_of(table):
            found[np.ix_(rows, cell.columns)] = cell.normal.standardise(_part(table, values, rows, cell.columns))
        return found

    def _cells_of(self, table: FeatureTable) -> list[tuple[Cell, NDArray[np.intp]]]:
        regimes = window_regimes(table)
        if regimes is None:
            raise ValueError("the table says nothing of regimes, and this normal was learnt from one that does")
        return [(cell, _rows(regimes, cell.window, cell.regime, len(table))) for cell in self.cells]


Alone = Normal | NormalByRegime


def usual_alone(table: FeatureTable) -> Alone:
    """Return the normal values that healthy rows show, by regime where the table tells regimes.

    Parameters
    ----------
    table : healthy rows only; NaN where a feature is not known
    """
    regimes = window_regimes(table)
    if regimes is None:
        return normal_of(table)
    centred = np.full(table.values.shape, np.nan)
    places, every = [], _hours_between_rows(table)
    for window, columns in _columns_by_window(table.names, regimes).items():
        found = {regime: _rows(regimes, window, regime, len(table)) for regime in range(len(regimes.names))}
        fewest = FEWEST_WINDOWS * (window_hours(f"{SEPARATOR}{window}") / every if window else 1.0)
        fewest = max(1.0, min(fewest, LARGEST_SHARE * sum(map(len, found.values()))))
        known = {regime: rows for regime, rows in found.items() if len(rows) >= fewest and (window or not regime)}
        centres = _centres([_part(table, table.values, rows, columns) for rows in known.values()])
        for (regime, rows), centre in zip(known.items(), centres, strict=True):
            centred[np.ix_(rows, columns)] = table.values[np.ix_(rows, columns)] - centre
            places.append((window, regime, columns, rows))
    offset = normal_of(replace(table, values=centred))
    values, cells = table.values - offset.of(table), []
    for window, regime, columns, rows in places:
        own = normal_of(_part(table, values, rows, columns), hours_of_a_row=every)
        cells.append(Cell(window, regime, columns, own))
    return NormalByRegime(table.names, offset, cells)


def _centres(parts: Sequence[FeatureTable]) -> list[Floats]:
    """Return the level of each feature in each regime that machines have in common.

    Machines differ, and few may have run in all regimes: what sets regimes apart is learnt from machines that
    ran in several, by least squares of the medians of each machine in each regime. Where no machine did, it is
    the mean over machines.

    Parameters
    ----------
    parts : rows in each regime
    """
    medians = [pd.DataFrame(part.values).groupby(part.machine.astype(str)).median() for part in parts]
    machines = {name: place for place, name in enumerate(sorted({name for each in medians for name in each.index}))}
    levels = np.concatenate([each.to_numpy(np.float64) for each in medians]) if medians else np.empty((0, 0))
    design = np.zeros((len(levels), len(parts) + len(machines)))
    row = 0
    for regime, each in enumerate(medians):
        for name in each.index:
            design[row, [regime, len(parts) + machines[name]]] = 1.0
            row += 1
    light = np.hstack([np.zeros((len(machines), len(parts))), _LIGHT * np.eye(len(machines))])
    centres = np.full((len(parts), levels.shape[1]), np.nan)
    known = np.isfinite(levels)
    patterns, kind = np.unique(known, axis=1, return_inverse=True)
    for number, rows in enumerate(patterns.T):
        alike = np.flatnonzero(kind.reshape(-1) == number)
        middle = np.nan_to_num(np.nanmedian(levels[rows][:, alike], axis=0)) if rows.any() else 0.0
        aim = np.vstack([levels[rows][:, alike] - middle, np.zeros((len(machines), len(alike)))])
        found = np.linalg.lstsq(np.vstack([design[rows], light]), aim, rcond=None)[0][: len(parts)]
        seen = design[rows][:, : len(parts)].any(axis=0)
        centres[np.ix_(np.flatnonzero(seen), alike)] = (found + middle)[seen]
    return list(centres)


def _columns_by_window(names: tuple[str, ...], regimes: WindowRegimes) -> dict[str, NDArray[np.intp]]:
    """Return the columns but context by their window, the longer one of two; those without one under ''."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if feature_in(name).tells == "context":
            continue
        window = name.rsplit(SEPARATOR, 1)[-1].rsplit("_vs_", 1)[-1]
        found.setdefault(window if window in regimes.of_window else "", []).append(place)
    return {window: np.array(places, np.intp) for window, places in found.items()}


def _rows(regimes: WindowRegimes, window: str, regime: int, count: int) -> NDArray[np.intp]:
    return np.flatnonzero(regimes.of_window[window] == regime) if window else np.arange(count)


def _part(table: FeatureTable, values: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FeatureTable:
    names = tuple(table.names[column] for column in columns)
    return replace(table.where(rows), names=names, values=values[np.ix_(rows, columns)])


def _hours_between_rows(table: FeatureTable) -> float:
    same = table.machine[1:] == table.machine[:-1]
    steps = (table.time[1:] - table.time[:-1])[same] / np.timedelta64(1, "h")
    return float(np.median(steps)) if len(steps) else 1.0
