"""What made the level of each alert, kept beside it: one row an alert, read only where somebody asks why."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.statement import insert_into
from models.finding import Contribution, RankedMode, Why
from service.alerts.tables import alert_why_table


def keep_why(connection: Connection, number: int, why: Why | None) -> None:
    """Write down what makes the level of an alert now; what was said before is replaced, by nothing never."""
    if why is None:
        return
    told = asdict(why) | {"at": why.at.isoformat()}
    statement = insert_into(connection, alert_why_table).values(alert=number, why=told)
    connection.execute(statement.on_conflict_do_update(index_elements=["alert"], set_={"why": told}))


def kept_why(connection: Connection, number: int) -> Why | None:
    """Return what makes the level of an alert; ``None`` for a sensor fault and in alerts from before it was kept."""
    found = kept_whys(connection, [number])
    return found.get(number)


def kept_whys(connection: Connection, numbers: list[int]) -> Mapping[int, Why]:
    """Return what makes the level of each alert of which that is known."""
    query = select(alert_why_table).where(alert_why_table.c.alert.in_(numbers))
    return {row.alert: _why(row.why) for row in connection.execute(query)}


def _why(told: Mapping[str, Any]) -> Why:
    whole = {
        "at": datetime.fromisoformat(told["at"]),
        "contributions": tuple(Contribution(**each) for each in told["contributions"]),
        "modes": tuple(RankedMode(**each) for each in told["modes"]),
    }
    # Alerts from before departures were kept hold a shape that is compared with nothing any more.
    return Why(**({name: each for name, each in told.items() if name != "shape"} | whole))
