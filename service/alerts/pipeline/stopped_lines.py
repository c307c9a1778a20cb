"""Production lines that stand, by what their machines tell; nobody is called about their machines meanwhile."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from features.production.bucket import RUNNING, UNKNOWN
from features.production.told import words_of
from ingest.database import Database
from ingest.errors import AndonError
from ingest.history import History
from ingest.plant import Plant
from service.alerts.pipeline.scene import StoppedLine
from service.alerts.pipeline.tables import stopped_line_table

LOOKS_BACK = timedelta(days=7)
"""What was told longer ago says nothing about now."""
LASTS = timedelta(hours=1)
"""How long it is believed that no round says again: if rounds stop, people are called."""
LEAST = 2
"""A line of which fewer machines tell what they do is never taken to stand."""


def stopped_lines_at(plant: Plant, history: History, at: datetime) -> dict[str, StoppedLine]:
    """Return the lines that stand: all machines that tell what they do stand, and at least two tell.

    A machine stands while the newest state it told means something else than running, or a stop lasts; a stop whose end
    is not told lasts until the machine tells something else. One that never told anything is not asked; one that tells
    a word that nobody explained is taken to run.
    """
    lines: dict[str, list[str]] = {}
    for machine in plant.machines:
        if machine.line:
            lines.setdefault(machine.line, []).append(machine.name)
    asked = [name for names in lines.values() if len(names) >= LEAST for name in names]
    if not asked:
        return {}
    events = history.events(machines=asked, kinds=["state", "stop"], start=at - LOOKS_BACK, end=at)
    told: dict[str, datetime | None] = {
        str(machine): _stands_since(own, words_of(plant, str(machine)), at)
        for machine, own in events.groupby("machine", sort=False)
    }
    stopped = {}
    for line, names in lines.items():
        begins = [told[name] for name in names if name in told]
        since = [each for each in begins if each is not None]
        if len(since) >= LEAST and len(since) == len(begins):
            stopped[line] = StoppedLine(max(since), f"all {len(since)} machines that tell what they do stand")
    return stopped


def keep_stopped_lines(plant: Plant, history: History, state: Database, *, at: datetime) -> list[str]:
    """Keep which lines stand, as of a round; return what failed, one line each.

    Nothing is written where none stands and none stood.
    """
    try:
        found = stopped_lines_at(plant, history, at)
    except AndonError as error:
        return [f"stopped lines: {error}"]
    with state.read() as connection:
        known = connection.execute(select(stopped_line_table.c.line)).first() is not None
    if found or known:
        with state.write() as connection:
            _replace(connection, found, at)
    return []


def _replace(connection: Connection, found: Mapping[str, StoppedLine], at: datetime) -> None:
    connection.execute(delete(stopped_line_table))
    rows = [{"line": line, "since": each.since, "until": at + LASTS, "why": each.why} for line, each in found.items()]
    if rows:
        connection.execute(insert(stopped_line_table), rows)


def _stands_since(events: pd.DataFrame, words: Mapping[str, int], at: datetime) -> datetime | None:
    """Return since when a machine stands, by its own events; ``None`` where it runs."""
    lasting = events[(events["time"] <= at) & (events["end"].isna() | (events["end"] > at))]
    rows: list[Any] = lasting.sort_values("time", kind="stable").to_dict("records")
    stops = [row for row in rows if row["kind"] == "stop" and (row is rows[-1] or not pd.isna(row["end"]))]
    begins = [row["time"].to_pydatetime() for row in stops]
    states = [row for row in rows if row["kind"] == "state"]
    if states and words.get(states[-1]["code"], UNKNOWN) not in (RUNNING, UNKNOWN):
        begins.append(states[-1]["time"].to_pydatetime())
    return min(begins, default=None)
