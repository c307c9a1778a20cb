"""Assign alerts: one person is to look after it, which says nothing of whether anybody has seen it."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError
from service.alerts.alert import Alert, Happening
from service.alerts.book import show
from service.alerts.line import remember
from service.alerts.tables import alert_table


def assign(connection: Connection, number: int, *, to: str, by: str, at: datetime, note: str = "") -> Alert:
    """Give an alert to a person; one that was somebody else's is theirs from now on.

    Also one that is normal again may be given to somebody, as long as it has no verdict: it is still to be inspected.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it has a verdict, or is theirs already.
    """
    alert = show(connection, number)
    _refuse_closed(alert, Happening.ASSIGNED)
    if alert.assignee == to:
        raise IllegalTransitionError(
            f"alert {number} is assigned to {to} already", [Happening.ASSIGNED.value, Happening.UNASSIGNED.value]
        )
    why = f"to {to}" + (f", was {alert.assignee}" if alert.assignee else "") + (f": {note}" if note else "")
    return _written(connection, number, to, Happening.ASSIGNED, by=by, at=at, why=why)


def unassign(connection: Connection, number: int, *, by: str, at: datetime, note: str = "") -> Alert:
    """Take an alert from whoever it was given to.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it has a verdict, or is nobody's.
    """
    alert = show(connection, number)
    _refuse_closed(alert, Happening.UNASSIGNED)
    if not alert.assignee:
        raise IllegalTransitionError(f"alert {number} is assigned to nobody", [Happening.ASSIGNED.value])
    why = f"was {alert.assignee}" + (f": {note}" if note else "")
    return _written(connection, number, "", Happening.UNASSIGNED, by=by, at=at, why=why)


def _refuse_closed(alert: Alert, happening: Happening) -> None:
    if alert.verdict is not None:
        raise IllegalTransitionError(
            f"alert {alert.number} was closed as {alert.verdict.value!r} by {alert.closed_by}; "
            f"{happening.value!r} is not possible any more, add a comment instead",
            [Happening.COMMENT.value],
        )


def _written(
    connection: Connection, number: int, to: str, happening: Happening, *, by: str, at: datetime, why: str
) -> Alert:
    connection.execute(update(alert_table).where(alert_table.c.number == number).values(assignee=to))
    remember(connection, [number], happening, at=at, by=by, why=why)
    return show(connection, number)
