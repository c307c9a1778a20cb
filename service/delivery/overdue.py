"""Overdue: messages that wait for too long, or were given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from service.delivery.outbox import NoticeState
from service.delivery.tables import notice_table

GIVEN_UP_WITHIN = timedelta(days=1)
"""A message that was given up longer ago is no news."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """What a target did not get.

    Attributes
    ----------
    waiting : messages that wait for longer than they should
    dead : messages that were given up lately
    oldest : when the oldest of them was written
    """

    waiting: int
    dead: int
    oldest: datetime


def overdue(connection: Connection, *, at: datetime, patience: timedelta) -> Mapping[str, Overdue]:
    """Return what each target did not get; targets that got everything are left out.

    Parameters
    ----------
    patience : how long a message may wait
    """
    row = notice_table.c
    waits = and_(row.state == NoticeState.WAITING, row.at < at - patience)
    dead = and_(row.state == NoticeState.DEAD, row.ended > at - GIVEN_UP_WITHIN)
    query = select(row.target, row.state, func.count().label("messages"), func.min(row.at).label("oldest"))
    found: dict[str, Overdue] = {}
    for each in connection.execute(query.where(or_(waits, dead)).group_by(row.target, row.state).order_by(row.target)):
        before = found.get(each.target, Overdue(0, 0, each.oldest))
        waiting, given_up = before.waiting, before.dead
        if each.state == NoticeState.WAITING:
            waiting = each.messages
        else:
            given_up = each.messages
        found[each.target] = Overdue(waiting, given_up, min(before.oldest, each.oldest))
    return found
