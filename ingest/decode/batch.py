"""A body of rows that names its columns as we do: machine, time, and signals or signal and value."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.mapping import resolve
from ingest.decode.number import empty
from ingest.decode.reject import MOST_IN_A_BODY, Rejects
from ingest.decode.rows import Decoded, RowDecoder
from ingest.errors import SourceError
from ingest.plant import Plant, Source

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

    Raises
    ------
    SourceError
        When the rows have no ``machine``, ``time`` or signal at all, or more than ``MOST_IN_A_BODY`` mistakes.
    """
    refuse_many_columns(table.num_columns)
    names = tuple(table.column_names)
    long = set(names) >= LONG
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
    decoder = RowDecoder(plant, mapping, now=now, most_rejected=MOST_IN_A_BODY)
    decoded = decoder.decode(table.select(list(mapping.columns)), line_of)
    strange = Rejects(line_of, MOST_IN_A_BODY)
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
