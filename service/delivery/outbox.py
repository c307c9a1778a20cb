"""The outbox: a message is written in the transaction that changes what it tells of, and sent later.

So no change is lost and none is told that did not happen, whoever is killed. A message may be sent more
than once; its ``id`` stays the same, so that whoever gets it can have its effect once.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from service.delivery.body import machines_in
from service.delivery.tables import notice_table


class NoticeKind(StrEnum):
    """What a message tells."""

    RAISED = "raised"
    CHANGED = "changed"
    RESOLVED = "resolved"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    DIGEST = "digest"
    WATCHDOG = "watchdog"
    TEST = "test"


class NoticeState(StrEnum):
    """How far a message is."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


def put(
    connection: Connection,
    *,
    target: str,
    kind: NoticeKind,
    body: dict[str, Any],
    at: datetime,
    alert: int | None = None,
) -> str:
    """Write a message for a target, to be sent once this transaction is done.

    Parameters
    ----------
    target : name of a target of the plant file
    body : what it says, the same for every channel; each channel puts it into its own words. See
        ``service.delivery.body``
    alert : the alert that it tells of; those of one alert reach a target in the order they were written in

    Returns
    -------
    the id of the message, the same however often it is sent
    """
    message, machines = uuid4().hex, machines_in(body)
    connection.execute(
        insert(notice_table).values(
            message=message,
            target=target,
            kind=kind.value,
            alert=alert,
            machine=machines[0] if len(machines) == 1 else "",
            body=body,
            at=at,
            state=NoticeState.WAITING.value,
            due=at,
        )
    )
    return message
