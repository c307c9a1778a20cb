"""What happened to alerts since calls were last decided, and what that may mean for calls."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from service.alerts.alert import Happening
from service.alerts.pipeline.tables import call_mark_table
from service.alerts.tables import alert_event_table

NOTES: Mapping[Happening, str] = {
    Happening.COMMENT: "a remark calls nobody",
    Happening.SHELVED: "nobody is called while it is shelved",
    Happening.SHELVED_ONCE: "nobody is called while it is shelved",
    Happening.SUPPRESSED: "nobody is called while it is suppressed",
    Happening.OUT_OF_SERVICE: "nobody is called while it is out of service",
    Happening.SILENCED: "nobody is called while it is silenced",
}
"""What calls nobody and changes no call that was made; everything else makes us look at the alert's calls."""
LATER = "what happened next decided"
_ROW = 1


@dataclass(slots=True)
class News:
    """What happened to one alert.

    Attributes
    ----------
    notes : lines of its history that change nothing, each with the reason why not
    asks : the newest line that makes us look at its calls; ``None`` where none does
    """

    notes: dict[int, str]
    asks: int | None = None


def newest_decided(connection: Connection) -> int:
    """Return the number of the newest line that was decided on."""
    return connection.execute(select(call_mark_table.c.line)).scalar_one()


def is_news(connection: Connection) -> bool:
    """Return whether anything happened that was not decided on."""
    line = alert_event_table.c.id
    newer = select(line).where(line > newest_decided(connection)).limit(1)
    return connection.execute(newer).first() is not None


def take_news(connection: Connection) -> dict[int, News]:
    """Return what happened to each alert, and take it as decided on."""
    line = alert_event_table.c
    query = select(line.id, line.alert, line.happening).where(line.id > newest_decided(connection)).order_by(line.id)
    rows = connection.execute(query).all()
    found: dict[int, News] = defaultdict(lambda: News({}))
    for row in rows:
        news, note = found[row.alert], NOTES.get(Happening(row.happening))
        if note is not None:
            news.notes[row.id] = note
            continue
        if news.asks is not None:
            news.notes[news.asks] = LATER
        news.asks = row.id
    if rows:
        mark = update(call_mark_table).where(call_mark_table.c.id == _ROW)
        connection.execute(mark.values(line=rows[-1].id))
    return found
