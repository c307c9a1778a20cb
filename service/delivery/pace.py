"""How fast a target is sent to: by its rate, and ever less often while it fails. True for all processes together."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from math import floor
from random import Random

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.plant_target import MessageTarget
from ingest.statement import insert_into
from service.delivery.backoff import LONGEST_WAIT, pause
from service.delivery.tables import target_pace_table

PATIENCE = 8
"""After so many failed tries in a row a target gets one message at a time, to see whether it is back."""

LONGEST_PAUSE = timedelta(minutes=1)
"""Between two such tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a target answers, and when it may be sent to again.

    Attributes
    ----------
    next : when the next message is due by the target's rate; ``None`` where it has none yet
    failures : tries that failed since one did not
    failing_since, paused_until : ``None`` while it answers
    why : why the last try failed
    """

    target: str
    next: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    why: str = ""

    @property
    def probing(self) -> bool:
        """Whether it failed so often that one message at a time is enough to see that it is back."""
        return self.failures >= PATIENCE

    def paused(self, at: datetime) -> bool:
        """Whether nothing is sent to it now."""
        return self.paused_until is not None and at < self.paused_until

    def answered(self) -> "Pace":
        """Return the pace after a message that arrived, or that was answered with a clear no."""
        return replace(self, failures=0, failing_since=None, paused_until=None, why="")

    def failed(self, why: str, at: datetime, random: Random, wait: timedelta | None) -> "Pace":
        """Return the pace after a failed try.

        Parameters
        ----------
        wait : how long the target asks to be left alone
        """
        failures = self.failures + 1
        spans = [min(wait, LONGEST_WAIT)] if wait else []
        if failures >= PATIENCE:
            spans.append(pause(failures - PATIENCE + 1, random, LONGEST_PAUSE))
        ends = [at + max(spans)] if spans else []
        until = max([*ends, *([self.paused_until] if self.paused_until else [])], default=None)
        since = self.failing_since or at
        return replace(self, failures=failures, failing_since=since, paused_until=until, why=why)


def pace_of(connection: Connection, target: str) -> Pace:
    """Return the pace of a target; that of one which never failed where nothing is known."""
    row = connection.execute(select(target_pace_table).where(target_pace_table.c.target == target)).one_or_none()
    return Pace(target=target) if row is None else Pace(**row._mapping)


def paces(connection: Connection) -> dict[str, Pace]:
    """Return the pace of each target that there is something to know of."""
    return {row.target: Pace(**row._mapping) for row in connection.execute(select(target_pace_table))}


def keep_pace(connection: Connection, pace: Pace) -> None:
    """Write down the pace of a target."""
    values = asdict(pace)
    statement = insert_into(connection, target_pace_table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "target"}
    connection.execute(statement.on_conflict_do_update(index_elements=["target"], set_=changed))


def admit(pace: Pace, target: MessageTarget, wanted: int, at: datetime) -> int:
    """Return how many of so many messages the rate of a target lets through now."""
    if target.per_minute is None:
        return wanted
    apart = _apart(target)
    return min(wanted, floor((at - _earliest(pace, target, at)) / apart + 1e-9))


def admitted(pace: Pace, target: MessageTarget, count: int, at: datetime) -> Pace:
    """Return the pace after so many messages were let through."""
    if target.per_minute is None:
        return pace
    return replace(pace, next=_earliest(pace, target, at) + count * _apart(target))


def _apart(target: MessageTarget) -> timedelta:
    return timedelta(minutes=1) / (target.per_minute or 1)


def _earliest(pace: Pace, target: MessageTarget, at: datetime) -> datetime:
    """Return from when on the rate counts: a target that was idle may get a second's worth at once, or one message."""
    burst = max(1, (target.per_minute or 1) // 60) * _apart(target)
    return max(pace.next or at - burst, at - burst)
