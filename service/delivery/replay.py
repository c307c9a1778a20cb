"""Send again by hand what was given up, or what a target lost."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from ingest.errors import UnknownNameError
from ingest.statement import pieces
from service.delivery.outbox import NoticeState
from service.delivery.tables import notice_table


def replay(
    connection: Connection, *, at: datetime, numbers: Sequence[int] = (), target: str | None = None
) -> list[int]:
    """Let messages wait again: these, sent ones too, or all dead ones of a target; with their old ids.

    Returns
    -------
    the numbers of those that wait again; one that still waits is due at once

    Raises
    ------
    UnknownNameError
        If there is no message of one of these numbers; none is changed then.
    """
    table = notice_table.c
    found = _known(connection, numbers)
    if target is not None:
        dead = select(table.id).where(table.target == target, table.state == NoticeState.DEAD.value)
        found += [each for each in connection.execute(dead.order_by(table.id)).scalars() if each not in set(found)]
    for some in pieces(found):
        chosen = table.id.in_(some)
        connection.execute(update(notice_table).where(chosen, table.state == NoticeState.WAITING.value).values(due=at))
        connection.execute(
            update(notice_table)
            .where(chosen, table.state != NoticeState.WAITING.value)
            .values(state=NoticeState.WAITING.value, due=at, since=None, ended=None, tries=0, lease_until=None)
        )
    return found


def _known(connection: Connection, numbers: Sequence[int]) -> list[int]:
    wanted = list(dict.fromkeys(numbers))
    found: set[int] = set()
    for some in pieces(wanted):
        query = select(notice_table.c.id).where(notice_table.c.id.in_(some))
        found |= set(connection.execute(query).scalars())
    if missing := [each for each in wanted if each not in found]:
        raise UnknownNameError(f"no message {missing[0]}; 'andon notices' lists them")
    return wanted
