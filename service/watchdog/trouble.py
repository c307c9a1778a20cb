"""Trouble: one thing that is wrong with Andon itself, and what looking for it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.engine import Connection

from ingest.plant import Plant
from ingest.store import Store


class TroubleKind(StrEnum):
    """What can be wrong; one alarm of each kind and matter goes on at once."""

    MISSED_RUN = "missed run"
    DEADLINE = "missed deadline"
    FAILED_RUN = "failed run"
    UNKNOWN_JOB = "unknown job"
    SILENT_SOURCE = "silent source"
    FAILED_DELIVERY = "failed delivery"
    CLOCK_STEP = "clock step"
    FULL_DISK = "disk nearly full"
    SILENT_WATCH = "nobody watches"
    FAILED_CHECK = "check failed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong.

    Attributes
    ----------
    about : the job, machine class, target, worker or folder
    sentence : what is wrong, since when, and where to look
    """

    kind: TroubleKind
    about: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Room:
    """A disk's room.

    Attributes
    ----------
    total, free : bytes
    """

    total: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the checks see.

    Attributes
    ----------
    connection : the state as of one moment; it is only read
    step : when a clock last stepped and by how many seconds; ``None`` if that is long ago
    room_of : says how much room the disk of a folder has
    """

    plant: Plant
    store: Store
    connection: Connection
    at: datetime
    step: tuple[datetime, float] | None
    room_of: Callable[[Path], Room]
