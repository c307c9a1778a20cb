"""Operational alarms: each trouble is one alarm from when it is seen until it is seen no more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from ingest.statement import insert_into
from service.watchdog.tables import operational_alarm_table
from service.watchdog.trouble import Trouble, TroubleKind

_ALARM = operational_alarm_table.c


@dataclass(frozen=True, slots=True)
class Alarm:
    """An operational alarm.

    Attributes
    ----------
    raised_by : the process that saw it
    seen_at : when it was last seen to go on
    ended_at : ``None`` while it goes on
    """

    id: int
    kind: TroubleKind
    about: str
    sentence: str
    raised_at: datetime
    raised_by: str
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look changed."""

    raised: Sequence[Alarm]
    ended: Sequence[Alarm]


def hold(
    connection: Connection, troubles: Sequence[Trouble], *, looked: Collection[TroubleKind], at: datetime, by: str
) -> Turn:
    """Raise an alarm for each trouble that has none, and end those whose trouble is over.

    However many processes look at once, the database lets one alarm of a kind and matter go on.

    Parameters
    ----------
    looked : kinds that were looked for; alarms of other kinds stay as they are
    by : the process that looked
    """
    raised = [number for each in troubles if (number := _raised(connection, each, at, by)) is not None]
    for each in troubles:
        here = (_ALARM.kind == each.kind, _ALARM.about == each.about, _ALARM.ended_at.is_(None))
        connection.execute(update(operational_alarm_table).where(*here).values(sentence=each.sentence, seen_at=at))
    still = {(each.kind, each.about) for each in troubles}
    over = [each for each in going_on(connection) if each.kind in looked and (each.kind, each.about) not in still]
    connection.execute(
        update(operational_alarm_table).where(_ALARM.id.in_([each.id for each in over])).values(ended_at=at)
    )
    return Turn(_of(connection, raised), _of(connection, [each.id for each in over]))


def going_on(connection: Connection) -> list[Alarm]:
    """Return the alarms that go on, the oldest first."""
    query = select(operational_alarm_table).where(_ALARM.ended_at.is_(None)).order_by(_ALARM.id)
    return [_alarm(row) for row in connection.execute(query)]


def newest(connection: Connection, *, limit: int, offset: int = 0) -> list[Alarm]:
    """Return alarms, those that are over, too, the newest first."""
    query = select(operational_alarm_table).order_by(_ALARM.id.desc()).limit(limit).offset(offset)
    return [_alarm(row) for row in connection.execute(query)]


def _raised(connection: Connection, trouble: Trouble, at: datetime, by: str) -> int | None:
    row = {"kind": trouble.kind, "about": trouble.about, "sentence": trouble.sentence}
    new = insert_into(connection, operational_alarm_table).values(**row, raised_at=at, raised_by=by, seen_at=at)
    once = new.on_conflict_do_nothing(index_elements=["kind", "about"], index_where=_ALARM.ended_at.is_(None))
    return connection.execute(once.returning(_ALARM.id)).scalar_one_or_none()


def _of(connection: Connection, numbers: Sequence[int]) -> list[Alarm]:
    query = select(operational_alarm_table).where(_ALARM.id.in_(numbers)).order_by(_ALARM.id)
    return [_alarm(row) for row in connection.execute(query)]


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(**{**row._mapping, "kind": TroubleKind(row.kind)})
