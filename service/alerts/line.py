"""Lines of an alert's history: written here, and never changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from service.alerts.alert import Happening
from service.alerts.mute import Mute
from service.database import alert_event_table, alert_table


def remember(
    connection: Connection, numbers: Sequence[int], happening: Happening, *, at: datetime, by: str, why: str = ""
) -> None:
    """Write down what happened to alerts, with their state and level as they are now."""
    if not numbers:
        return
    query = select(alert_table.c.number, alert_table.c.state, alert_table.c.level)
    rows = connection.execute(query.where(alert_table.c.number.in_(numbers)).order_by(alert_table.c.number))
    same = {"at": at, "happening": happening, "by": by, "why": why}
    lines = [{"alert": row.number, "state": row.state, "level": row.level, **same} for row in rows]
    connection.execute(insert(alert_event_table), lines)


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
    query = select(alert_table.c.number).where(alert_table.c.machine == mute.machine, alert_table.c.state != "normal")
    if mute.cause:
        query = query.where(alert_table.c.cause == mute.cause)
    reached = set(connection.execute(query).scalars()) | ({besides} if besides is not None else set())
    remember(connection, sorted(reached), happening, at=at, by=by, why=why)


def newest_line(connection: Connection, number: int) -> int:
    """Return the number of the newest line of an alert: it names what was decided about it so far."""
    query = select(alert_event_table.c.id).where(alert_event_table.c.alert == number)
    return connection.execute(query.order_by(alert_event_table.c.id.desc()).limit(1)).scalar_one()
