"""The columns of a body that may be clean, and the readings that they are if they are clean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.ahead import latest_believed
from ingest.decode.clean.layout import ClassLayout, Layouts
from ingest.decode.long_form import wide_parts
from ingest.decode.old import earliest_believed
from ingest.decode.rows import Decoded
from ingest.decode.time import LATEST
from ingest.reading import TIME, Readings, readings_schema

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """A body as columns, as its parser found them.

    Attributes
    ----------
    machines : name of each row's machine, shape (n_rows,)
    stamps : microseconds since 1970 UTC, shape (n_rows,)
    names : wide: of the columns of values; long: signal of each row
    cells : NaN where nothing is; wide: shape (n_names, n_rows); long: shape (n_rows,)
    long : whether each row is one reading
    """

    machines: Sequence[str]
    stamps: Integers
    names: Sequence[str]
    cells: Floats
    long: bool = False


def iso_stamps(texts: Sequence[str]) -> Integers | None:
    """Return ISO times as microseconds since 1970 UTC, if each of them names its zone."""
    try:
        return pa.array(texts, pa.string()).cast(TIME).view(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def read_columns(columns: Columns, layouts: Layouts, now: datetime) -> Decoded | None:
    """Return what the careful decoder would, of columns in which nothing is wrong; ``None`` for all others."""
    try:
        codes = np.array([layouts.machines[name] for name in columns.machines], np.int64)
    except KeyError:
        return None
    stamps = columns.stamps
    latest = min(pa.scalar(latest_believed(now), TIME).value, int(LATEST) - 1)
    earliest = earliest_believed(now, layouts.plant.old_after)
    if not len(codes) or stamps.min() < earliest or stamps.max() > latest or np.isinf(columns.cells).any():
        return None
    if columns.long:
        return _long(columns, layouts, codes, now)
    return _wide(columns, layouts, codes, now)


def _wide(columns: Columns, layouts: Layouts, codes: Integers, now: datetime) -> Decoded | None:
    laid = layouts.of(columns.names)
    if laid is None:
        return None
    readings: list[Readings] = []
    missing = 0
    for number, rows in _by_class(layouts, codes):
        layout = laid[number]
        cells = _cells_of(layout, columns.cells[:, rows])
        if cells is None:
            return None
        missing += int(np.isnan(cells).sum())
        names = [layouts.names[code] for code in codes[rows].tolist()]
        readings.append(_readings(layout.name, layout.signals, names, columns.stamps[rows], cells, now))
    return Decoded(readings=readings, rows=len(codes), used=len(codes), missing=missing)


def _by_class(layouts: Layouts, codes: Integers) -> Sequence[tuple[int, slice | Integers]]:
    """Return each class that is there, in the order of the plant, and its rows."""
    classes = layouts.class_of[codes]
    if (classes == classes[0]).all():
        return [(int(classes[0]), slice(None))]
    return [(number, np.flatnonzero(classes == number)) for number in np.unique(classes).tolist()]


def _cells_of(layout: ClassLayout, cells: Floats) -> Floats | None:
    """Return the cells of one class, shape (n_signals, n_rows), if each is in its range and each row has one."""
    if len(layout.others) and not np.isnan(cells[layout.others]).all():
        return None
    own = cells[layout.places]
    if ((own < layout.low) | (own > layout.high)).any() or np.isnan(own).all(axis=0).any():
        return None
    return own


def _long(columns: Columns, layouts: Layouts, codes: Integers, now: datetime) -> Decoded | None:
    if np.isnan(columns.cells).any():
        return None
    readings: list[Readings] = []
    for number, rows in _by_class(layouts, codes):
        layout = layouts.whole(number)
        place = {name: code for code, name in enumerate(layout.signals)}
        names = columns.names if isinstance(rows, slice) else [columns.names[row] for row in rows.tolist()]
        try:
            signals = np.array([place[name] for name in names], np.int64)
        except KeyError:
            return None
        cells = columns.cells[rows]
        if ((cells < layout.low[signals, 0]) | (cells > layout.high[signals, 0])).any():
            return None
        for part in wide_parts(layout.signals, signals, codes[rows], columns.stamps[rows], cells):
            machines = [layouts.names[code] for code in part.machines.tolist()]
            readings.append(_readings(layout.name, part.signals, machines, part.stamps, part.cells, now))
    return Decoded(readings=readings, rows=len(codes), used=len(codes))


def _readings(
    machine_class: str, signals: tuple[str, ...], machines: list[str], stamps: Integers, cells: Floats, now: datetime
) -> Readings:
    keys = [pa.array(machines, pa.string()), pa.array(stamps).view(TIME), pa.repeat(pa.scalar(now, TIME), len(stamps))]
    batch = pa.RecordBatch.from_arrays([*keys, *_arrays(cells)], schema=readings_schema(signals))
    return Readings(machine_class, pa.Table.from_batches([batch]))


def _arrays(cells: Floats) -> list[pa.Array]:
    """Return rows of cells as arrays, null where a cell is NaN."""
    if np.isnan(cells).any():
        return [pa.array(each, from_pandas=True) for each in cells]
    buffer, size, count = pa.py_buffer(np.ascontiguousarray(cells)), cells.itemsize, cells.shape[1]
    parts = (buffer.slice(place * size * count, size * count) for place in range(len(cells)))
    return [pa.Array.from_buffers(pa.float64(), count, [None, part]) for part in parts]
