"""Said: what other systems said last of the alerts that they posted, one row an alert."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Update, func, select, update
from sqlalchemy.engine import Connection

from ingest.statement import insert_into, pieces
from service.alerts.external.posted import Posted
from service.alerts.tables import alert_table, external_alert_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is kept of an alert that was posted.

    Attributes
    ----------
    ends_at : when it is over unless it is posted again, or was over
    by : who posted it last
    over : whether it is over for whoever posted it, whatever people made of it
    """

    alert: int
    annotations: Mapping[str, str]
    generator_url: str
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    by: str
    over: bool


def said_of(connection: Connection, alerts: Collection[int]) -> dict[int, Said]:
    """Return what was said last of alerts, by their numbers."""
    numbers = sorted(alerts)
    found: dict[int, Said] = {}
    for some in pieces(numbers):
        query = select(external_alert_table).where(external_alert_table.c.alert.in_(some))
        found |= {row.alert: Said(**row._mapping) for row in connection.execute(query)}
    return found


def newest_of(connection: Connection, matters: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Said]:
    """Return what was said last of each matter (machine and cause) that was ever posted."""
    wanted = set(matters)
    causes = sorted({cause for _, cause in wanted})
    numbers: list[int] = []
    column = alert_table.c
    for some in pieces(causes):
        query = (
            select(func.max(column.number))
            .join(external_alert_table, external_alert_table.c.alert == column.number)
            .where(column.cause.in_(some))
            .group_by(column.machine, column.cause)
        )
        numbers += connection.execute(query).scalars().all()
    said = said_of(connection, numbers)
    places = _matters(connection, numbers)
    return {places[number]: each for number, each in said.items() if places[number] in wanted}


def due(connection: Connection, now: datetime) -> list[Said]:
    """Return what was not posted again until its end, the first first."""
    column = external_alert_table.c
    query = select(external_alert_table).where(column.over.is_(False), column.ends_at <= now)
    return [Said(**row._mapping) for row in connection.execute(query.order_by(column.ends_at, column.alert))]


def keep(connection: Connection, alert: int, posted: Posted, *, at: datetime, by: str) -> Said:
    """Write down what was said first of an alert, in place of what was said of it before it was over."""
    fresh = _heard(alert, posted, at=at, by=by)
    values = asdict(fresh)
    statement = insert_into(connection, external_alert_table).values(values)
    anew = {name: statement.excluded[name] for name in values if name != "alert"}
    connection.execute(statement.on_conflict_do_update(index_elements=["alert"], set_=anew))
    return fresh


def keep_on(connection: Connection, before: Said, posted: Posted, *, at: datetime, by: str) -> Said:
    """Write down that it goes on; it began when it was first said to."""
    heard = _heard(before.alert, posted, at=at, by=by)
    fresh = replace(heard, starts_at=min(before.starts_at, posted.starts_at))
    connection.execute(_row(fresh).values(asdict(fresh)))
    return fresh


def keep_end(connection: Connection, before: Said, *, end: datetime) -> Said:
    """Write down that it is over for whoever posted it."""
    over = replace(before, over=True, ends_at=end)
    connection.execute(_row(over).values(over=True, ends_at=end))
    return over


def _row(said: Said) -> Update:
    return update(external_alert_table).where(external_alert_table.c.alert == said.alert)


def _heard(alert: int, posted: Posted, *, at: datetime, by: str) -> Said:
    return Said(
        alert=alert,
        annotations=dict(posted.annotations),
        generator_url=posted.generator_url,
        starts_at=posted.starts_at,
        ends_at=posted.ends_at,
        updated_at=at,
        by=by,
        over=False,
    )


def _matters(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[str, str]]:
    column = alert_table.c
    found: dict[int, tuple[str, str]] = {}
    for some in pieces(sorted(numbers)):
        query = select(column.number, column.machine, column.cause)
        query = query.where(column.number.in_(some))
        found |= {row.number: (row.machine, row.cause) for row in connection.execute(query)}
    return found
