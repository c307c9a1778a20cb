"""Trace: why somebody was called about an alert, or was not; an answer to everything that happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from service.alerts import book
from service.alerts.alert import Happening
from service.alerts.pipeline.decisions import Decision, decisions_about
from service.alerts.pipeline.happened import newest_decided
from service.alerts.pipeline.kept_calls import calls_of
from service.alerts.pipeline.tables import call_group_table
from service.alerts.tables import alert_event_table

BEFORE = "it happened before anybody was called at all"
"""The answer to what an earlier Andon wrote."""
SOON = "the next look at the timers decides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to an alert, or a timer that came due, and what was decided.

    Attributes
    ----------
    happening : ``None`` where a timer asked
    decisions : one for each route; empty where ``words`` say why there is none
    """

    at: datetime
    happening: Happening | None
    by: str
    decisions: tuple[Decision, ...]
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a call stands.

    Attributes
    ----------
    next_look : when it is looked at again if nothing happens before; ``None`` if only then
    told : targets that believe that the alert lasts
    """

    route: str
    group: str
    state: str
    stage: str
    reason: str
    next_look: datetime | None
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything that was decided about whom an alert calls, oldest first, and how its calls stand."""

    steps: tuple[Step, ...]
    calls: tuple[Standing, ...]


def trace_of(connection: Connection, number: int) -> Trace:
    """Return the trace of an alert.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    """
    book.show(connection, number)
    decided, mark = decisions_about(connection, number), newest_decided(connection)
    answers: dict[int | None, list[Decision]] = {}
    for each in decided:
        answers.setdefault(each.line, []).append(each)
    event = alert_event_table.c
    query = select(event.id, event.at, event.happening, event.by).where(event.alert == number).order_by(event.id)
    steps = [
        Step(
            at=row.at,
            happening=Happening(row.happening),
            by=row.by,
            decisions=tuple(answers.get(row.id, ())),
            words="" if row.id in answers else (SOON if row.id > mark else BEFORE),
        )
        for row in connection.execute(query)
    ]
    return Trace(steps=_in_order(steps, answers.get(None, ())), calls=_standing(connection, number))


def _in_order(steps: Sequence[Step], timed: Sequence[Decision]) -> tuple[Step, ...]:
    """Put what timers asked between what happened; the order of what happened is that of the history."""
    timers = [Step(at=each.at, happening=None, by="andon", decisions=(each,)) for each in timed]
    merged: list[Step] = []
    for step in steps:
        while timers and timers[0].at < step.at:
            merged.append(timers.pop(0))
        merged.append(step)
    return (*merged, *timers)


def _standing(connection: Connection, number: int) -> tuple[Standing, ...]:
    standing = []
    for kept in calls_of(connection, [number]).values():
        group = call_group_table.c
        due = kept.due
        if kept.state.value in ("grouping", "returning"):
            query = select(group.due).where(group.route == kept.route, group.key == kept.key)
            due = connection.execute(query).scalar_one_or_none()
        standing.append(
            Standing(
                route=kept.route,
                group=kept.key,
                state=kept.state.value,
                stage=kept.stage,
                reason=kept.reason,
                next_look=due,
                told=kept.told,
            )
        )
    return tuple(standing)
