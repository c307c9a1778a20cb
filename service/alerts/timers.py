"""Timers: each mute has a due time in its row, and is over at it whatever process lives or dies.

Reading asks whether a mute holds at a moment, so nothing here is needed for an alert to be shown again.
This writes into the history what has come due, and sees to it that a clock which goes back prolongs
nothing: by as much as it is behind the newest moment that was ever seen, all due times are moved back
with it. A clock that goes ahead ends mutes early, which shows alerts too soon rather than too late.
"""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from ingest.database import Database
from service.alerts.line import remember_mute
from service.alerts.mute import MuteKind
from service.alerts.mutes import alter, beginning, end, lasting
from service.alerts.tables import mute_table, timer_table
from service.audit.record import ANDON

_ROW = 1
APART = timedelta(seconds=10)
"""Clocks of two computers may differ by as much; only one that is further behind went back."""


def keep_time(connection: Connection, now: datetime) -> int:
    """Hold the timers against the clock; return how many mutes came due."""
    seen: datetime | None = connection.execute(
        select(timer_table.c.seen).where(timer_table.c.id == _ROW)
    ).scalar_one_or_none()
    if seen is None:
        connection.execute(insert(timer_table).values(id=_ROW, seen=now))
    elif now > seen or now < seen - APART:
        if now < seen:
            _move_back(connection, seen - now, now)
        connection.execute(update(timer_table).where(timer_table.c.id == _ROW).values(seen=now))
    for each in lasting(connection, MuteKind.SILENCED):
        # Announced before, and begun since: histories are told now.
        if seen is not None and seen < each.since <= now:
            remember_mute(connection, each, beginning(each), at=each.since, by=each.by, why=each.why)
    due = [each for each in lasting(connection) if each.until <= now]
    for each in due:
        end(connection, each, at=each.until, by=ANDON, why="its time was up")
    return len(due)


def keep_time_of(state: Database, now: datetime) -> int:
    """Do the same in a transaction of its own; write nothing where nothing is muted."""
    with state.read() as connection:
        if not lasting(connection):
            return 0
    with state.write() as connection:
        return keep_time(connection, now)


def _move_back(connection: Connection, step: timedelta, now: datetime) -> None:
    # What was over stays over, though the clock has not come to its end again.
    over = update(mute_table).where(mute_table.c.ended_at > now)
    connection.execute(over.values(ended_at=now))
    for each in lasting(connection):
        if each.since > now + step:
            continue  # it has not begun, and begins when it was said to
        values = {"since": each.since - step, "until": each.until - step}
        why = f"the clock went back by {step}"
        alter(connection, each, values, what="moved with the clock", at=now, by=ANDON, why=why)
