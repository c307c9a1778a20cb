"""Look after the outbox: messages to nobody, a clock that went back, and what was sent long ago."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, literal, update
from sqlalchemy.engine import Connection

from service.delivery.backoff import GIVE_UP_AFTER, LONGEST, LONGEST_WAIT
from service.delivery.outbox import NoticeState
from service.delivery.tables import notice_table, target_pace_table

LONGEST_LEASE = timedelta(hours=1)


def tend(connection: Connection, known: Collection[str], *, at: datetime) -> None:
    """Say of messages to targets that the plant file does not name why they wait; let no clock hold one up.

    Such a message is dead after ``GIVE_UP_AFTER``: by then somebody renamed the target or means to drop it. No lease,
    pause or due time is further ahead than it can be; where one is, the clock went back, and it is over.
    """
    table, pace = notice_table.c, target_pace_table.c
    waiting = table.state == NoticeState.WAITING.value
    lost = (waiting, table.target.not_in(sorted(known)))
    why = "the plant file has no target of this name"
    since = func.coalesce(table.since, literal(at, table.since.type))
    connection.execute(update(notice_table).where(*lost, table.why != why).values(why=why, since=since))
    connection.execute(
        update(notice_table)
        .where(*lost, table.since <= at - GIVE_UP_AFTER)
        .values(state=NoticeState.DEAD.value, ended=at)
    )
    connection.execute(update(notice_table).where(waiting, table.due > at + LONGEST).values(due=at))
    stuck = (waiting, table.lease_until > at + LONGEST_LEASE)
    connection.execute(update(notice_table).where(*stuck).values(lease_until=None))
    paused = pace.paused_until > at + LONGEST_WAIT
    connection.execute(update(target_pace_table).where(paused).values(paused_until=None))
    ahead = pace.next > at + timedelta(minutes=2)
    connection.execute(update(target_pace_table).where(ahead).values(next=None))


def forget(connection: Connection, *, before: datetime) -> int:
    """Remove messages that were sent before a moment, and return how many; dead ones stay until somebody looks."""
    table = notice_table.c
    old = (table.state == NoticeState.SENT.value, table.ended < before)
    return connection.execute(delete(notice_table).where(*old)).rowcount
