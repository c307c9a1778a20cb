"""Planning: which slots the ledger should hold, now, after an outage, for the past, and by hand."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ingest.errors import ScheduleError
from ingest.plant import Job
from service.audit.record import ANDON, Entry, Subject
from service.audit.trail import append
from service.jobs import ledger
from service.jobs.ledger import Origin, Run
from service.jobs.schedule import latest_slot, next_slot, slots

ON_TIME = timedelta(minutes=1)
"""With ``catch_up = "none"`` a slot that nobody could begin within this time is left out."""


def up_to_date(connection: Connection, job: Job, zone: ZoneInfo, *, at: datetime) -> bool:
    """Return whether the ledger holds the job's next slot and none before it is left; nothing is changed."""
    newest = ledger.newest_slot(connection, job.name)
    return newest is not None and newest == next_slot(job, zone, at)


def enter_slots(connection: Connection, job: Job, zone: ZoneInfo, *, at: datetime) -> None:
    """Enter a job's slots up to ``at`` and the next one after it.

    A job that was never seen begins with its next slot. Slots that came while nobody was there are
    made up for as the job says: ``all`` of them; only the ``latest``, which stands for all; or
    ``none``. A slot that is left out although it stood in the ledger is marked as skipped, with the
    reason.
    """
    newest = ledger.newest_slot(connection, job.name)
    if newest is not None and newest < at:
        if job.catch_up == "all":
            missed = list(slots(job, zone, newest, at))
        else:
            last = latest_slot(job, zone, newest, at)
            missed = [] if last is None else [last]
        ledger.plan(connection, job.name, missed, origin=Origin.SCHEDULE)
    due = ledger.waiting(connection, job.name, until=at)
    if job.catch_up == "latest" and len(due) > 1:
        why = f"missed; slot {due[-1].slot.astimezone(zone):%Y-%m-%d %H:%M} makes up for it"
        ledger.skip(connection, due[:-1], why=why, at=at)
    if job.catch_up == "none":
        late = [run for run in due if run.slot < at - ON_TIME]
        ledger.skip(connection, late, why="missed, and the job makes up for nothing", at=at)
    ahead = next_slot(job, zone, at)
    ledger.drop_ahead(connection, job.name, after=at, keep=ahead)
    if ahead is not None:
        ledger.plan(connection, job.name, [ahead], origin=Origin.SCHEDULE)


def back_fill(
    connection: Connection, job: Job, zone: ZoneInfo, start: datetime, end: datetime, *, at: datetime, by: str = ANDON
) -> int:
    """Enter all slots of a job in (start, end] that were never done, and return how many.

    Skipped and failed ones are set to waiting again; done ones stay done.

    Raises
    ------
    ScheduleError
        If the span is empty or lies ahead.
    """
    if not start < end <= at:
        raise ScheduleError(
            f"cannot back-fill job {job.name!r} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; "
            "the start must come before the end and the end must not lie ahead"
        )
    wanted = list(slots(job, zone, start, end))
    count = ledger.again(connection, job.name, wanted)
    count += ledger.plan(connection, job.name, wanted, origin=Origin.BACK_FILL)
    detail = {"start": start.isoformat(), "end": end.isoformat(), "entered": count}
    append(
        connection,
        [Entry(at=at, by=by, subject=Subject.JOB, name=job.name, what=Origin.BACK_FILL.value, detail=detail)],
    )
    return count


def run_now(connection: Connection, job: Job, *, at: datetime, by: str = ANDON) -> Run:
    """Enter a run of a job at this moment, asked for by a person; the next tick takes it."""
    if ledger.plan(connection, job.name, [at], origin=Origin.BY_HAND):
        append(connection, [Entry(at=at, by=by, subject=Subject.JOB, name=job.name, what="run now")])
    return ledger.of_slot(connection, job.name, at)
