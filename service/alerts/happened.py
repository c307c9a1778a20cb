"""What happened to alerts in a span, as the health of the alarm system asks for it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from service.alerts.alert import AlertState, Happening
from service.alerts.health import Health, Life, health
from service.alerts.tables import alert_event_table, alert_table

_SEEN = (Happening.ACKNOWLEDGED.value, Happening.CLOSED.value)
_TURNS = (Happening.RAISED.value, Happening.CONDITION_OVER.value, Happening.CONDITION_BACK.value)


def health_of(connection: Connection, start: datetime, end: datetime) -> Health:
    """Return the health of the alarm system in (start, end]."""
    return health(lives(connection, start, end), start, end)


def lives(connection: Connection, start: datetime, end: datetime) -> list[Life]:
    """Return the alerts that were raised in (start, end], changed in it, or were open at its end."""
    column, line = alert_table.c, alert_event_table.c
    lines = select(line.alert, line.at, line.happening, line.state).where(line.at <= end)
    changed = select(line.alert).where(line.at > start, line.at <= end)
    # Whatever is open at the end was open all the time, or has a line since.
    wanted = or_(column.number.in_(changed), column.state != AlertState.NORMAL.value)
    later = select(line.alert).where(line.at > end)
    wanted = or_(wanted, column.number.in_(later))
    alerts = connection.execute(
        select(column.number, column.machine, column.cause, column.raised_at).where(wanted, column.raised_at <= end)
    ).all()
    told = defaultdict(list)
    for row in connection.execute(lines.where(line.alert.in_(select(column.number).where(wanted))).order_by(line.id)):
        told[row.alert].append(row)
    return [
        Life(
            number=row.number,
            matter=(row.machine, row.cause),
            raised=row.raised_at,
            turns=tuple(each.at for each in told[row.number] if each.happening in _TURNS),
            acknowledged=next((each.at for each in told[row.number] if each.happening in _SEEN), None),
            over=_over(told[row.number]),
        )
        for row in alerts
    ]


def _over(lines: Sequence[Any]) -> datetime | None:
    """Return since when an alert is normal; ``None`` where it is not at the end of these lines."""
    since = None
    for each in lines:
        if each.state != AlertState.NORMAL.value:
            since = None
        elif since is None:
            since = each.at
    return since
