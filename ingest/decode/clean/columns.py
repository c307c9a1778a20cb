"""The columns of a body that may be clean, and the readings that they are if they are clean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

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


def read_columns(several: Sequence[Columns], layouts: Layouts, now: Sequence[datetime]) -> list[Decoded] | None:
    """Return what the careful decoder would of each of some bodies; ``None`` unless nothing is wrong in any.

    Parameters
    ----------
    several : at least one; if more than one, all of them wide and with the same names
    now : when each of them came
    """
    together = several[0] if len(several) == 1 else _joined(several)
    try:
        codes = np.array([layouts.machines[name] for name in together.machines], np.int64)
    except KeyError:
        return None
    stamps, sizes = together.stamps, [len(each.machines) for each in several]
    latest = min(pa.scalar(latest_believed(min(now)), TIME).value, int(LATEST) - 1)
    earliest = earliest_believed(max(now), layouts.plant.old_after)
    if not all(sizes) or stamps.min() < earliest or stamps.max() > latest or np.isinf(together.cells).any():
        return None
    if together.long:
        decoded = _long(together, layouts, codes, now[0])
        return None if decoded is None else [decoded]
    came = np.repeat([pa.scalar(each, TIME).value for each in now], sizes)
    return _wide(together, layouts, codes, came, np.cumsum(sizes))


def _joined(several: Sequence[Columns]) -> Columns:
    """Return the rows of wide bodies with the same names as one body."""
    machines = [name for each in several for name in each.machines]
    stamps = np.concatenate([each.stamps for each in several])
    return Columns(machines, stamps, several[0].names, np.concatenate([each.cells for each in several], axis=1))


def _wide(columns: Columns, layouts: Layouts, codes: Integers, came: Integers, ends: Integers) -> list[Decoded] | None:
    """Return what each body gives; ``ends`` are the numbers of rows up to the end of each of them."""
    laid = layouts.of(columns.names)
    if laid is None:
        return None
    readings: list[list[Readings]] = [[] for _ in ends]
    missing = np.zeros(len(ends), np.int64)
    for number, rows in _by_class(layouts, codes):
        layout = laid[number]
        cells = _cells_of(layout, columns.cells[:, rows])
        if cells is None:
            return None
        names = [layouts.names[code] for code in codes[rows].tolist()]
        table = _table(layout.signals, names, columns.stamps[rows], came[rows], cells)
        own = ends if isinstance(rows, slice) else np.searchsorted(rows, ends)
        missing += np.diff(np.cumsum([0, *np.isnan(cells).sum(axis=0)])[own], prepend=0)
        for place, (begin, end) in enumerate(pairwise([0, *own.tolist()])):
            if end > begin:
                readings[place].append(Readings(layout.name, table.slice(begin, end - begin)))
    return [
        Decoded(readings=each, rows=size, used=size, missing=absent)
        for each, size, absent in zip(readings, np.diff(ends, prepend=0).tolist(), missing.tolist(), strict=True)
    ]


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
            came = np.repeat(pa.scalar(now, TIME).value, len(machines))
            readings.append(Readings(layout.name, _table(part.signals, machines, part.stamps, came, part.cells)))
    return Decoded(readings=readings, rows=len(codes), used=len(codes))


def _table(signals: tuple[str, ...], machines: list[str], stamps: Integers, came: Integers, cells: Floats) -> pa.Table:
    keys = [pa.array(machines, pa.string()), pa.array(stamps).view(TIME), pa.array(came).view(TIME)]
    return pa.Table.from_arrays([*keys, *_arrays(cells)], schema=readings_schema(signals))


def _arrays(cells: Floats) -> list[pa.Array]:
    """Return rows of cells as arrays, null where a cell is NaN."""
    if np.isnan(cells).any():
        return [pa.array(each, from_pandas=True) for each in cells]
    buffer, size, count = pa.py_buffer(np.ascontiguousarray(cells)), cells.itemsize, cells.shape[1]
    parts = (buffer.slice(place * size * count, size * count) for place in range(len(cells)))
    return [pa.Array.from_buffers(pa.float64(), count, [None, part]) for part in parts]
