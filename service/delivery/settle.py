"""Write down what came of tries: sent, to be tried again, or dead. Only whoever holds the newest claim may."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection

from ingest.duration import format_duration
from service.delivery.backoff import GIVE_UP_AFTER, pause
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeState
from service.delivery.outcome import GivenBack, Later, Never, Outcome, Sent
from service.delivery.pace import Pace, keep_pace, pace_of
from service.delivery.tables import notice_table

_table = notice_table.c
_held = (_table.id == bindparam("_id"), _table.token == bindparam("_token"), _table.state == "waiting")
_SETTLED = (
    update(notice_table)
    .where(*_held)
    .values(
        state=bindparam("_state"),
        due=bindparam("_due", type_=_table.due.type),
        ended=bindparam("_ended", type_=_table.ended.type),
        why=bindparam("_why"),
        tries=_table.tries + bindparam("_tried"),
        lease_until=None,
    )
)


class Settled(NamedTuple):
    """A try, and what came of it."""

    notice: Notice
    outcome: Outcome


def settle(connection: Connection, tries: Sequence[Settled], *, at: datetime, random: Random) -> None:
    """Write down what came of tries; of those that somebody else has claimed since, nothing is written.

    A message that could not be sent for ``GIVE_UP_AFTER`` is dead.
    """
    if not tries:
        return
    rows = [_row(each, at, random) for each in tries]
    connection.execute(_SETTLED, rows)
    for each, row in zip(tries, rows, strict=True):
        if isinstance(each.outcome, Later) and row["_state"] == NoticeState.WAITING:
            _follow(connection, each.notice, row["_due"])
    before: dict[str, Pace] = {}
    after: dict[str, Pace] = {}
    for each in tries:
        name = each.notice.target
        if name not in before:
            before[name] = after[name] = pace_of(connection, name)
        after[name] = _next(after[name], each.outcome, at, random)
    for name, pace in after.items():
        if pace != before[name]:
            keep_pace(connection, pace)


def _row(each: Settled, at: datetime, random: Random) -> Mapping[str, Any]:
    notice, outcome = each
    state, due, ended, why = NoticeState.WAITING, notice.due, None, notice.why
    match outcome:
        case Sent():
            state, ended, why = NoticeState.SENT, at, outcome.why
        case Never():
            state, ended, why = NoticeState.DEAD, at, outcome.why
        case Later() if at - (notice.since or at) >= GIVE_UP_AFTER:
            why = f"given up after {format_duration(GIVE_UP_AFTER)}: {outcome.why}"
            state, ended = NoticeState.DEAD, at
        case Later():
            due, why = at + pause(notice.tries + 1, random), outcome.why
    return {
        "_id": notice.id,
        "_token": notice.token,
        "_state": state.value,
        "_due": due,
        "_ended": ended,
        "_why": why,
        "_tried": 0 if isinstance(outcome, GivenBack) else 1,
    }


def _follow(connection: Connection, notice: Notice, due: datetime) -> None:
    """Let those that wait for this one be due no sooner, so that nobody looks at them again and again."""
    if notice.alert is None:
        return
    same = (_table.alert == notice.alert, _table.target == notice.target, _table.id > notice.id)
    behind = (_table.state == NoticeState.WAITING.value, _table.due < due)
    connection.execute(update(notice_table).where(*same, *behind).values(due=due))


def _next(pace: Pace, outcome: Outcome, at: datetime, random: Random) -> Pace:
    match outcome:
        case Sent() | Never():
            return pace.answered()
        case Later():
            return pace.failed(outcome.why, at, random, outcome.wait)
    return pace
