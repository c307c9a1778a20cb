"""Replayed readings in the order of their arrival: what came after the letter stays."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ingest.reading import TIME, Readings
from ingest.segment import Selection


def asked_of(several: Sequence[Readings]) -> Selection:
    """Return the selection that holds all machines, times and signals of readings of one class."""
    times = np.concatenate([_times(each.table, "time") for each in several])
    return Selection(
        signals=tuple(dict.fromkeys(name for each in several for name in each.signals)),
        machines=tuple({name for each in several for name in each.table["machine"].unique().to_pylist()}),
        first=int(times.min()),
        newest=int(times.max()),
    )


def at_their_times(table: pa.Table, several: Sequence[Readings]) -> pa.Table:
    """Return the rows at times of these readings: those between two letters may be a year of a machine."""
    times = np.unique(np.concatenate([_times(each.table, "time") for each in several]))
    return table.filter(pa.array(np.isin(_times(table, "time"), times)))


class Held:
    """What the store holds of one class beside readings that are replayed.

    Parameters
    ----------
    table : one row for each machine and time
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._arrived = _times(table, "arrived")
        self._rows = {moment: row for row, moment in enumerate(_moments(table))}

    def without_newer(self, readings: Readings) -> Readings:
        """Return readings without the cells of which the store has a value of a row that arrived later.

        Only the arrival of a row is known, not that of each cell: where one of its values came after the letter,
        all of its values stay.
        """
        table = readings.table
        if not self._rows or not table.num_rows:
            return readings
        place = np.array([self._rows.get(each, -1) for each in _moments(table)])
        arrived = _times(table, "arrived")
        newer = place >= 0
        newer[newer] = self._arrived[place[newer]] > arrived[newer]
        if not newer.any():
            return readings
        stays = place[newer]
        left = np.zeros(len(table), np.bool_)
        cells = []
        for name in readings.signals:
            values = table[name].to_numpy().copy()
            values[newer] = np.where(np.isnan(self._table[name].to_numpy()[stays]), values[newer], np.nan)
            left |= ~np.isnan(values)
            cells.append(pa.array(values, from_pandas=True))
        # The row arrives with the newer one that it joins, so that no other letter is taken for newer than that.
        arrived[newer] = self._arrived[stays]
        columns = [table["machine"], table["time"], pa.array(arrived).cast(TIME), *cells]
        return Readings(readings.machine_class, pa.table(columns, schema=table.schema).filter(pa.array(left)))


def _times(table: pa.Table, column: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(table[column].cast(pa.int64()).to_numpy())


def _moments(table: pa.Table) -> Iterator[tuple[str, int]]:
    return zip(table["machine"].cast(pa.string()).to_pylist(), _times(table, "time").tolist(), strict=True)
