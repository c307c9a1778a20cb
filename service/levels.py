"""Levels: what the models said of machines, read back from the state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import bindparam, select

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


def newest_levels(state: Database, watched: Sequence[tuple[str, str]], *, until: datetime) -> list[Level]:
    """Return the newest assessment of each (model, machine) at or before ``until``; none where there is none.

    Each is found by one seek, so the time follows the machines and not the length of the history.
    """
    newest = (
        select(rows)
        .where(rows.c.model == bindparam("of"), rows.c.machine == bindparam("on"), rows.c.time <= until)
        .order_by(rows.c.time.desc())
        .limit(1)
    )
    with state.read() as connection:
        asked = (connection.execute(newest, {"of": model, "on": machine}).first() for model, machine in watched)
        found = [row for row in asked if row is not None]
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
