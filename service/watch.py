"""Watches: how far each model has watched each machine, and what it remembers between two rounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from ingest.plant import AlertSettings
from ingest.statement import insert_into
from models.assessment import Assessments
from models.persistence import START, Condition, step
from service.database import assessment_table, microseconds, watch_table

_SAID = ("version", "level", "reason", "threshold", "filled", "thin", "life")


@dataclass(frozen=True, slots=True)
class Watch:
    """What one model remembers of one machine.

    Attributes
    ----------
    until : the last window end that was assessed
    begin : window end at which the condition became active; ``None`` while it is not
    alert : number of the alert that the condition holds up; ``None`` if it holds up none
    since : where the first round of the machine began; ``None`` if nobody knows any more
    """

    until: datetime
    condition: Condition = START
    begin: datetime | None = None
    alert: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What new assessments of one machine made of its watch.

    Attributes
    ----------
    watch : the watch after them; ``alert`` is still that of before
    ended : when the condition that was active before them was over; ``None`` if it was not, or goes on
    newest_over : row of the newest level over the threshold that raises or holds up the condition, ``None`` for none
    lasts : after which rows the condition was active, shape (n,)
    """

    watch: Watch
    ended: datetime | None
    newest_over: int | None
    lasts: NDArray[np.bool_]


def turned(
    before: Watch | None,
    own: Assessments,
    failures: NDArray[np.datetime64],
    settings: AlertSettings,
    since: datetime | None = None,
) -> Turn:
    """Fold new assessments of one machine into its watch.

    Parameters
    ----------
    before : ``None`` for a machine that was never assessed; then ``since`` is where this began
    own : at least one row, all of this machine and later than ``before.until``
    failures : its failures since then, sorted; each one ends a condition and begins a new life
    """
    condition, begin, ended = (START, None, None) if before is None else (before.condition, before.begin, None)
    rows = _moments(own.time)
    failed = [moment for moment in _moments(failures) if before is None or moment > before.until]
    newest_over = None
    lasts = np.zeros(len(own), dtype=np.bool_)
    worth = [None if unsaid else over for over, unsaid in zip(own.over.tolist(), np.isnan(own.level), strict=True)]
    standing, at_least = own.standing(settings.dead_band).tolist(), own.standing(0.0).tolist()
    for row, (time, over, stands) in enumerate(zip(rows, worth, standing, strict=True)):
        while failed and failed[0] <= time:
            failure = failed.pop(0)
            if condition.active and before is not None and begin == before.begin:
                ended = failure
            condition, begin = START, None
        after = step(condition, over, settings, standing=stands, at=microseconds(time))
        if after.active and not condition.active:
            begin = time
        elif condition.active and not after.active:
            if before is not None and begin == before.begin:
                ended = time
            begin = None
        newest_over = row if over or (after.active and at_least[row]) else newest_over
        condition = after
        lasts[row] = condition.active
    alert, since = (None, since) if before is None else (before.alert, before.since)
    return Turn(Watch(rows[-1], condition, begin, alert, since), ended, newest_over, lasts)


def watches(connection: Connection, model: str) -> dict[str, Watch]:
    """Return what a model remembers, by machine."""
    query = select(watch_table).where(watch_table.c.model == model)
    return {row.machine: _watch(row) for row in connection.execute(query)}


def watches_on(connection: Connection, machine: str) -> list[tuple[str, Watch]]:
    """Return what each model remembers of one machine, by model."""
    query = select(watch_table).where(watch_table.c.machine == machine).order_by(watch_table.c.model)
    return [(row.model, _watch(row)) for row in connection.execute(query)]


def held(connection: Connection) -> list[tuple[str, str, Watch]]:
    """Return model, machine and watch of every condition that holds up an alert."""
    query = select(watch_table).where(watch_table.c.alert.is_not(None))
    query = query.order_by(watch_table.c.model, watch_table.c.machine)
    return [(row.model, row.machine, _watch(row)) for row in connection.execute(query)]


def keep_watch(connection: Connection, model: str, machine: str, watch: Watch) -> None:
    """Remember a watch in place of the one before."""
    keep_watches(connection, model, {machine: watch})


def keep_watches(connection: Connection, model: str, watches: Mapping[str, Watch]) -> None:
    """Remember watches in place of those before, all at once."""
    if not watches:
        return
    rows = [
        {
            "model": model,
            "machine": machine,
            "until": watch.until,
            "condition": asdict(watch.condition),
            "begin": watch.begin,
            "alert": watch.alert,
            "since": watch.since,
        }
        for machine, watch in watches.items()
    ]
    statement = insert_into(connection, watch_table)
    anew = {name: statement.excluded[name] for name in rows[0] if name not in ("model", "machine")}
    statement = statement.on_conflict_do_update(index_elements=["model", "machine"], set_=anew)
    connection.execute(statement, rows)


def holders(connection: Connection, alert: int) -> int:
    """Return how many conditions hold up an alert: several models may see the same matter."""
    query = select(func.count()).select_from(watch_table).where(watch_table.c.alert == alert)
    return connection.execute(query).scalar_one()


def keep_assessments(connection: Connection, assessments: Iterable[Assessments], *, again: bool = False) -> None:
    """Keep what models said.

    Parameters
    ----------
    again : whether it takes the place of what was said before of the same moment, which stays otherwise
    """
    for each in assessments:
        rows = [
            {
                "machine": str(machine),
                "time": time,
                "level": None if np.isnan(level) else level,
                "reason": str(reason),
                "filled": None if filled is None else filled.share,
                "thin": dict(filled.thin) if filled is not None and filled.thin else None,
                "life": None if life is None else life.to_dict(),
            }
            for machine, time, level, reason, filled, life in zip(
                each.machine,
                _moments(each.time),
                each.level.tolist(),
                each.reason,
                each.built_from(),
                each.lives(),
                strict=True,
            )
        ]
        if rows:
            same = {"model": each.model, "version": each.version, "threshold": each.threshold}
            statement = insert_into(connection, assessment_table)
            anew = {name: statement.excluded[name] for name in _SAID}
            if again:
                statement = statement.on_conflict_do_update(index_elements=["model", "machine", "time"], set_=anew)
            else:
                statement = statement.on_conflict_do_nothing()
            connection.execute(statement, [same | row for row in rows])


def _watch(row: Row[Any]) -> Watch:
    return Watch(row.until, _condition(row.condition), row.begin, row.alert, row.since)


def _condition(kept: Mapping[str, Any]) -> Condition:
    # Conditions from before anything was kept firing do not know when they were last met.
    return Condition(kept["active"], tuple(kept["flags"]), kept["clean"], kept.get("met"))


def _moments(times: NDArray[np.datetime64]) -> Sequence[datetime]:
    return [moment.replace(tzinfo=UTC) for moment in times.astype("datetime64[us]").tolist()]
