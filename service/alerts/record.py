"""Track records: how often the alerts of a model were right, by people's verdicts and by its backtest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.errors import RegistryError
from models.judging.interval import Interval, wilson
from service.alerts.alert import Alert, Verdict
from service.alerts.chance import CardOf
from service.alerts.tables import alert_table

_RIGHT = (Verdict.RIGHT, Verdict.PREVENTED)


@dataclass(frozen=True, slots=True)
class Record:
    """How many of a model's alerts were right.

    Attributes
    ----------
    right, judged : alerts with a verdict, over all versions; *not inspected* counts as neither
    share : right / judged with its 95 % Wilson interval
    tested_right, tested : the same from the card's backtest; ``None`` where the card has none
    """

    model: str
    right: int
    judged: int
    share: Interval
    tested_right: int | None
    tested: int | None

    @property
    def sentence(self) -> str:
        """The record in words, verdicts first, each with the share that is right and its interval."""
        said = f"right {self.right} of {self.judged} by verdict, {self.share.percent()}"
        parts = [said if self.judged else "no verdict yet"]
        if self.tested:
            tested = wilson(self.tested_right or 0, self.tested)
            parts.append(f"{self.tested_right} of {self.tested} in its backtest, {tested.percent()}")
        return "; ".join(parts)


def track_record(
    connection: Connection,
    model: str,
    card: Mapping[str, Any],
    *,
    kind: str | None = None,
    until: datetime | None = None,
) -> Record:
    """Return the track record of a model.

    Parameters
    ----------
    kind : only of its alerts of this kind
    card : the card of its live version; an empty mapping if it has none
    until : verdicts given later do not count; all count when left out
    """
    query = (
        select(alert_table.c.verdict, func.count().label("alerts"))
        .where(alert_table.c.model == model, alert_table.c.verdict.is_not(None))
        .group_by(alert_table.c.verdict)
    )
    if kind is not None:
        query = query.where(alert_table.c.kind == kind)
    if until is not None:
        query = query.where(alert_table.c.closed_at <= until)
    counts: dict[str, int] = {row.verdict: row.alerts for row in connection.execute(query)}
    right = sum(counts.get(verdict, 0) for verdict in _RIGHT)
    judged = right + counts.get(Verdict.WRONG, 0)
    tested = (card.get("judged") or {}).get("track_record") or {}
    return Record(model, right, judged, wilson(right, judged), tested.get("right"), tested.get("alerts"))


def record_of(connection: Connection, alert: Alert, card_of: CardOf) -> Record | None:
    """Return the track record of alerts like this one; ``None`` where neither verdicts nor a backtest say anything."""
    try:
        card = card_of(alert.model, alert.version) if alert.version else {}
    except RegistryError:
        card = {}
    record = track_record(connection, alert.model, card, kind=alert.kind)
    return record if record.judged or record.tested else None
