"""Cells that were turned away at the door, counted for each machine, signal and day: what grades rest on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection, delete, func, select

from ingest.catalogue import TURNED_AWAY, to_microseconds
from ingest.reading import DAY
from ingest.statement import insert_into

Why = Literal["no number", "out of range"]


class Cell(NamedTuple):
    """Where cells belong that could not be used.

    Attributes
    ----------
    day : whole days since 1970, in UTC, of their event time
    """

    machine: str
    signal: str
    day: int
    why: Why


TurnedAway = Counter[Cell]
"""How many cells of each place were turned away."""


def add(connection: Connection, counts: Mapping[Cell, int], *, source: str, position: str = "") -> None:
    """Add counts of a source to those that are kept.

    Parameters
    ----------
    position : what may be read anew and is then forgotten first, such as a file's path; empty for streams
    """
    if not counts:
        return
    statement = insert_into(connection, TURNED_AWAY)
    keys = [each.name for each in TURNED_AWAY.primary_key]
    statement = statement.on_conflict_do_update(
        index_elements=keys, set_={"cells": TURNED_AWAY.c.cells + statement.excluded.cells}
    )
    place = {"source": source, "position": position}
    connection.execute(statement, [{**place, **cell._asdict(), "cells": count} for cell, count in counts.items()])


def forget(connection: Connection, *, source: str, position: str) -> None:
    """Forget what was counted at a position, before it is read anew."""
    table = TURNED_AWAY.c
    connection.execute(delete(TURNED_AWAY).where(table.source == source, table.position == position))


def read(connection: Connection, machines: Iterable[str], *, start: datetime, end: datetime) -> TurnedAway:
    """Return the counts of machines on the days of [start, end]."""
    table = TURNED_AWAY.c
    first, last = (to_microseconds(each) // DAY for each in (start, end))
    total = func.sum(table.cells)
    query = (
        select(table.machine, table.signal, table.day, table.why, total)
        .where(table.day >= first, table.day <= last)
        .group_by(table.machine, table.signal, table.day, table.why)
    )
    wanted = set(machines)
    found = (tuple(row) for row in connection.execute(query) if row.machine in wanted)
    return Counter({Cell(machine, signal, day, why): int(count) for machine, signal, day, why, count in found})
