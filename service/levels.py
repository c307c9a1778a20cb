"""Levels: what the models said of machines, read back from the state."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import and_, func, select

from ingest.database import Database
from models.assessment import Reason
from service.database import assessment_table as rows
from service.database import microseconds
from service.series import Series


@dataclass(frozen=True, slots=True)
class Level:
    """What one model said of one machine at one window end.

    Attributes
    ----------
    level : 0 to 1, or ``None`` with the reason
    """

    machine: str
    model: str
    version: str
    time: datetime
    level: float | None
    reason: Reason
    threshold: float

    @property
    def over(self) -> bool:
        """Whether the level is worth somebody's time."""
        return self.level is not None and self.level >= self.threshold


@dataclass(frozen=True, slots=True)
class LevelHistory:
    """What one model said of one machine over a span; ``threshold`` is the newest one."""

    model: str
    series: Series
    threshold: float


def newest_levels(state: Database, *, until: datetime, machine: str | None = None) -> list[Level]:
    """Return the newest assessment of each machine by each model, at or before ``until``."""
    known = rows.c.time <= until if machine is None else and_(rows.c.time <= until, rows.c.machine == machine)
    newest = (
        select(rows.c.model, rows.c.machine, func.max(rows.c.time).label("time"))
        .where(known)
        .group_by(rows.c.model, rows.c.machine)
        .subquery()
    )
    same = and_(rows.c.model == newest.c.model, rows.c.machine == newest.c.machine, rows.c.time == newest.c.time)
    with state.read() as connection:
        found = connection.execute(select(rows).join(newest, same).order_by(rows.c.machine, rows.c.model)).all()
    return [
        Level(row.machine, row.model, row.version, row.time, row.level, Reason(row.reason), row.threshold)
        for row in found
    ]


def level_histories(state: Database, machine: str, start: datetime, end: datetime) -> list[LevelHistory]:
    """Return what each model said of a machine in (start, end], one history for each model."""
    query = (
        select(rows.c.model, rows.c.time, rows.c.level, rows.c.threshold)
        .where(rows.c.machine == machine, rows.c.time > start, rows.c.time <= end)
        .order_by(rows.c.model, rows.c.time)
    )
    with state.read() as connection:
        found = connection.execute(query).all()
    histories = []
    for model in dict.fromkeys(row.model for row in found):
        own = [row for row in found if row.model == model]
        said = [row for row in own if row.level is not None]
        time = np.array([microseconds(row.time) for row in said], dtype="datetime64[us]")
        level = np.array([row.level for row in said], dtype=np.float64)
        histories.append(LevelHistory(model, Series(time, level), own[-1].threshold))
    return histories
