"""The book of mutes: begin them, end them, and find what reaches an alert.

Every function works inside the caller's transaction, as those of ``service.alerts.book`` do.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, insert, or_, select, update
from sqlalchemy.engine import Connection

from ingest.duration import format_duration
from ingest.errors import OutOfBoundsError, UnknownNameError
from service.alerts.alert import Alert, Happening
from service.alerts.line import remember_mute
from service.alerts.matcher import Matcher, matching_each
from service.alerts.mute import Mute, MuteKind
from service.alerts.tables import mute_table
from service.audit.record import Entry, Subject
from service.audit.trail import append

BEGINS = {
    MuteKind.SUPPRESSED: Happening.SUPPRESSED,
    MuteKind.OUT_OF_SERVICE: Happening.OUT_OF_SERVICE,
    MuteKind.SILENCED: Happening.SILENCED,
}
"""What the history calls the begin of a mute; shelving has two ways."""

ENDS = {
    MuteKind.SHELVED: Happening.SHELVING_OVER,
    MuteKind.SUPPRESSED: Happening.NOT_SUPPRESSED,
    MuteKind.OUT_OF_SERVICE: Happening.BACK_IN_SERVICE,
    MuteKind.SILENCED: Happening.SILENCE_OVER,
}
"""What the history calls the end of a mute, where it was no person who unshelved."""


def beginning(mute: Mute) -> Happening:
    """Return what the history calls the begin of a mute."""
    return BEGINS.get(mute.kind) or (Happening.SHELVED_ONCE if mute.once else Happening.SHELVED)


def begin(
    connection: Connection,
    kind: MuteKind,
    *,
    machine: str,
    cause: str = "",
    rule: str = "",
    once: bool = False,
    matchers: Sequence[Matcher] = (),
    by: str,
    why: str,
    at: datetime,
    since: datetime | None = None,
    until: datetime,
) -> Mute:
    """Mute alerts from now on; the database refuses a second one of the same kind and reach, but for silences.

    Parameters
    ----------
    since : when it begins, where that is later than now; then histories tell of it when it has begun
    """
    values = {"kind": kind, "machine": machine, "cause": cause, "rule": rule, "once": once, "by": by, "why": why}
    values |= {"uuid": str(uuid4()), "matchers": [asdict(each) for each in matchers]}
    statement = insert(mute_table).values(**values, since=since or at, until=until).returning(mute_table.c.id)
    mute = show_mute(connection, connection.execute(statement).scalar_one())
    _record(connection, mute, beginning(mute).value, at=at, by=by, why=why)
    if mute.since <= at:
        remember_mute(connection, mute, beginning(mute), at=at, by=by, why=why)
    return mute


def end(
    connection: Connection,
    mute: Mute,
    *,
    at: datetime,
    by: str,
    why: str,
    happening: Happening | None = None,
    besides: int | None = None,
) -> Mute:
    """End a mute; what it reached is in its true state again."""
    change = update(mute_table).where(mute_table.c.id == mute.id)
    connection.execute(change.values(ended_at=at, ended_by=by, ended_why=why))
    over = show_mute(connection, mute.id)
    _record(connection, over, (happening or ENDS[mute.kind]).value, at=at, by=by, why=why)
    if mute.since <= at:
        remember_mute(connection, mute, happening or ENDS[mute.kind], at=at, by=by, why=why, besides=besides)
    return over


def alter(
    connection: Connection, mute: Mute, values: Mapping[str, Any], *, what: str, at: datetime, by: str, why: str
) -> Mute:
    """Change a mute that lasts, such as its end."""
    changed = renew(connection, mute, {**values, "changed_at": at})
    _record(connection, changed, what, at=at, by=by, why=why)
    return changed


def renew(connection: Connection, mute: Mute, values: Mapping[str, Any]) -> Mute:
    """Let a mute last on, as its rule says in each round; nobody decided anything, so the audit trail tells nothing."""
    connection.execute(update(mute_table).where(mute_table.c.id == mute.id).values(**values))
    return show_mute(connection, mute.id)


def show_mute(connection: Connection, mute: int) -> Mute:
    """Return one mute.

    Raises
    ------
    UnknownNameError
        If there is none with this number.
    """
    row = connection.execute(select(mute_table).where(mute_table.c.id == mute)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no mute {mute}; 'andon alerts muted' lists them")
    return _mute(row)


def named(connection: Connection, uuid: str) -> Mute:
    """Return the mute that other systems call so.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    row = connection.execute(select(mute_table).where(mute_table.c.uuid == uuid)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no silence {uuid[:200]!r}")
    return _mute(row)


def lasting(connection: Connection, kind: MuteKind | None = None) -> list[Mute]:
    """Return the mutes that nobody has ended, whether or not their time is up."""
    query = select(mute_table).where(mute_table.c.ended_at.is_(None)).order_by(mute_table.c.id)
    if kind is not None:
        query = query.where(mute_table.c.kind == kind.value)
    return [_mute(row) for row in connection.execute(query)]


def list_mutes(
    connection: Connection,
    *,
    at: datetime | None = None,
    kinds: Sequence[MuteKind] = tuple(MuteKind),
    machine: str | None = None,
    machines: Collection[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Mute]:
    """Return mutes, newest first.

    Parameters
    ----------
    at : only those that hold at this moment; those of the past, too, when left out
    machine : only of this machine
    machines : only of these machines
    """
    query = select(mute_table).where(mute_table.c.kind.in_([each.value for each in kinds]))
    if machine is not None:
        query = query.where(mute_table.c.machine == machine)
    if machines is not None:
        query = query.where(mute_table.c.machine.in_(machines))
    if at is not None:
        query = _holding(query, at)
    query = query.order_by(mute_table.c.id.desc()).offset(offset).limit(limit)
    return [_mute(row) for row in connection.execute(query)]


def list_recent(connection: Connection, after: datetime, *, machines: Collection[str] | None = None) -> list[Mute]:
    """Return mutes that nobody has ended, or that were ended after a moment, oldest first.

    Parameters
    ----------
    machines : only of these machines
    """
    column = mute_table.c
    query = select(mute_table).where(or_(column.ended_at.is_(None), column.ended_at > after)).order_by(column.id)
    if machines is not None:
        query = query.where(column.machine.in_(machines))
    return [_mute(row) for row in connection.execute(query)]


def muted(connection: Connection, alerts: Iterable[Alert], at: datetime) -> list[Alert]:
    """Return alerts with the mutes that reach each at a moment, in the order in which they come."""
    alerts = list(alerts)
    machines = sorted({each.machine for each in alerts})
    by_machine: dict[str, list[Mute]] = defaultdict(list)
    silences: list[Mute] = []
    query = _holding(select(mute_table).order_by(mute_table.c.id), at)
    if len(machines) == 1:
        query = query.where(mute_table.c.machine.in_([machines[0], ""]))
    for row in connection.execute(query) if machines else ():
        mute = _mute(row)
        (silences if mute.kind is MuteKind.SILENCED else by_machine[mute.machine]).append(mute)
    own = [[each for each in by_machine[alert.machine] if each.reaches_cause(alert.cause)] for alert in alerts]
    labels = [each.labels for each in alerts]
    for silence in silences:
        for place, reached in enumerate(matching_each(silence.matchers, labels)):
            if reached:
                own[place].append(silence)
    return [_with(alert, tuple(found)) for alert, found in zip(alerts, own, strict=True)]


def _with(alert: Alert, mutes: tuple[Mute, ...]) -> Alert:
    return alert if mutes == alert.mutes else replace(alert, mutes=mutes)


def out_of_service(connection: Connection, at: datetime) -> set[str]:
    """Return the machines that are out of service as a whole at a moment."""
    found = list_mutes(connection, at=at, kinds=[MuteKind.OUT_OF_SERVICE])
    return {each.machine for each in found if not each.cause}


def bounded(at: datetime, until: datetime, *, first: datetime, longest: timedelta, what: str) -> datetime:
    """Return the end of a mute, which is later than now and at most ``longest`` after it first began.

    Raises
    ------
    OutOfBoundsError
        If it is not.
    """
    if until <= at:
        raise OutOfBoundsError(f"{what} must end later than it begins; {until.isoformat()} is not after now")
    if until > first + longest:
        limit = format_duration(longest)
        raise OutOfBoundsError(
            f"{what} lasts {limit} at most, by the plant file, from {first.isoformat()} on; "
            f"{until.isoformat()} is later"
        )
    return until


def _holding(query: Select[Any], at: datetime) -> Select[Any]:
    column = mute_table.c
    open_then = or_(column.ended_at.is_(None), column.ended_at > at)
    return query.where(column.since <= at, column.until > at, open_then)


def _record(connection: Connection, mute: Mute, what: str, *, at: datetime, by: str, why: str) -> None:
    detail: dict[str, Any] = {
        "kind": mute.kind.value,
        "machine": mute.machine,
        "cause": mute.cause,
        "rule": mute.rule,
        "once": mute.once,
        "since": mute.since.isoformat(),
        "until": mute.until.isoformat(),
    }
    if mute.matchers:
        detail |= {"uuid": mute.uuid, "matchers": [str(each) for each in mute.matchers]}
    entry = Entry(at=at, by=by, subject=Subject.MUTE, name=str(mute.id), what=what, why=why, detail=detail)
    append(connection, [entry])


def _mute(row: Row[Any]) -> Mute:
    fields = {"kind": MuteKind(row.kind), "once": bool(row.once)}
    return Mute(**dict(row._mapping) | fields | {"matchers": tuple([Matcher(**each) for each in row.matchers])})
