"""A body of rows that names its columns as we do: machine, time, and signals or signal and value."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.decode.mapping import resolve
from ingest.decode.number import empty
from ingest.decode.reject import Rejects
from ingest.decode.rows import Decoded, RowDecoder
from ingest.errors import SourceError
from ingest.plant import Plant, Source
from ingest.reading import TIME

MOST_COLUMNS = 5_000
LONG = {"machine", "time", "signal", "value"}


def decode_batch(
    table: pa.Table,
    plant: Plant,
    *,
    now: datetime,
    time_format: str = "iso",
    line_of: Callable[[int], int] = lambda row: row + 1,
) -> Decoded:
    """Decode rows whose columns are named ``machine``, ``time`` and then as signals, or ``signal``, ``value``.

    In wide rows a column ``arrived`` of moments (timestamps with a zone) says when somebody before us got
    each row; ``now`` takes the place of what is later, before 1970 or missing.

    Raises
    ------
    SourceError
        When the rows have no ``machine``, ``time`` or signal at all.
    """
    refuse_many_columns(table.num_columns)
    long = set(table.column_names) >= LONG
    table, arrivals = (table, None) if long else _without_arrivals(table, now)
    names = tuple(table.column_names)
    source = Source(
        name="batch",
        path="-",
        machine=["machine"],
        time=["time"],
        time_format=time_format,
        signal_column="signal" if long else None,
        value_column="value" if long else None,
    )
    mapping = resolve(source, plant, names, "the body")
    decoder = RowDecoder(plant, mapping, now=now)
    decoder.arrivals = arrivals
    decoded = decoder.decode(table.select(list(mapping.columns)), line_of)
    strange = Rejects(line_of)
    if not long:
        _turn_strange_signals_away(table, plant, decoder.class_of_rows, strange)
    if not strange.count:
        return decoded
    return Decoded(
        readings=decoded.readings,
        rejections=sorted([*decoded.rejections, *strange.kept], key=lambda each: each.line),
        rejected=decoded.rejected + strange.count,
        rows=decoded.rows,
        used=decoded.used,
        missing=decoded.missing,
    )


def _without_arrivals(table: pa.Table, now: datetime) -> tuple[pa.Table, pa.ChunkedArray | None]:
    """Take the column of arrivals out of a table, if it has one."""
    place = table.schema.get_field_index("arrived")
    if place < 0 or not pa.types.is_timestamp(kind := table.schema.field(place).type) or kind.tz is None:
        return table, None
    said = table.column(place).cast(TIME, safe=False).cast(pa.int64())
    latest = pa.scalar(now, TIME).cast(pa.int64())
    believed = pc.fill_null(pc.and_(pc.greater(said, 0), pc.less(said, latest)), False)
    return table.remove_column(place), pc.if_else(believed, said, latest).cast(TIME)


def refuse_many_columns(count: int) -> None:
    """Raise ``SourceError`` when a body names more columns than any machine has signals."""
    if count > MOST_COLUMNS:
        raise refuse_body(f"has {count:,} columns, at most {MOST_COLUMNS:,} are read")


def refuse_body(reason: str) -> SourceError:
    """Return the error for a body that holds no rows at all."""
    return SourceError(
        f"the body {reason}; send rows of machine, time and one value per signal, or machine, signal, time and value"
    )


def _turn_strange_signals_away(table: pa.Table, plant: Plant, classes: NDArray[np.int64], rejects: Rejects) -> None:
    """Turn away values of signals that the machine's class does not have.

    Parameters
    ----------
    classes : place of each row's class in the plant, -1 where the row has no machine, shape (n_rows,)
    """
    names = [name for name in table.column_names if name not in ("machine", "time")]
    for number in np.unique(classes[classes >= 0]).tolist():
        signals = [each.name for each in plant.classes[number].signals]
        known = set(signals)
        for name in [each for each in names if each not in known]:
            rows = np.flatnonzero(~empty(table[name]) & (classes == number))
            if len(rows):
                hint = rejects.hint(name, signals)
                reason = f"class {plant.classes[number].name!r} has no signal {name[:80]!r}{hint}"
                rejects.add(rows, name, table[name], reason)
