"""Planning: which slots the ledger should hold, now, after an outage, for the past, and by hand."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ingest.duration import format_duration
from ingest.errors import ScheduleError, UnknownNameError
from ingest.plant import Job
from service.audit.record import ANDON, Entry, Subject
from service.audit.trail import append
from service.jobs import ledger
from service.jobs.asked import Filling
from service.jobs.run import Origin, Run
from service.jobs.schedule import latest_slot, next_slot, slots

ON_TIME = timedelta(minutes=1)
"""With ``catch_up = "none"`` a slot that nobody could begin within this time is left out."""
MOST_SLOTS = 10_000
"""Slots that a back-fill enters at once."""


def up_to_date(connection: Connection, job: Job, zone: ZoneInfo, *, at: datetime) -> bool:
    """Return whether the ledger holds the job's next slot and none before it is left; nothing is changed."""
    newest = ledger.newest_slot(connection, job.name)
    return newest is not None and newest == next_slot(job, zone, at)


def enter_slots(connection: Connection, job: Job, zone: ZoneInfo, *, at: datetime) -> None:
    """Enter a job's slots up to ``at`` and the next one after it.

    A job that was never seen begins with its next slot. Slots that came while nobody was there are
    made up for as the job says: ``all`` of them; only the ``latest``, which stands for all; or
    ``none``; and none that is older than ``catch_up_within``. A slot that is left out although it stood
    in the ledger is marked as skipped, with the reason.
    """
    newest = ledger.newest_slot(connection, job.name)
    oldest = datetime.min.replace(tzinfo=UTC) if job.catch_up_within is None else at - job.catch_up_within
    wait = None if job.complete is None else job.wait
    if newest is not None and newest < at:
        since = max(newest, oldest)
        if job.catch_up == "all":
            missed = list(slots(job, zone, since, at))
        else:
            last = latest_slot(job, zone, since, at)
            missed = [] if last is None else [last]
        ledger.plan(connection, job.name, missed, origin=Origin.SCHEDULE, wait=wait)
    due = ledger.waiting(connection, job.name, until=at)
    old = [run for run in due if run.slot < oldest]
    if old:
        ledger.skip(connection, old, why=f"missed, and older than {format_duration(at - oldest)} by now", at=at)
    due = [run for run in due if run.slot >= oldest]
    if job.catch_up == "latest" and len(due) > 1:
        why = f"missed; slot {due[-1].slot.astimezone(zone):%Y-%m-%d %H:%M} makes up for it"
        ledger.skip(connection, due[:-1], why=why, at=at)
    if job.catch_up == "none":
        late = [run for run in due if (run.due or run.slot) < at - ON_TIME]
        ledger.skip(connection, late, why="missed, and the job makes up for nothing", at=at)
    ahead = next_slot(job, zone, at)
    ledger.drop_ahead(connection, job.name, after=at, keep=ahead)
    if ahead is not None:
        ledger.plan(connection, job.name, [ahead], origin=Origin.SCHEDULE, wait=wait)


def back_fill(
    connection: Connection, job: Job, zone: ZoneInfo, start: datetime, end: datetime, *, at: datetime, by: str = ANDON
) -> int:
    """Enter all slots of a job in (start, end] that were never done, and return how many.

    Skipped and failed ones are set to waiting again; done ones stay done.

    Raises
    ------
    ScheduleError
        If the span is empty or lies ahead, or has more slots than can be entered at once.
    """
    _refuse_no_past(job, start, end, at)
    wanted = _slots_of_span(job, zone, start, end)
    count = ledger.again(connection, job.name, wanted)
    count += ledger.plan(connection, job.name, wanted, origin=Origin.BACK_FILL)
    detail = {"start": start.isoformat(), "end": end.isoformat(), "entered": count}
    append(connection, [_entry(job.name, Origin.BACK_FILL.value, at=at, by=by, detail=detail)])
    return count


def make_up_for(
    connection: Connection, job: Job, zone: ZoneInfo, filling: Filling, *, at: datetime, by: str = ANDON
) -> int:
    """Enter what does a job's work for a span of the past, and return how many runs.

    A job that scores gets one run, which goes through the span chunk by chunk; any other the slots of its schedule.

    Raises
    ------
    ScheduleError
        If the span is empty or lies ahead, or the job can do nothing for the past but raise alerts that nobody asked
        for.
    """
    count_made_up_for(job, zone, filling, at=at)
    if job.action != "score":
        return back_fill(connection, job, zone, filling.start, filling.end, at=at, by=by)
    asked = filling.to_dict()
    count = ledger.plan(connection, job.name, [at], origin=Origin.BACK_FILL, parameters=asked)
    append(connection, [_entry(job.name, Origin.BACK_FILL.value, at=at, by=by, detail={**asked, "entered": count})])
    return count


def count_made_up_for(job: Job, zone: ZoneInfo, filling: Filling, *, at: datetime) -> int:
    """Return how many chunks or slots ``make_up_for`` goes through, done or not; errors alike."""
    _refuse_no_past(job, filling.start, filling.end, at)
    if job.action == "score":
        return filling.chunks[1]
    if job.action == "losses" and not filling.alerts:
        raise ScheduleError(f"job {job.name!r} only raises alerts; ask for alerts on history, or do not back-fill it")
    return len(_slots_of_span(job, zone, filling.start, filling.end))


def run_now(
    connection: Connection, job: Job, *, at: datetime, by: str = ANDON, parameters: Mapping[str, Any] | None = None
) -> Run:
    """Enter a run of a job at this moment, asked for by a person; the next tick takes it.

    Parameters
    ----------
    parameters : what is asked for beside what the job says, see ``service.jobs.asked``
    """
    if ledger.plan(connection, job.name, [at], origin=Origin.BY_HAND, parameters=parameters):
        append(connection, [_entry(job.name, "run now", at=at, by=by, detail=parameters)])
    return ledger.of_slot(connection, job.name, at)


def retire(connection: Connection, job: str, known: Collection[str], *, at: datetime) -> int:
    """Skip what is unfinished of a job that left the plant file, and return how many runs; the record of it is kept.

    Raises
    ------
    ScheduleError
        If the plant file has the job.
    UnknownNameError
        If nothing of it is unfinished.
    """
    if job in known:
        raise ScheduleError(f"job {job!r} stands in the plant file; pause it: andon jobs pause {job}")
    count = ledger.abandon(connection, job, why="its job left the plant file", at=at)
    if not count:
        raise UnknownNameError(f"nothing of a job {job!r} is unfinished in the ledger")
    return count


def _entry(job: str, what: str, *, at: datetime, by: str, detail: Mapping[str, Any] | None = None) -> Entry:
    return Entry(at=at, by=by, subject=Subject.JOB, name=job, what=what, detail=dict(detail or {}))


def _refuse_no_past(job: Job, start: datetime, end: datetime, at: datetime) -> None:
    if not start < end <= at:
        raise ScheduleError(
            f"cannot back-fill job {job.name!r} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; "
            "the start must come before the end and the end must not lie ahead"
        )


def _slots_of_span(job: Job, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    wanted = list(islice(slots(job, zone, start, end), MOST_SLOTS + 1))
    if len(wanted) > MOST_SLOTS:
        raise ScheduleError(
            f"job {job.name!r} has more than {MOST_SLOTS:,} slots in this span; back-fill a shorter one, "
            f"such as to {wanted[-2]:%Y-%m-%d %H:%M} UTC"
        )
    return wanted
