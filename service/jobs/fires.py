"""Fires: when a job runs next, in local time and UTC, and what holds it back now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy.engine import Connection

from ingest.plant import Job, Plant
from service.jobs import ledger
from service.jobs.pause import pauses
from service.jobs.run import RunState
from service.jobs.schedule import slots

_END = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fire:
    """One slot ahead: the same moment in UTC and on the plant's clocks."""

    utc: datetime
    local: datetime


def next_fires(job: Job, plant: Plant, after: datetime, count: int) -> list[Fire]:
    """Return the next slots of a job; fewer if there are no more, none for a job that only people run.

    Raises
    ------
    ScheduleError
        If its schedule cannot be read.
    """
    if job.cron is None and job.every is None:
        return []
    ahead = islice(slots(job, plant.zone, after, _END), count)
    return [Fire(slot, slot.astimezone(plant.zone)) for slot in ahead]


def held_back(connection: Connection, plant: Plant, job: Job) -> list[str]:
    """Return one line for each thing that keeps a run of a job from beginning at once."""
    lines = []
    if job.name in (paused := pauses(connection)):
        why = paused[job.name]
        lines.append(f"paused since {why.since:%Y-%m-%d %H:%M} UTC by {why.by} ({why.why})")
    at_work = ledger.list_runs(connection, states=(RunState.RUNNING,))
    lines += [f"run {run.id} of it is being worked on by {run.worker}" for run in at_work if run.job == job.name]
    for pool in plant.pools:
        others = [run.job for run in at_work if run.job in {each.name for each in plant.jobs if each.pool == pool.name}]
        if pool.name == job.pool and len(others) >= pool.at_once:
            lines.append(f"pool {pool.name!r} is full: {', '.join(others)}")
    return lines
