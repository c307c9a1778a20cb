"""The trail: records are appended in the transaction of what they tell of, and never changed.

One process writes to a database at a time (``ingest.database.Database.write``), so each append sees the record
that the one before it wrote; and since the number is the primary key, the database itself lets no second record
stand after the same one. Triggers refuse to change or remove what is there: that guards against mistakes. What
finds out those who take the triggers away is ``service.audit.verify``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.engine import Connection

from ingest.statement import Many, Query
from service.audit.record import BEGIN, Entry, Record, Subject, details, link
from service.audit.tables import audit_table
from service.database import microseconds

FIELDS = ("number", "at", "by", "subject", "name", "what", "why", "detail")
"""What the canonical bytes of a record hold, in their order."""

_insert = Many(audit_table, (*FIELDS, "chain"), together=True)
_newest = Query(
    select(audit_table.c.number, audit_table.c.chain).where(
        audit_table.c.number == select(func.max(audit_table.c.number)).scalar_subquery()
    )
)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a trail is: the number of its newest record and its chain; ``0`` and ``BEGIN`` while it is empty."""

    count: int = 0
    chain: str = BEGIN


def append(connection: Connection, entries: Sequence[Entry]) -> Head:
    """Write down changes in the transaction that makes them, and return how far the trail is now.

    However many they are, it costs one look and one insert.
    """
    end = head(connection)
    rows = []
    for number, entry in enumerate(entries, end.count + 1):
        fields = (
            number,
            microseconds(entry.at),
            entry.by,
            entry.subject.value,
            entry.name,
            entry.what,
            entry.why,
            details(entry.detail),
        )
        end = Head(number, link(end.chain, fields))
        rows.append((*fields, end.chain))
    if rows:
        _insert(connection, rows)
    return end


def head(connection: Connection) -> Head:
    """Return how far the trail is."""
    found = _newest(connection)
    return Head(*found[0]) if found else Head()


def count_of(connection: Connection, subject: Subject) -> int:
    """Return how many records there are of a kind of subject."""
    of_it = audit_table.c.subject == subject.value
    return connection.execute(select(func.count()).select_from(audit_table).where(of_it)).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which records somebody asks for; ``None`` asks for all.

    Attributes
    ----------
    start, end : changes made in (start, end]
    """

    subject: Subject | None = None
    name: str | None = None
    by: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what has to hold of a row."""
        column = audit_table.c
        found: list[ColumnElement[bool]] = []
        if self.subject is not None:
            found.append(column.subject == self.subject.value)
        if self.name is not None:
            found.append(column.name == self.name)
        if self.by is not None:
            found.append(column.by == self.by)
        if self.start is not None:
            found.append(column.at > self.start)
        if self.end is not None:
            found.append(column.at <= self.end)
        return found


def list_records(connection: Connection, asked: Asked, *, offset: int = 0, limit: int | None = None) -> list[Record]:
    """Return records, newest first."""
    query = select(audit_table).where(*asked.conditions()).order_by(audit_table.c.number.desc())
    return [_record(row) for row in connection.execute(query.offset(offset).limit(limit))]


def newest_of(connection: Connection, subject: Subject, name: str) -> Record | None:
    """Return the newest record about something, or ``None``."""
    return next(iter(list_records(connection, Asked(subject=subject, name=name), limit=1)), None)


def _record(row: Row[Any]) -> Record:
    return Record(**dict(row._mapping) | {"subject": Subject(row.subject), "detail": json.loads(row.detail)})
