"""Rows that came again and brought nothing new, counted for each machine and day: harmless, but worth knowing."""

from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from ingest.catalogue import REPEATED, to_microseconds
from ingest.merge import unified
from ingest.reading import DAY
from ingest.statement import insert_into


def add(connection: Connection, table: pa.Table, again: NDArray[np.bool_]) -> None:
    """Count rows of a table that were there already.

    Parameters
    ----------
    table : rows as ``ingest.merge`` has them
    again : whether each brought nothing new, shape (rows,)
    """
    if not again.any():
        return
    some = unified(table.select(["machine", "time"]).filter(pa.array(again)))
    names = some["machine"].combine_chunks()
    codes, days = names.indices.to_numpy(), some["time"].cast(pa.int64()).to_numpy() // DAY
    keys, counts = np.unique(np.stack([codes, days]), axis=1, return_counts=True)
    labels = names.dictionary.to_pylist()
    rows = [
        {"machine": labels[code], "day": day, "rows": count}
        for code, day, count in zip(*keys.tolist(), counts.tolist(), strict=True)
    ]
    statement = insert_into(connection, REPEATED)
    statement = statement.on_conflict_do_update(
        index_elements=["machine", "day"], set_={"rows": REPEATED.c.rows + statement.excluded.rows}
    )
    connection.execute(statement, rows)


def read(connection: Connection, *, start: datetime, end: datetime) -> dict[str, int]:
    """Return the counts of machines on the days of [start, end]."""
    first, last = (to_microseconds(each) // DAY for each in (start, end))
    table = REPEATED.c
    query = select(table.machine, func.sum(table.rows)).where(table.day >= first, table.day <= last)
    return {name: int(rows) for name, rows in map(tuple, connection.execute(query.group_by(table.machine)))}
