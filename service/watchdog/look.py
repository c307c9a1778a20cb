"""One look at Andon itself: every check, the alarms that come of it, and the message that somebody still looks."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.errors import AndonError
from ingest.plant import Plant
from ingest.statement import insert_into
from service.control_room import ControlRoom
from service.delivery.body import FIRING, RESOLVED
from service.delivery.outbox import NoticeKind, NoticeState, put
from service.delivery.tables import notice_table
from service.watchdog import alarms
from service.watchdog.alarms import Alarm, Turn
from service.watchdog.checks import CHECKS
from service.watchdog.tables import watch_look_table
from service.watchdog.trouble import Room, Sight, Trouble, TroubleKind

STEP_TOLD_FOR = timedelta(hours=1)
"""For so long an alarm about a clock that stepped goes on."""

_ROW = 1


@dataclass(frozen=True, slots=True)
class Glance:
    """When a look is, by two clocks.

    Attributes
    ----------
    at : the hour on the wall, which can be set
    seconds : a clock that only goes ahead, of this process
    """

    at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class LastLook:
    """When somebody last looked, who, and what a clock did."""

    at: datetime
    by: str
    stepped_at: datetime | None
    step: float


def room_of(folder: Path) -> Room:
    """Return how much room the disk of a folder has."""
    usage = shutil.disk_usage(folder)
    return Room(usage.total, usage.free)


def look(
    room: ControlRoom,
    glance: Glance,
    *,
    by: str,
    before: Glance | None = None,
    room_of: Callable[[Path], Room] = room_of,
) -> Turn:
    """Look at everything, raise and end alarms, and tell the targets of the plant file; return what changed.

    Readings, jobs and alerts about machines are only read. A check that fails is an alarm itself, and leaves the
    alarms of its kind as they are.

    Parameters
    ----------
    by : this process, for people
    before : the look of this process before
    room_of : says how much room the disk of a folder has
    """
    at, watchdog = glance.at, room.plant.watchdog
    with room.state.read() as connection:
        known = last_look(connection)
        step = _step(glance, before, known, watchdog.clock_step)
        sight = Sight(plant=room.plant, store=room.store, connection=connection, at=at, step=step, room_of=room_of)
        troubles, looked = _all_checks(sight)
    with room.state.write() as connection:
        turn = alarms.hold(connection, troubles, looked=looked, at=at, by=by)
        _remember(connection, LastLook(at, by, *(step or (None, 0.0))))
        for target in watchdog.targets:
            _tell(connection, target, room.plant, turn, at)
            _beat(connection, target, room.plant, at, by)
    return turn


def last_look(connection: Connection) -> LastLook | None:
    """Return when somebody last looked; ``None`` if nobody ever did."""
    row = connection.execute(select(watch_look_table)).one_or_none()
    return None if row is None else LastLook(row.at, row.by, row.stepped_at, row.step)


def miss_the_watch(state: Database, plant: Plant, at: datetime, *, by: str) -> None:
    """Raise an alarm where somebody used to look and nobody does any more; the next look ends it.

    Called by the processes that run jobs, so that no process has to notice its own end.
    """
    with state.read() as connection:
        known = last_look(connection)
    if known is None or at - known.at <= plant.watchdog.missed_after:
        return
    trouble = Trouble(
        TroubleKind.SILENT_WATCH,
        "andon watch",
        f"'andon watch' ({known.by}) looked last at {known.at:%Y-%m-%d %H:%M} UTC; start it again",
    )
    with state.write() as connection:
        turn = alarms.hold(connection, [trouble], looked=(), at=at, by=by)
        for target in plant.watchdog.targets:
            _tell(connection, target, plant, turn, at)


def _all_checks(sight: Sight) -> tuple[list[Trouble], set[TroubleKind]]:
    troubles: list[Trouble] = []
    looked = {TroubleKind.FAILED_CHECK, TroubleKind.SILENT_WATCH}
    for kind, check in CHECKS.items():
        try:
            troubles += check(sight)
            looked.add(kind)
        except (AndonError, OSError) as error:
            troubles.append(Trouble(TroubleKind.FAILED_CHECK, kind, f"cannot look for {kind!r}: {error}"))
    return troubles, looked


def _step(
    glance: Glance, before: Glance | None, known: LastLook | None, most: timedelta
) -> tuple[datetime, float] | None:
    """Return when a clock last stepped and by how much: now, or a short while ago."""
    seconds = 0.0
    if before is not None:
        seconds = (glance.at - before.at).total_seconds() - (glance.seconds - before.seconds)
    elif known is not None and glance.at < known.at:
        seconds = (glance.at - known.at).total_seconds()
    if abs(seconds) > most.total_seconds():
        return glance.at, seconds
    if known is None or known.stepped_at is None or abs(glance.at - known.stepped_at) > STEP_TOLD_FOR:
        return None
    return known.stepped_at, known.step


def _remember(connection: Connection, this: LastLook) -> None:
    row = asdict(this)
    statement = insert_into(connection, watch_look_table).values(id=_ROW, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))


def _tell(connection: Connection, target: str, plant: Plant, turn: Turn, at: datetime) -> None:
    for kind, some in ((NoticeKind.RAISED, turn.raised), (NoticeKind.RESOLVED, turn.ended)):
        for each in some:
            put(connection, target=target, kind=kind, body=_body(each, plant), at=at)


def _body(alarm: Alarm, plant: Plant) -> dict[str, Any]:
    """Return an alarm in the words that channels know, as those of alerts about machines."""
    ended = alarm.ended_at
    return {
        "operational": True,
        "plant": plant.name,
        "status": FIRING if ended is None else RESOLVED,
        "kind": alarm.kind.value,
        "cause": alarm.about,
        "sentence": alarm.sentence,
        "begin": alarm.raised_at.isoformat(),
        "end": None if ended is None else ended.isoformat(),
        "raised_by": alarm.raised_by,
    }


def _beat(connection: Connection, target: str, plant: Plant, at: datetime, by: str) -> None:
    """Put a watchdog message where it is time for one; while one waits, another would say nothing new."""
    row = notice_table.c
    own = (row.target == target, row.kind == NoticeKind.WATCHDOG)
    newest = connection.scalar(select(func.max(row.at)).where(*own))
    waits = connection.scalar(select(func.count()).where(*own, row.state == NoticeState.WAITING))
    # A clock that went back would hold it up for as long.
    if not waits and (newest is None or not newest <= at < newest + plant.watchdog.every):
        body = {
            "operational": True,
            "plant": plant.name,
            "status": FIRING,
            "kind": NoticeKind.WATCHDOG.value,
            "cause": "andon watch",
            "subject": "Andon is watched",
            "text": f"{by} looked at {at.astimezone(plant.zone):%Y-%m-%d %H:%M:%S}; when this stays away, nobody does.",
            "at": at.isoformat(),
            "by": by,
        }
        put(connection, target=target, kind=NoticeKind.WATCHDOG, body=body, at=at)
