"""What can be wrong with jobs: missed, late, failed, or unknown."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from ingest.errors import ScheduleError
from ingest.plant import Job
from service.database import Moment
from service.jobs import ledger
from service.jobs.pause import pauses
from service.jobs.run import Origin, RunState
from service.jobs.schedule import latest_slot
from service.jobs.tables import run_table
from service.watchdog.trouble import Sight, Trouble, TroubleKind

_RUN = run_table.c
LOOKS_BACK = timedelta(days=35)
"""A slot that is longer ago than that is no longer asked for."""


def missed_runs(sight: Sight) -> Iterator[Trouble]:
    """Yield the jobs of which a slot was due long ago and nobody began it, or whose worker left it."""
    paused, before = pauses(sight.connection), sight.at - sight.plant.watchdog.missed_after
    for job in _scheduled(sight):
        if job.name in paused:
            continue
        # What fills in the past was due long before anybody asked for it.
        waits = and_(
            _RUN.state == RunState.WAITING,
            _RUN.origin != Origin.BACK_FILL,
            func.coalesce(_RUN.due, _RUN.slot, type_=Moment) < before,
        )
        left = and_(_RUN.state == RunState.RUNNING, _RUN.lease_until < before)
        query = select(func.min(_RUN.slot), func.count()).where(_RUN.job == job.name, or_(waits, left))
        oldest, count = sight.connection.execute(query).one()
        if count:
            others = f" and {count - 1} more" if count > 1 else ""
            yield Trouble(
                TroubleKind.MISSED_RUN,
                job.name,
                f"job {job.name!r}: nobody did slot {_local(sight, oldest)}{others}; does 'andon serve' run with jobs?",
            )
        elif (slot := _not_entered(sight, job, before)) is not None:
            yield Trouble(
                TroubleKind.MISSED_RUN,
                job.name,
                f"job {job.name!r}: nobody entered slot {_local(sight, slot)}; does 'andon serve' run with jobs?",
            )


def missed_deadlines(sight: Sight) -> Iterator[Trouble]:
    """Yield the jobs whose newest slot with a deadline that is over is not done."""
    for job in _scheduled(sight):
        slot = _slot_due_by(job, sight.plant.zone, sight.at)
        if slot is None or not _known(sight.connection, job, slot):
            continue
        done = and_(_RUN.job == job.name, _RUN.slot >= slot, _RUN.state == RunState.DONE)
        if not sight.connection.scalar(select(func.count()).where(done)):
            yield Trouble(
                TroubleKind.DEADLINE,
                job.name,
                f"job {job.name!r}: slot {_local(sight, slot)} is not done by {job.done_by}; 'andon jobs runs --job "
                f"{job.name}' says how far it is",
            )


def failed_runs(sight: Sight) -> Iterator[Trouble]:
    """Yield the jobs whose newest run that ended has failed, after all its retries."""
    for job in sight.plant.jobs:
        ended = ledger.list_runs(sight.connection, job=job.name, states=(RunState.DONE, RunState.FAILED), limit=20)
        newest = max(ended, key=lambda run: run.ended or run.slot, default=None)
        if newest is not None and newest.state is RunState.FAILED:
            yield Trouble(
                TroubleKind.FAILED_RUN, job.name, f"job {job.name!r}: run {newest.id} failed: {newest.outcome}"
            )


def unknown_jobs(sight: Sight) -> Iterator[Trouble]:
    """Yield the jobs that have something to do in the ledger and do not stand in the plant file."""
    known = {job.name for job in sight.plant.jobs}
    for job, count in ledger.unfinished(sight.connection).items():
        if job not in known:
            yield Trouble(
                TroubleKind.UNKNOWN_JOB,
                job,
                f"job {job!r} has {count} runs to do and stands in the plant file no more; put it back there, or let "
                f"go of them: andon jobs retire {job}",
            )


def deadline_of(job: Job, zone: ZoneInfo, slot: datetime) -> datetime | None:
    """Return by when a slot has to be done: the first moment after it at which clocks show ``done_by``.

    Examples
    --------
    >>> from datetime import UTC
    >>> nightly = Job(name="look", action="score", cron="0 2 * * *", done_by="05:30")
    >>> str(deadline_of(nightly, ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, 1, tzinfo=UTC)))
    '2026-01-01 04:30:00+00:00'
    """
    if job.done_by is None:
        return None
    day = slot.astimezone(zone).date()
    clock = time.fromisoformat(job.done_by)
    moments = (datetime.combine(day + timedelta(days=each), clock, zone) for each in (0, 1))
    return next(each for each in (moment.astimezone(slot.tzinfo) for moment in moments) if each > slot)


def _slot_due_by(job: Job, zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return the newest slot whose deadline is over."""
    if job.done_by is None:
        return None
    until = at
    # A deadline is a day and an hour after its slot at most.
    for _ in range(_MOST_SLOTS_A_DAY):
        slot = latest_slot(job, zone, at - LOOKS_BACK, until)
        if slot is None:
            return None
        deadline = deadline_of(job, zone, slot)
        if deadline is not None and deadline <= at:
            return slot
        until = slot - timedelta(microseconds=1)
    return None


_MOST_SLOTS_A_DAY = 2 * 24 * 60


def _scheduled(sight: Sight) -> list[Job]:
    return [job for job in sight.plant.jobs if job.cron is not None or job.every is not None]


def _not_entered(sight: Sight, job: Job, before: datetime) -> datetime | None:
    newest = ledger.newest_slot(sight.connection, job.name)
    if newest is None or newest >= before:
        return None
    try:
        return latest_slot(job, sight.plant.zone, max(newest, sight.at - LOOKS_BACK), before)
    except ScheduleError:
        return None


def _known(connection: Connection, job: Job, slot: datetime) -> bool:
    """Return whether the ledger knew the job by a slot: a job that is new has missed nothing before."""
    scheduled = and_(_RUN.job == job.name, _RUN.origin == Origin.SCHEDULE, _RUN.slot <= slot)
    return connection.execute(select(func.count()).where(scheduled)).scalar_one() > 0


def _local(sight: Sight, moment: datetime) -> str:
    return f"{moment.astimezone(sight.plant.zone):%Y-%m-%d %H:%M}"
