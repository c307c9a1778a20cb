"""Who sends which message: claims with a lease and a fencing token, so that many processes may deliver.

A message is ready when it is due, nobody holds it, and none that was written before it about the same
matter still waits: so each target hears of an alert in order, while other alerts go on. Of MQTT the matter
is the machine, since what is retained there is the machine's newest state.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, update
from sqlalchemy.engine import Connection

from ingest.plant_target import MessageTarget
from service.delivery.notice import Notice, notice_of
from service.delivery.outbox import NoticeState
from service.delivery.pace import admit, admitted, keep_pace, pace_of, paces
from service.delivery.tables import notice_table

_SETTLING = timedelta(seconds=2)
"""Time to write down what came of a try."""


def lease_of(target: MessageTarget) -> timedelta:
    """Return for how long a claim holds: one try that is waited for, the try itself, and writing down its end."""
    return 2 * target.timeout + _SETTLING


def places(target: MessageTarget) -> int:
    """Return how many messages of a target may be under way at once in one process."""
    return 1 if target.kind == "mqtt" else target.at_once


def with_something_ready(connection: Connection, targets: Sequence[MessageTarget], at: datetime) -> list[str]:
    """Return the names of the targets that ``claim`` would find something for; nothing is changed."""
    known = paces(connection)
    found = []
    for each in targets:
        pace = known.get(each.name)
        if pace is not None and (pace.paused(at) or not admit(pace, each, 1, at)):
            continue
        if connection.scalar(select(notice_table.c.id).where(_ready(each, at)).limit(1)) is not None:
            found.append(each.name)
    return found


def claim(connection: Connection, target: MessageTarget, *, room: int, at: datetime) -> list[Notice]:
    """Take the messages of a target that are ready, the longest due first.

    Parameters
    ----------
    room : at most so many; fewer where the target's rate or its failures say so
    """
    pace = pace_of(connection, target.name)
    if pace.paused(at):
        return []
    if pace.probing:
        room = min(room, 1 - _under_way(connection, target, at))
    room = admit(pace, target, room, at)
    if room <= 0:
        return []
    table = notice_table.c
    query = select(table.id).where(_ready(target, at)).order_by(table.due, table.id).limit(room)
    found = list(connection.execute(query).scalars())
    if not found:
        return []
    connection.execute(
        update(notice_table)
        .where(table.id.in_(found))
        .values(
            token=table.token + 1,
            lease_until=at + lease_of(target),
            since=func.coalesce(table.since, literal(at, table.since.type)),
        )
    )
    if target.per_minute is not None:
        keep_pace(connection, admitted(pace, target, len(found), at))
    rows = connection.execute(select(notice_table).where(table.id.in_(found)).order_by(table.due, table.id))
    return [notice_of(row) for row in rows]


def _under_way(connection: Connection, target: MessageTarget, at: datetime) -> int:
    table = notice_table.c
    held = and_(table.state == NoticeState.WAITING.value, table.target == target.name, table.lease_until > at)
    return connection.scalar(select(func.count()).where(held)) or 0


def _ready(target: MessageTarget, at: datetime) -> ColumnElement[bool]:
    table, earlier = notice_table.c, notice_table.alias("earlier")
    if target.kind == "mqtt":
        # Of several machines, and so none, is a message that has to wait for all, and all for it.
        same = or_(earlier.c.machine == table.machine, earlier.c.machine == "", table.machine == "")
    else:
        same = earlier.c.alert == table.alert
    waiting = NoticeState.WAITING.value
    blocked = exists().where(
        same, earlier.c.target == table.target, earlier.c.state == waiting, earlier.c.id < table.id
    )
    return and_(
        table.state == waiting,
        table.target == target.name,
        table.due <= at,
        or_(table.lease_until.is_(None), table.lease_until <= at),
        ~blocked.correlate(notice_table),
    )
