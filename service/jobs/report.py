"""The report: one page of Markdown about the plant as of a moment."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ingest.plant import Job
from service.alerts.alert import Alert, AlertState
from service.alerts.book import list_alerts
from service.alerts.rank import where_to_look_first
from service.alerts.record import track_record
from service.control_room import ControlRoom
from service.jobs.ledger import RunState, list_runs
from service.jobs.schedule import latest_slot

_LONGEST_LOOK_BACK = 366


def write_report(room: ControlRoom, job: Job, slot: datetime) -> Path:
    """Write the page to ``reports/`` in the data folder, whole or not at all, and return its path."""
    folder = room.plant.data_folder / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-") or "report"
    path = folder / f"{plain}-{slot:%Y%m%dT%H%M%SZ}.md"
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text("\n".join(_lines(room, job, slot)) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def _lines(room: ControlRoom, job: Job, slot: datetime) -> Iterator[str]:
    plant = room.plant
    begin = _begin(room, job, slot)
    with room.state.read() as connection:
        alerts = [alert for alert in list_alerts(connection, states=tuple(AlertState)) if alert.raised_at <= slot]
        failed = list_runs(connection, states=(RunState.FAILED,), limit=1000)
        records = [
            track_record(connection, entry.name, room.registry.load(entry.name).card)
            for entry in plant.models
            if room.registry.live(entry.name) is not None
        ]
    yield f"# {plant.name}"
    yield ""
    yield f"From {_local(room, begin)} to {_local(room, slot)} ({plant.time_zone})."
    yield ""
    yield "## Where to look first"
    yield ""
    ranked = where_to_look_first(
        [alert for alert in alerts if _open_at(alert, slot)], plant.costs, slot, room.registry.card
    )
    yield from (f"{place}. {each.alert.sentence} – {each.why}" for place, each in enumerate(ranked, start=1))
    if not ranked:
        yield "Nothing needs a look."
    yield ""
    yield "## In this time"
    yield ""
    yield f"- alerts raised: {sum(begin < alert.raised_at for alert in alerts)}"
    for alert in alerts:
        if alert.verdict is not None and alert.closed_at is not None and begin < alert.closed_at <= slot:
            about = f"{alert.number} ({alert.machine}, {alert.cause})"
            yield f"- alert {about}: {alert.verdict.value}, by {alert.closed_by}"
    for run in failed:
        if run.ended is not None and begin < run.ended <= slot:
            yield f"- job {run.job}, slot {_local(room, run.slot)}, failed: {run.outcome}"
    yield ""
    yield "## Track record"
    yield ""
    yield from (f"- {record.model}: {record.sentence}" for record in records)
    if not records:
        yield "No model has been trained yet."


def _begin(room: ControlRoom, job: Job, slot: datetime) -> datetime:
    if job.cron is None and job.every is None:
        return slot - timedelta(days=1)
    earliest, just_before = slot - timedelta(days=_LONGEST_LOOK_BACK), slot - timedelta(seconds=1)
    return latest_slot(job, room.plant.zone, earliest, just_before) or earliest


def _open_at(alert: Alert, moment: datetime) -> bool:
    return alert.live and alert.raised_at <= moment


def _local(room: ControlRoom, moment: datetime) -> str:
    return f"{moment.astimezone(room.plant.zone):%Y-%m-%d %H:%M}"
