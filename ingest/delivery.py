"""◆ A delivery: what a source hands over at once, and is acknowledged for at once."""

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from ingest.dead_letter import DeadLetter
from ingest.reading import Readings
from ingest.report import Rejection
from ingest.turned_away import TurnedAway

Remembered = Literal["always", "key", "body"]
"""How long a position is known: for ever, or while it is among the newest keys or hashes of bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Readings, events and what could not be used, from one source; all of it becomes durable, or none.

    Attributes
    ----------
    source : who sends it: a stream's name in the plant file, ``api``
    readings : one table for each machine class that has any
    events : with ``EVENT_COLUMNS``; ``None`` when there are none
    rejections : rows and cells turned away, for a person to look at
    position : what the source calls this delivery, such as an idempotency key; a position that is known
        changes nothing. Empty: always kept; equal readings are one reading all the same.
    remembered : how long the position is known
    digest : of what came, so that another content under a known position is noticed
    notes : what the source wants to find again after a restart, such as how far each partition has been
        read; each replaces the note of its name, in the same transaction as the readings
    dead_letters : what could not be understood, with its bytes, to be tried again
    turned_away : cells that were turned away, by the machine, signal and day that they belong to
    replayed : numbers of dead letters that are understood by now and that this delivery stands for
    """

    source: str
    readings: tuple[Readings, ...] = ()
    events: pd.DataFrame | None = None
    rejections: tuple[Rejection, ...] = ()
    position: str = ""
    remembered: Remembered = "always"
    digest: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    dead_letters: tuple[DeadLetter, ...] = ()
    turned_away: TurnedAway = field(default_factory=TurnedAway)
    replayed: tuple[int, ...] = ()

    @property
    def cells(self) -> int:
        """Size of the readings, in cells of their tables."""
        return sum(each.table.num_rows * each.table.num_columns for each in self.readings)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Says that a delivery is on disk.

    Attributes
    ----------
    fresh : ``False`` if the delivery's position was known, so that nothing changed
    other : whether that position was known of another content
    """

    fresh: bool
    other: bool = False


def settle(future: Future[Receipt], outcome: Receipt | Exception) -> None:
    """Tell whoever waits for a delivery what became of it; nobody may wait any more."""
    with contextlib.suppress(InvalidStateError):
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def other_content(position: str) -> str:
    """Say that a position was known of another content."""
    return f"{position!r} came before with another content; nothing was kept: send this one under a name of its own"
