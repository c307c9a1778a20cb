"""Track records: how often the alerts of a model were right, by people's verdicts and by its backtest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from models.judging.interval import Interval, wilson
from service.alerts.alert import Verdict
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
        """The record in words, verdicts first."""
        parts = [f"right {self.right} of {self.judged} by verdict" if self.judged else "no verdict yet"]
        if self.tested is not None:
            parts.append(f"{self.tested_right} of {self.tested} in its backtest")
        return ", ".join(parts)


def track_record(
    connection: Connection, model: str, card: Mapping[str, Any], *, until: datetime | None = None
) -> Record:
    """Return the track record of a model.

    Parameters
    ----------
    card : the card of its live version; an empty mapping if it has none
    until : verdicts given later do not count; all count when left out
    """
    query = (
        select(alert_table.c.verdict, func.count().label("alerts"))
        .where(alert_table.c.model == model, alert_table.c.verdict.is_not(None))
        .group_by(alert_table.c.verdict)
    )
    if until is not None:
        query = query.where(alert_table.c.closed_at <= until)
    counts: dict[str, int] = {row.verdict: row.alerts for row in connection.execute(query)}
    right = sum(counts.get(verdict, 0) for verdict in _RIGHT)
    judged = right + counts.get(Verdict.WRONG, 0)
    tested = (card.get("judged") or {}).get("track_record") or {}
    return Record(model, right, judged, wilson(right, judged), tested.get("right"), tested.get("alerts"))
