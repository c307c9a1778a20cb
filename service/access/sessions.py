"""Sessions: rows in the database, each of which a cookie opens until it is idle for too long, or old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from service.access.tables import session_table
from service.access.token import digest_of, new_token

SEEN_EVERY = timedelta(minutes=5)
"""So often a session that is used is written down."""

MOST = 20
"""Sessions of a user; the one that was seen the longest ago makes room for a new one."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts: without a request, and in all."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that is not over.

    Attributes
    ----------
    digest : SHA-256 of what the cookie holds
    seen : when it was last used, to within ``SEEN_EVERY``
    until : over then, however busy it is
    """

    digest: str
    account: int
    created: datetime
    seen: datetime
    until: datetime
    address: str
    agent: str


def begin(
    connection: Connection, account: int, *, at: datetime, lifetime: Lifetime, address: str = "", agent: str = ""
) -> str:
    """Begin a session, and return what its cookie holds; it is kept nowhere."""
    sweep(connection, at=at, lifetime=lifetime)
    for each in list_sessions(connection, account, at=at, lifetime=lifetime)[MOST - 1 :]:
        end(connection, each.digest)
    token = new_token()
    row = {"digest": digest_of(token), "account": account, "created": at, "seen": at, "until": at + lifetime.longest}
    connection.execute(insert(session_table).values(**row, address=address[:100], agent=agent[:300]))
    return token


def find(connection: Connection, digest: str, *, at: datetime, lifetime: Lifetime) -> Session | None:
    """Return a session that is not over at a moment."""
    row = connection.execute(select(session_table).where(session_table.c.digest == digest)).one_or_none()
    if row is None or row.until <= at or row.seen + lifetime.idle <= at:
        return None
    return _session(row)


def list_sessions(connection: Connection, account: int, *, at: datetime, lifetime: Lifetime) -> list[Session]:
    """Return the sessions of a user that are not over, the one seen last first."""
    column = session_table.c
    query = select(session_table).where(column.account == account, column.until > at, column.seen > at - lifetime.idle)
    return [_session(row) for row in connection.execute(query.order_by(column.seen.desc(), column.digest))]


def touch(connection: Connection, session: Session, *, at: datetime) -> None:
    """Write down that a session was used."""
    column = session_table.c
    later = update(session_table).where(column.digest == session.digest, column.seen < at)
    connection.execute(later.values(seen=at))


def end(connection: Connection, digest: str) -> None:
    """End a session; nothing happens if it is over."""
    connection.execute(delete(session_table).where(session_table.c.digest == digest))


def end_all(connection: Connection, account: int, *, but: Sequence[str] = ()) -> None:
    """End the sessions of a user, but for some."""
    column = session_table.c
    connection.execute(delete(session_table).where(column.account == account, column.digest.not_in(but)))


def sweep(connection: Connection, *, at: datetime, lifetime: Lifetime) -> None:
    """Throw away the rows of sessions that are over."""
    column = session_table.c
    connection.execute(delete(session_table).where(or_(column.until <= at, column.seen <= at - lifetime.idle)))


def _session(row: Row[Any]) -> Session:
    return Session(**dict(row._mapping))
