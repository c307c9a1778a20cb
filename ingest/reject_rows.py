"""Rejections in the catalogue's table: what could not be used, for a person to look at."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from ingest.catalogue import REJECTS
from ingest.keepable import keepable
from ingest.report import Rejection
from ingest.statement import insert_into


def keep(connection: Connection, rejections: Sequence[Rejection], source: str, position: str) -> None:
    """Put rejections in; the same again is kept once."""
    if rejections:
        connection.execute(
            insert_into(connection, REJECTS).on_conflict_do_nothing(),
            [{"source": source, "position": position, **_kept(each)} for each in rejections],
        )


def forget(connection: Connection, source: str, position: str) -> None:
    """Take out those of a position."""
    connection.execute(delete(REJECTS).where(REJECTS.c.source == source, REJECTS.c.position == position))


def read(connection: Connection, source: str | None, limit: int) -> list[Rejection]:
    """Return the newest, of one source or of all."""
    statement = select(REJECTS).order_by(REJECTS.c.id.desc()).limit(limit)
    if source is not None:
        statement = statement.where(REJECTS.c.source == source)
    return [Rejection(row.line, row.column, row.value, row.reason) for row in connection.execute(statement)]


def counts(connection: Connection, reason: str) -> dict[str, int]:
    """Return how many with a reason that begins so each source has that has any."""
    like = REJECTS.c.reason.startswith(reason, autoescape=True)
    by_source = select(REJECTS.c.source, func.count()).where(like).group_by(REJECTS.c.source)
    return dict(sorted(map(tuple, connection.execute(by_source))))


def _kept(rejection: Rejection) -> dict[str, object]:
    texts = (rejection.column, rejection.value, rejection.reason)
    return dict(zip(("column", "value", "reason"), map(keepable, texts), strict=True), line=rejection.line)
