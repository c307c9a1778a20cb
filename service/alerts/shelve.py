"""Shelve alerts: a person does not want to be told of a cause for a while, and says why."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from service.alerts import mutes
from service.alerts.alert import Alert, Happening
from service.alerts.book import find_muted
from service.alerts.line import remember_mute
from service.alerts.mute import Mute, MuteKind
from service.alerts.shelving import shelving_after
from service.alerts.timers import keep_time


def shelve(
    connection: Connection,
    number: int,
    *,
    by: str,
    why: str,
    at: datetime,
    longest: timedelta,
    until: datetime | None = None,
    once: bool = False,
) -> Alert:
    """Shelve an alert, or change from one way of shelving to the other.

    What is shelved is the cause of the machine: another alert of it is shelved, too, while it lasts.

    Parameters
    ----------
    longest : how long it may be shelved, counted from when it was first
    until : when it is over, whatever happens; as late as it may be when left out
    once : over already when the condition is over, or when the alert is closed

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it is normal, or shelved in this way already.
    OutOfBoundsError
        If ``until`` is later than it may be, or not after ``at``.
    """
    keep_time(connection, at)
    alert = find_muted(connection, number, at)
    happening = Happening.SHELVED_ONCE if once else Happening.SHELVED
    shelving_after(alert, happening)
    held = _shelved(alert)
    first = at if held is None else held.since
    over = mutes.bounded(at, until or first + longest, first=first, longest=longest, what="shelving")
    if held is None:
        mutes.begin(
            connection,
            MuteKind.SHELVED,
            machine=alert.machine,
            cause=alert.cause,
            once=once,
            by=by,
            why=why,
            at=at,
            until=over,
        )
    else:
        values = {"once": once, "until": over, "by": by, "why": why}
        changed = mutes.alter(connection, held, values, what=happening.value, at=at, by=by, why=why)
        remember_mute(connection, changed, happening, at=at, by=by, why=why)
    return find_muted(connection, number, at)


def unshelve(connection: Connection, number: int, *, by: str, why: str, at: datetime) -> Alert:
    """End the shelving of an alert before its time.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it is not shelved.
    """
    keep_time(connection, at)
    alert = find_muted(connection, number, at)
    shelving_after(alert, Happening.UNSHELVED)
    held = _shelved(alert)
    if held is not None:
        mutes.end(connection, held, at=at, by=by, why=why, happening=Happening.UNSHELVED, besides=number)
    return find_muted(connection, number, at)


def _shelved(alert: Alert) -> Mute | None:
    return next((each for each in alert.mutes if each.kind is MuteKind.SHELVED), None)
