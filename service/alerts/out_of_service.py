"""Out of service: a person takes a machine, or one cause of it, out of the watch for a while."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError
from service.alerts import mutes
from service.alerts.alert import Happening
from service.alerts.mute import Mute, MuteKind
from service.alerts.timers import keep_time


def take_out_of_service(
    connection: Connection,
    machine: str,
    *,
    cause: str = "",
    by: str,
    why: str,
    at: datetime,
    longest: timedelta,
    until: datetime | None = None,
) -> Mute:
    """Take a machine out of service; whatever is raised about it meanwhile is out of service, too.

    Parameters
    ----------
    cause : only this cause; all of the machine when left out
    longest : how long it may be
    until : as late as it may be when left out

    Raises
    ------
    IllegalTransitionError
        If it is out of service already.
    OutOfBoundsError
        If ``until`` is later than it may be, or not after ``at``.
    """
    keep_time(connection, at)
    for each in mutes.list_mutes(connection, at=at, kinds=[MuteKind.OUT_OF_SERVICE], machine=machine):
        if each.cause == cause:
            raise IllegalTransitionError(
                f"{_what(machine, cause)} is out of service already (mute {each.id}, by {each.by}: {each.why}); "
                f"only {Happening.BACK_IN_SERVICE.value!r} is possible",
                [Happening.BACK_IN_SERVICE.value],
            )
    over = mutes.bounded(at, until or at + longest, first=at, longest=longest, what="out of service")
    kind = MuteKind.OUT_OF_SERVICE
    return mutes.begin(connection, kind, machine=machine, cause=cause, by=by, why=why, at=at, until=over)


def back_in_service(connection: Connection, mute: int, *, by: str, why: str, at: datetime) -> Mute:
    """Put back what was taken out of service.

    Raises
    ------
    UnknownNameError
        If there is no such mute.
    IllegalTransitionError
        If it is over, or is none of this kind.
    """
    keep_time(connection, at)
    found = mutes.show_mute(connection, mute)
    if found.kind is not MuteKind.OUT_OF_SERVICE:
        possible = [Happening.UNSHELVED.value] if found.kind is MuteKind.SHELVED else []
        raise IllegalTransitionError(f"mute {mute} is {found.name}, not out of service", possible)
    if found.ended_at is not None:
        what = _what(found.machine, found.cause)
        raise IllegalTransitionError(
            f"{what} is back in service since {found.ended_at.isoformat()}, by {found.ended_by}",
            [Happening.OUT_OF_SERVICE.value],
        )
    return mutes.end(connection, found, at=at, by=by, why=why)


def _what(machine: str, cause: str) -> str:
    return f"{machine}: {cause}" if cause else machine
