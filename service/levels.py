"""Levels: what the models said of machines, read back from the state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Integer, Row, bindparam, func, select, type_coerce

from ingest.database import Database
from models.assessment import Reason
from models.filled import Filled
from models.life.life import Life
from service.database import assessment_table as rows
from service.series import Series


@dataclass(frozen=True, slots=True)
class Level:
    """What one model said of one machine at one window end.

    Attributes
    ----------
    level : 0 to 1, or ``None`` with the reason
    filled : which share of the expected readings it was built from; ``None`` where nobody knows
    life : hours that remain; ``None`` where none are told
    """

    machine: str
    model: str
    version: str
    time: datetime
    level: float | None
    reason: Reason
    threshold: float
    filled: Filled | None = None
    life: Life | None = None

    @property
    def over(self) -> bool:
        """Whether the level is worth somebody's time."""
        return self.level is not None and self.level >= self.threshold and self.reason is not Reason.ONE_SIGNAL


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
        Level(
            row.machine,
            row.model,
            row.version,
            row.time,
            row.level,
            Reason(row.reason),
            row.threshold,
            _filled(row),
            None if row.life is None else Life.from_dict(row.life),
        )
        for row in found
    ]


def level_histories(state: Database, machine: str, start: datetime, end: datetime) -> list[LevelHistory]:
    """Return what each model said of a machine in (start, end], one history for each model.

    Each model's rows are sought, so the time follows the span and not the number of machines.
    """
    time = type_coerce(rows.c.time, Integer).label("time")
    said = (
        select(time, rows.c.level, rows.c.threshold)
        .where(rows.c.model == bindparam("of"), rows.c.machine == machine, rows.c.time > start, rows.c.time <= end)
        .order_by(rows.c.time)
    )
    with state.read() as connection:
        found = {model: connection.execute(said, {"of": model}).all() for model in _models(connection)}
    return [LevelHistory(model, _known(own), own[-1].threshold) for model, own in found.items() if own]


def _filled(row: Row[Any]) -> Filled | None:
    return None if row.filled is None else Filled(row.filled, row.thin or {})


def _models(connection: Connection) -> Iterator[str]:
    """Yield every model that ever assessed a machine, in order, by one seek for each."""
    following = select(func.min(rows.c.model)).where(rows.c.model > bindparam("before"))
    model = connection.scalar(select(func.min(rows.c.model)))
    while model is not None:
        yield model
        model = connection.scalar(following, {"before": model})


def _known(said: Sequence[Row[Any]]) -> Series:
    known = [row for row in said if row.level is not None]
    time = np.array([row.time for row in known], dtype="datetime64[us]")
    return Series(time, np.array([row.level for row in known], dtype=np.float64))
