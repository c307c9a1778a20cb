"""Pauses: jobs whose slots nobody begins until somebody resumes them; they are made up for as the job says."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError
from ingest.statement import insert_into
from service.audit.record import Entry, Subject
from service.audit.trail import append
from service.jobs.tables import job_pause_table


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused a job, when and why."""

    job: str
    since: datetime
    by: str
    why: str


def pauses(connection: Connection) -> dict[str, Pause]:
    """Return the jobs that are paused."""
    return {row.job: Pause(row.job, row.since, row.by, row.why) for row in connection.execute(select(job_pause_table))}


def pause(connection: Connection, job: str, *, by: str, why: str, at: datetime) -> Pause:
    """Let nobody begin what is due of a job; a run that a worker is at goes on, and people can still run it by hand.

    Raises
    ------
    IllegalTransitionError
        If it is paused already.
    """
    paused = Pause(job, at, by, why)
    new = insert_into(connection, job_pause_table).on_conflict_do_nothing().returning(job_pause_table.c.job)
    if connection.execute(new, asdict(paused)).first() is None:
        held = pauses(connection)[job]
        raise IllegalTransitionError(
            f"job {job!r} is paused since {held.since:%Y-%m-%d %H:%M} UTC, by {held.by} ({held.why})"
        )
    append(connection, [Entry(at=at, by=by, subject=Subject.JOB, name=job, what="paused", why=why)])
    return paused


def resume(connection: Connection, job: str, *, by: str, at: datetime) -> None:
    """Let the slots of a job be begun again.

    Raises
    ------
    IllegalTransitionError
        If it is not paused.
    """
    if connection.execute(delete(job_pause_table).where(job_pause_table.c.job == job)).rowcount != 1:
        raise IllegalTransitionError(f"job {job!r} is not paused")
    append(connection, [Entry(at=at, by=by, subject=Subject.JOB, name=job, what="resumed")])
