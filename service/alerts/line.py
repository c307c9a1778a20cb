"""Lines of an alert's history: written here with their records in the audit trail, and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.statement import Many
from service.alerts.alert import Happening
from service.alerts.labels import own_labels
from service.alerts.matcher import matching_each
from service.alerts.mute import Mute, MuteKind
from service.alerts.tables import alert_event_table, alert_table
from service.audit.record import Entry, Subject
from service.audit.trail import append
from service.database import microseconds

_insert = Many(alert_event_table, ("alert", "at", "happening", "state", "by", "why", "level"), together=True)


def remember(
    connection: Connection, numbers: Sequence[int], happening: Happening, *, at: datetime, by: str, why: str = ""
) -> None:
    """Write down what happened to alerts, with their state and level as they are now."""
    if not numbers:
        return
    column = alert_table.c
    query = select(column.number, column.machine, column.cause, column.state, column.level, column.verdict)
    rows = connection.execute(query.where(alert_table.c.number.in_(numbers)).order_by(alert_table.c.number))
    found = rows.all()
    before = newest_id(connection)
    moment, what = microseconds(at), happening.value
    _insert(connection, [(row.number, moment, what, row.state, by, why, row.level) for row in found])
    line = alert_event_table.c.id
    # One process writes at a time, so what is newer is ours, in our order.
    ids = connection.execute(select(line).where(line > before).order_by(line)).scalars().all()
    append(
        connection,
        [
            Entry(
                at=at,
                by=by,
                subject=Subject.ALERT,
                name=str(row.number),
                what=happening.value,
                why=why,
                detail=_stands(row) | {"line": number},
            )
            for row, number in zip(found, ids, strict=True)
        ],
    )


def _stands(row: Any) -> dict[str, Any]:
    """Return how an alert stands, as the audit trail keeps it."""
    return {
        "machine": row.machine,
        "cause": row.cause,
        "state": row.state,
        "level": row.level,
        "verdict": row.verdict or "",
    }


def remember_mute(
    connection: Connection,
    mute: Mute,
    happening: Happening,
    *,
    at: datetime,
    by: str,
    why: str,
    besides: int | None = None,
) -> None:
    """Write down what happened to a mute in the history of each live alert that it reaches.

    Parameters
    ----------
    besides : an alert whose history has it even if it is not live
    """
    column = alert_table.c
    query = select(column.number, column.machine, column.cause, column.kind, column.labels)
    query = query.where(column.state != "normal")
    if mute.kind is not MuteKind.SILENCED:
        query = query.where(column.machine == mute.machine)
    rows = connection.execute(query).all()
    if mute.kind is MuteKind.SILENCED:
        labels = [row.labels or own_labels(row.kind, row.machine, row.cause, {}) for row in rows]
        found = matching_each(mute.matchers, labels)
    else:
        found = [mute.reaches_cause(row.cause) for row in rows]
    reached = {row.number for row, is_reached in zip(rows, found, strict=True) if is_reached}
    reached |= {besides} if besides is not None else set()
    remember(connection, sorted(reached), happening, at=at, by=by, why=why)


def newest_id(connection: Connection) -> int:
    """Return the number of the newest line of all; 0 where there is none."""
    return connection.execute(select(func.coalesce(func.max(alert_event_table.c.id), 0))).scalar_one()


def newest_line(connection: Connection, number: int) -> int:
    """Return the number of the newest line of an alert: it names what was decided about it so far."""
    query = select(alert_event_table.c.id).where(alert_event_table.c.alert == number)
    return connection.execute(query.order_by(alert_event_table.c.id.desc()).limit(1)).scalar_one()
