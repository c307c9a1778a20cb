"""◆ Notice: one message to one target, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from ingest.errors import UnknownNameError
from service.delivery.outbox import NoticeKind, NoticeState
from service.delivery.tables import notice_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one target.

    Attributes
    ----------
    id : counts up over all messages, in the order in which they were written
    message : its name at the receiver, the same however often it is sent
    alert, machine : what it tells of; ``None`` and empty where it tells of none
    at : when it was written
    due : not tried before
    since : when it was first tried, or set to waiting again by hand; ``None`` before
    token : counts the claims; only the newest may say what became of it
    lease_until : nobody else sends it until then
    ended : when it was sent or given up
    why : why the last try failed, or what to know of one that did not
    """

    id: int
    message: str
    target: str
    kind: NoticeKind
    alert: int | None
    machine: str
    body: dict[str, Any]
    at: datetime
    state: NoticeState = NoticeState.WAITING
    due: datetime
    since: datetime | None = None
    tries: int = 0
    token: int = 0
    lease_until: datetime | None = None
    ended: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFigures:
    """How many messages of a target are in each state; ``oldest`` is when the first that waits was written."""

    waiting: int = 0
    oldest: datetime | None = None
    sent: int = 0
    dead: int = 0


def notice_of(row: Row[Any]) -> Notice:
    """Return a row as a notice."""
    fields = {column.name: row._mapping[column.name] for column in notice_table.c}
    return Notice(**{**fields, "kind": NoticeKind(row.kind), "state": NoticeState(row.state)})


def show(connection: Connection, number: int) -> Notice:
    """Return one notice.

    Raises
    ------
    UnknownNameError
        If there is none of this number.
    """
    row = connection.execute(select(notice_table).where(notice_table.c.id == number)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no message {number}; 'andon notices' lists them")
    return notice_of(row)


def list_notices(
    connection: Connection,
    *,
    states: Sequence[NoticeState] = tuple(NoticeState),
    target: str | None = None,
    alert: int | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Notice]:
    """Return notices, newest first.

    Parameters
    ----------
    before : only with a lower number: the last number of the page before
    limit : at most so many
    """
    query = select(notice_table).where(notice_table.c.state.in_([each.value for each in states]))
    if target is not None:
        query = query.where(notice_table.c.target == target)
    if alert is not None:
        query = query.where(notice_table.c.alert == alert)
    if before is not None:
        query = query.where(notice_table.c.id < before)
    return [notice_of(row) for row in connection.execute(query.order_by(notice_table.c.id.desc()).limit(limit))]


def figures(connection: Connection) -> dict[str, TargetFigures]:
    """Return how many messages of each target are in each state."""
    table = notice_table.c
    query = select(table.target, table.state, func.count(), func.min(table.at)).group_by(table.target, table.state)
    found: dict[str, dict[str, Any]] = {}
    for target, state, count, oldest in connection.execute(query):
        counts = found.setdefault(target, {})
        counts[state] = count
        if state == NoticeState.WAITING:
            counts["oldest"] = oldest
    return {target: TargetFigures(**counts) for target, counts in sorted(found.items())}
