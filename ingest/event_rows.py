"""Events in the catalogue's table: put in once, read back as one table."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select, bindparam, func, select

from ingest.catalogue import EVENTS, to_microseconds
from ingest.event import EVENT_COLUMNS
from ingest.statement import insert_into

_MACHINES_AT_ONCE = 500
"""Machines of one query: SQLite takes no more than 999 values in some builds."""
_ORDER = ("time", "machine", "kind", "component", "code")
_NEVER = np.iinfo(np.int64).min
_TEXTS = ("machine", "kind", "component", "code", "note")


def add(connection: Connection, events: pd.DataFrame, source: str) -> tuple[int, int]:
    """Put events in; those with a known machine, kind, time, component and code bring that one up to date.

    Returns
    -------
    (added, repeated)
    """
    if events.empty:
        return 0, 0
    rows = pd.DataFrame({name: events[name].fillna("").astype(str).astype(object) for name in _TEXTS})
    rows["source"] = source
    values: list[dict[str, object]] = [dict(zip(rows.columns, row, strict=True)) for row in rows.to_numpy().tolist()]
    for row, time, end, value in zip(
        values, _microseconds(events["time"]), _microseconds(events["end"]), events["value"].tolist(), strict=True
    ):
        row.update(time=time, end=end, value=None if pd.isna(value) else float(value))
    statement = insert_into(connection, EVENTS)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["machine", "kind", "time", "component", "code"],
        set_={
            "end": func.coalesce(new.end, EVENTS.c.end),
            "value": func.coalesce(new.value, EVENTS.c.value),
            "note": func.coalesce(func.nullif(new.note, ""), EVENTS.c.note),
        },
    )
    before = connection.execute(select(func.count(EVENTS.c.id))).scalar_one()
    connection.execute(statement, values)
    added = connection.execute(select(func.count(EVENTS.c.id))).scalar_one() - before
    return added, len(values) - added


def read(
    connection: Connection,
    *,
    machines: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> pd.DataFrame:
    """Return events of (start, end] with ``EVENT_COLUMNS``, sorted by (time, machine, kind, component, code)."""
    statements = [_chosen(kinds, start, end)]
    if machines is not None:
        wanted = sorted(set(machines))
        some = (wanted[begin : begin + _MACHINES_AT_ONCE] for begin in range(0, len(wanted), _MACHINES_AT_ONCE))
        statements = [statements[0].where(EVENTS.c.machine.in_(names)) for names in some]
    order = itemgetter(*map(EVENT_COLUMNS.index, _ORDER))
    return _frame(sorted((tuple(row) for each in statements for row in connection.execute(each)), key=order))


def states(
    connection: Connection, machines: Sequence[str], start: datetime, end: datetime, component: str = ""
) -> pd.DataFrame:
    """Return the states of machines that began in (start, end], and of each the ones that began last before that.

    Earlier ones are not read. Columns and order are those of ``read``.

    Parameters
    ----------
    component : of the machine whose states they are; the machine itself when empty
    """
    table = EVENTS.c
    of_one = (table.machine == bindparam("of"), table.kind == "state", table.component == component)
    last = select(table.time).where(*of_one, table.time <= to_microseconds(start)).order_by(table.time.desc()).limit(1)
    those = _chosen(None, None, end).where(*of_one, table.time >= bindparam("since"))
    found: list[tuple[Any, ...]] = []
    for machine in sorted(set(machines)):
        since = connection.execute(last, {"of": machine}).scalar()
        since = to_microseconds(start) + 1 if since is None else since
        found += map(tuple, connection.execute(those, {"of": machine, "since": since}))
    return _frame(sorted(found, key=itemgetter(*map(EVENT_COLUMNS.index, _ORDER))))


def newest(connection: Connection, kinds: Sequence[str]) -> int | None:
    """Return when the newest event of some kinds began, in microseconds; ``None`` if there is none."""
    return connection.execute(select(func.max(EVENTS.c.time)).where(EVENTS.c.kind.in_(list(kinds)))).scalar()


def page(
    connection: Connection,
    *,
    machines: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    offset: int,
    limit: int,
) -> pd.DataFrame:
    """Return at most ``limit`` rows of what ``read`` returns, from row ``offset`` on; no others are read.

    Parameters
    ----------
    machines : at most 500 of them
    """
    statement = _chosen(kinds, start, end)
    if machines is not None:
        statement = statement.where(EVENTS.c.machine.in_(list(machines)))
    statement = statement.order_by(*(EVENTS.c[name] for name in _ORDER)).offset(offset).limit(limit)
    return _frame([tuple(row) for row in connection.execute(statement)])


def _chosen(kinds: Sequence[str] | None, start: datetime | None, end: datetime | None) -> Select[Any]:
    table = EVENTS.c
    statement = select(*(table[name] for name in EVENT_COLUMNS))
    if kinds is not None:
        statement = statement.where(table.kind.in_(list(kinds)))
    if start is not None:
        statement = statement.where(table.time > to_microseconds(start))
    if end is not None:
        statement = statement.where(table.time <= to_microseconds(end))
    return statement


def _frame(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return rows as a table; column by column, since most questions have few answers or none."""
    given = zip(*rows, strict=True) if rows else [()] * len(EVENT_COLUMNS)
    columns: dict[str, Any] = {}
    for name, own in zip(EVENT_COLUMNS, given, strict=True):
        if name in ("time", "end"):
            moments = np.array([_NEVER if each is None else each for each in own], np.int64)
            columns[name] = pd.DatetimeIndex(moments.view("datetime64[us]")).tz_localize("UTC")
        elif name == "value":
            columns[name] = np.array(own, np.float64)
        else:
            columns[name] = pd.Series(list(own), dtype=object)
    return pd.DataFrame(columns)


def _microseconds(column: pd.Series) -> list[int | None]:
    stamps = pd.to_datetime(column, utc=True).astype("datetime64[us, UTC]")
    missing = stamps.isna()
    return [None if gone else value for gone, value in zip(missing, stamps.astype("int64"), strict=True)]
