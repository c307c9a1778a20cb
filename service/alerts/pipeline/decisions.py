"""Decisions: why people were called, or not; written once and never changed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.statement import Many
from service.alerts.pipeline.call import Reason
from service.alerts.pipeline.tables import decision_table
from service.database import microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why people were called, or not.

    Attributes
    ----------
    line : the line of the alert's history that it answers; ``None`` where a timer asked
    route : empty where there is none
    stage : the stage that held it back; empty where none did
    until : when it is looked at again, if nothing happens before
    targets, messages : who was called, and the names of the messages to them
    """

    alert: int
    line: int | None = None
    at: datetime
    route: str = ""
    stage: str = ""
    reason: Reason
    words: str
    until: datetime | None = None
    targets: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


_COLUMNS = ("alert", "line", "at", "route", "stage", "reason", "words", "until", "targets", "messages")
_EMPTY = "[]"
_insert = Many(decision_table, _COLUMNS)


def write_decisions(connection: Connection, decisions: Iterable[Decision]) -> None:
    """Write decisions down."""
    rows = [
        (
            *(each.alert, each.line, microseconds(each.at), each.route, each.stage, each.reason.value, each.words),
            None if each.until is None else microseconds(each.until),
            *(_listed(each.targets), _listed(each.messages)),
        )
        for each in decisions
    ]
    if rows:
        _insert(connection, rows)


def decisions_about(connection: Connection, alert: int) -> list[Decision]:
    """Return the decisions about an alert, in the order in which they were made."""
    query = select(decision_table).where(decision_table.c.alert == alert).order_by(decision_table.c.id)
    return [
        Decision(
            alert=row.alert,
            line=row.line,
            at=row.at,
            route=row.route,
            stage=row.stage,
            reason=Reason(row.reason),
            words=row.words,
            until=row.until,
            targets=tuple(row.targets),
            messages=tuple(row.messages),
        )
        for row in connection.execute(query)
    ]


def _listed(words: Sequence[str]) -> str:
    return _EMPTY if not words else json.dumps(list(words), ensure_ascii=False)
