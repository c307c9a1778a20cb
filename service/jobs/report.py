"""The report: one page of Markdown about the plant as of a moment."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ingest.plant import Job
from service.alerts import book
from service.alerts.alert import Alert
from service.alerts.kept_money import kept_money
from service.alerts.mutes import muted
from service.alerts.rank import where_to_look_first
from service.alerts.record import track_record
from service.control_room import ControlRoom
from service.jobs.ledger import RunState, list_runs
from service.jobs.schedule import latest_slot
from service.levels import newest_levels
from service.overview import watched

_LONGEST_LOOK_BACK = 366
MOST_LINES = 100
"""Lines of each kind; a page that nobody reads to its end says nothing."""


def write_report(room: ControlRoom, job: Job, slot: datetime) -> Path:
    """Write the page to ``reports/`` in the data folder, whole or not at all, and return its path.

    It tells what was known at the slot, whenever it is written; only the card that stands beside the
    verdicts is that of the version that is live now.
    """
    return keep_page(room, "reports", job, slot, ".md", "\n".join(_lines(room, job, slot)) + "\n")


def keep_page(room: ControlRoom, where: str, job: Job, slot: datetime, suffix: str, text: str) -> Path:
    """Write what a run found to a folder in the data folder, whole or not at all, and return its path.

    The same run again writes the same file.
    """
    folder = room.plant.data_folder / where
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-") or "report"
    path = folder / f"{plain}-{slot:%Y%m%dT%H%M%SZ}{suffix}"
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path


def _lines(room: ControlRoom, job: Job, slot: datetime) -> Iterator[str]:
    plant, registry = room.plant, room.registry
    begin = _begin(room, job, slot)
    cards = {each.model: each.card for each in registry.versions() if each.live}
    with room.state.read() as connection:
        open_then = muted(connection, book.open_at(connection, slot), slot)
        ranked = where_to_look_first(open_then, plant.costs, slot, registry.card, kept_money(connection))
        raised = book.count_raised(connection, begin, slot)
        closed = book.list_closed(connection, begin, slot, limit=MOST_LINES + 1)
        failed = list_runs(connection, states=(RunState.FAILED,), ended=(begin, slot), limit=MOST_LINES + 1)
        records = [
            track_record(connection, entry.name, cards[entry.name], until=slot)
            for entry in plant.models
            if entry.name in cards
        ]
    yield f"# {plant.name}"
    yield ""
    yield f"From {_local(room, begin)} to {_local(room, slot)} ({plant.time_zone})."
    yield ""
    yield "## Where to look first"
    yield ""
    yield from _first(
        [
            f"{place}. {each.alert.sentence or f'{each.alert.machine}: {each.alert.cause}'} – {each.why}"
            + _muted(each.alert)
            for place, each in enumerate(ranked, start=1)
        ]
    )
    if not ranked:
        yield "Nothing needs a look."
    yield ""
    unsaid = [each for each in newest_levels(room.state, watched(plant), until=slot) if each.level is None]
    if unsaid:
        yield "## Not assessed"
        yield ""
        yield from _first(
            [f"- {each.machine}: {each.reason.value} ({each.model}, {_local(room, each.time)})" for each in unsaid]
        )
        yield ""
    yield "## In this time"
    yield ""
    yield f"- alerts raised: {raised}"
    yield from _first(
        [
            f"- alert {alert.number} ({alert.machine}, {alert.cause}): {alert.verdict.value}, by {alert.closed_by}"
            for alert in closed
            if alert.verdict is not None
        ]
    )
    yield from _first([f"- job {run.job}, slot {_local(room, run.slot)}, failed: {run.outcome}" for run in failed])
    yield ""
    yield "## Track record"
    yield ""
    yield from (f"- {record.model}: {record.sentence}" for record in records)
    if not records:
        yield "No model has been trained yet."


def _muted(alert: Alert) -> str:
    return "".join(f" ({each.name} by {each.by}: {each.why})" for each in alert.mutes)


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"- and more than these {MOST_LINES}"


def _begin(room: ControlRoom, job: Job, slot: datetime) -> datetime:
    if job.cron is None and job.every is None:
        return slot - timedelta(days=1)
    earliest, just_before = slot - timedelta(days=_LONGEST_LOOK_BACK), slot - timedelta(seconds=1)
    return latest_slot(job, room.plant.zone, earliest, just_before) or earliest


def _local(room: ControlRoom, moment: datetime) -> str:
    return f"{moment.astimezone(room.plant.zone):%Y-%m-%d %H:%M}"
