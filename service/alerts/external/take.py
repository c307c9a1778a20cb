"""Take what another system posts: open alerts, keep them up to date, and end them.

What is posted again and again while it lasts is one occurrence: its row says until when, its history nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.engine import Connection

from models.finding import Finding
from service.alerts import book
from service.alerts.alert import AlertState
from service.alerts.external import said
from service.alerts.external.posted import NAME, Posted
from service.alerts.external.said import Said
from service.alerts.pipeline.calling import Calling
from service.alerts.tables import alert_table

ACT_WITHIN = timedelta(days=1)
"""Nobody says by when to act on what another system posts; a day after it began it is late for sure."""
_LASTING = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


def take(
    connection: Connection, several: Sequence[Posted], *, by: str, at: datetime, latch: Collection[str] = ()
) -> int:
    """Take what was posted, in its order; return how many alerts were opened or are back.

    An alert that a person closed stays closed while what it is about goes on.

    Parameters
    ----------
    by : who posts it
    latch : kinds of alerts that stay until somebody resets them
    """
    end_overdue(connection, at)
    known = said.newest_of(connection, [(each.machine, each.cause) for each in several])
    fresh = 0
    for each in several:
        matter = each.machine, each.cause
        before = known.get(matter)
        if before is None or before.over:
            if each.ends_at > at:
                known[matter] = _open(connection, each, by=by, at=at, latches="external" in latch)
                fresh += 1
        elif each.ends_at > at:
            known[matter] = said.keep_on(connection, before, each, at=at, by=by)
            _reword(connection, before, each)
        elif each.ends_at >= before.starts_at:
            known[matter] = _end(connection, before, end=each.ends_at, at=at, why=f"{by} says so")
    return fresh


def end_overdue(connection: Connection, now: datetime) -> int:
    """End what was not posted again until its time was up; return how many."""
    overdue = said.due(connection, now)
    for each in overdue:
        _end(connection, each, end=each.ends_at, at=now, why=f"{each.by} has not posted it again")
    return len(overdue)


def end_overdue_of(state: Calling, now: datetime) -> int:
    """Do the same in a transaction of its own; write nothing where nothing is due."""
    with state.read() as connection:
        if not said.due(connection, now):
            return 0
    with state.write() as connection:
        return end_overdue(connection, now)


def _open(connection: Connection, posted: Posted, *, by: str, at: datetime, latches: bool) -> Said:
    alert, _ = book.raise_alert(connection, _finding(posted), at=at, latches=latches, labels=posted.labels)
    return said.keep(connection, alert.number, posted, at=at, by=by)


def _end(connection: Connection, before: Said, *, end: datetime, at: datetime, why: str) -> Said:
    alert = book.show(connection, before.alert)
    last = max(end, alert.condition_begin)
    if alert.state in _LASTING:
        book.condition_over(connection, alert.number, at=at, end=last, why=why)
    elif alert.condition_end is None:
        connection.execute(update(alert_table).where(alert_table.c.number == alert.number).values(condition_end=last))
    return said.keep_end(connection, before, end=end)


def _reword(connection: Connection, before: Said, posted: Posted) -> None:
    """Let an open alert say what is said of it now; that is no line of its history."""
    if before.annotations != dict(posted.annotations):
        mine = (alert_table.c.number == before.alert) & (alert_table.c.state != AlertState.NORMAL.value)
        connection.execute(update(alert_table).where(mine).values(sentence=posted.sentence))


def _finding(posted: Posted) -> Finding:
    name = posted.labels.get(NAME, "")
    return Finding(
        machine=posted.machine,
        kind="external",
        cause=posted.cause,
        # The track record is that of its rule: one that is always wrong says nothing of the others.
        model=f"external: {name}" if name else "external",
        version="",
        begin=posted.starts_at,
        end=None,
        level=1.0,
        act_before=posted.starts_at + ACT_WITHIN,
        sentence=posted.sentence,
    )
