"""Lasting: conditions that go on until a later look no longer sees them, and how each ends."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from service.alerts import book
from service.alerts.alert import AlertState
from service.alerts.tables import alert_table

_STANDING = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


def lasting(connection: Connection, models: Collection[str]) -> dict[str, dict[str, int]]:
    """Return the alerts by these models whose condition lasts, closed ones too, by machine and cause."""
    alert = alert_table.c
    query = select(alert.machine, alert.cause, alert.number).where(
        alert.model.in_(list(models)), alert.condition_end.is_(None)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.machine][row.cause] = row.number
    return found


def count(held: Mapping[str, Mapping[str, int]]) -> int:
    """Return how many conditions last."""
    return sum(map(len, held.values()))


def end_condition(connection: Connection, number: int, *, end: datetime, at: datetime, why: str = "") -> bool:
    """End the condition behind an alert; return whether people had not closed it yet."""
    if book.show(connection, number).state in _STANDING:
        book.condition_over(connection, number, at=at, end=end, why=why)
        return True
    connection.execute(update(alert_table).where(alert_table.c.number == number).values(condition_end=end))
    return False
