"""The ledger: every slot of every job, who runs it, and how it went. It alone decides what runs.

A worker claims a run for the length of a lease and gets a token. If it falls silent, its lease runs
out, another worker claims the run with a higher token, and the first one's late ``finish`` is
refused: so each slot is completed exactly once, whoever is killed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from ingest.errors import ScheduleError, UnknownNameError
from ingest.statement import insert_into
from service.database import run_table

MOST_CLAIMS = 5
"""A run is given to so many workers, one after the other; when it is set to waiting again, to as many anew."""


class RunState(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Origin(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    BACK_FILL = "back-fill"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One slot of one job.

    Attributes
    ----------
    slot : the moment that the run stands for; its work sees the plant as of then
    token : counts the claims, each row of them from a multiple of ``MOST_CLAIMS``, and never falls; only
        the newest claim may renew or finish
    lease_until : other workers leave the run alone until then
    outcome : one line: what was done, why it failed, or why it was skipped
    rows, machines, models : how much it worked on, ``None`` and empty where that means nothing
    cpu_seconds : processor time of the worker's process and its children while it ran
    peak_memory : highest memory of the worker's process so far, in bytes
    log : details, as the action wrote them
    """

    id: int
    job: str
    slot: datetime
    origin: Origin
    state: RunState
    token: int
    worker: str
    lease_until: datetime | None
    started: datetime | None
    ended: datetime | None
    outcome: str
    rows: int | None
    machines: int | None
    models: tuple[str, ...]
    cpu_seconds: float | None
    peak_memory: int | None
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run; ``failed`` when ``state`` says so."""

    state: RunState = RunState.DONE
    summary: str
    rows: int | None = None
    machines: int | None = None
    models: tuple[str, ...] = ()
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    log: str = ""


def plan(connection: Connection, job: str, slots: Sequence[datetime], *, origin: Origin) -> int:
    """Enter slots as waiting and return how many are new; slots in the ledger are left as they are."""
    if not slots:
        return 0
    new = insert_into(connection, run_table).on_conflict_do_nothing(index_elements=["job", "slot"])
    statement = new.returning(run_table.c.id)
    same = {"job": job, "origin": origin, "state": RunState.WAITING}
    return sum(len(connection.execute(statement, {**same, "slot": slot}).all()) for slot in slots)


def again(connection: Connection, job: str, slots: Sequence[datetime]) -> int:
    """Set skipped and failed runs of these slots to waiting, and return how many there were.

    Each gets a token that nobody ever held, from which its claims are counted anew.
    """
    result = connection.execute(
        update(run_table)
        .where(
            run_table.c.job == job,
            run_table.c.slot.in_(slots),
            run_table.c.state.in_([RunState.SKIPPED.value, RunState.FAILED.value]),
        )
        .values(
            state=RunState.WAITING,
            origin=Origin.BACK_FILL,
            token=(run_table.c.token // MOST_CLAIMS + 1) * MOST_CLAIMS,
            outcome="",
            lease_until=None,
        )
    )
    return result.rowcount


def skip(connection: Connection, runs: Sequence[Run], *, why: str, at: datetime) -> None:
    """Leave out runs that are waiting."""
    connection.execute(
        update(run_table)
        .where(run_table.c.id.in_([run.id for run in runs]), run_table.c.state == RunState.WAITING)
        .values(state=RunState.SKIPPED, outcome=why, ended=at)
    )


def due(connection: Connection, *, jobs: Sequence[str], at: datetime) -> int | None:
    """Return the id of the run that ``claim`` would take; nothing is changed."""
    busy = select(run_table.c.job).where(run_table.c.state == RunState.RUNNING, run_table.c.lease_until > at)
    ready = or_(
        and_(run_table.c.state == RunState.WAITING, run_table.c.slot <= at),
        and_(run_table.c.state == RunState.RUNNING, run_table.c.lease_until <= at),
    )
    query = select(run_table.c.id).where(run_table.c.job.in_(jobs), ready, run_table.c.job.not_in(busy))
    return connection.scalar(query.order_by(run_table.c.slot, run_table.c.id).limit(1))


def claim(connection: Connection, *, jobs: Sequence[str], worker: str, at: datetime, lease: timedelta) -> Run | None:
    """Take the oldest due run of these jobs, or ``None`` if nothing is due.

    A run is due when it is waiting and its slot has come, or when its worker's lease has run out.
    While one run of a job is being worked on, no other run of that job is due. A run that has cost
    ``MOST_CLAIMS`` workers their lives is failed instead of given to the next one.
    """
    silent = and_(run_table.c.state == RunState.RUNNING, run_table.c.lease_until <= at)
    connection.execute(
        update(run_table)
        .where(silent, run_table.c.job.in_(jobs), run_table.c.token % MOST_CLAIMS == 0)
        .values(
            state=RunState.FAILED,
            ended=at,
            lease_until=None,
            outcome=f"its worker fell silent {MOST_CLAIMS} times; not tried again",
        )
    )
    found = due(connection, jobs=jobs, at=at)
    if found is None:
        return None
    connection.execute(
        update(run_table)
        .where(run_table.c.id == found)
        .values(state=RunState.RUNNING, worker=worker, token=run_table.c.token + 1, started=at, lease_until=at + lease)
    )
    return show(connection, found)


def renew(connection: Connection, run: Run, *, at: datetime, lease: timedelta) -> None:
    """Keep a claimed run for another lease.

    Raises
    ------
    ScheduleError
        If another worker has taken it over.
    """
    _own(connection, run, {"lease_until": at + lease})


def finish(connection: Connection, run: Run, outcome: Outcome, *, at: datetime) -> None:
    """Complete a claimed run.

    Raises
    ------
    ScheduleError
        If another worker has taken it over; nothing is written then.
    """
    _own(
        connection,
        run,
        {
            "state": outcome.state,
            "ended": at,
            "lease_until": None,
            "outcome": outcome.summary,
            "rows": outcome.rows,
            "machines": outcome.machines,
            "models": json.dumps(outcome.models, ensure_ascii=False),
            "cpu_seconds": outcome.cpu_seconds,
            "peak_memory": outcome.peak_memory,
            "log": outcome.log,
        },
    )


def show(connection: Connection, number: int) -> Run:
    """Return one run.

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    row = connection.execute(select(run_table).where(run_table.c.id == number)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no run {number}; 'andon jobs' lists them")
    return _run(row)


def of_slot(connection: Connection, job: str, slot: datetime) -> Run:
    """Return the run of a slot that stands in the ledger."""
    return _run(connection.execute(select(run_table).where(run_table.c.job == job, run_table.c.slot == slot)).one())


def refuse_while_running(connection: Connection, job: str, *, at: datetime) -> None:
    """Refuse what cannot wait for a run of the job that a worker is at.

    Raises
    ------
    ScheduleError
        Saying since when it runs and who is at it.
    """
    working = and_(run_table.c.state == RunState.RUNNING, run_table.c.lease_until > at)
    row = connection.execute(select(run_table).where(run_table.c.job == job, working)).first()
    if row is not None:
        raise ScheduleError(
            f"job {job!r} is running since {row.started:%Y-%m-%d %H:%M:%S} UTC (run {row.id}, worker {row.worker}); "
            "'andon jobs runs' says when it is over"
        )


def list_runs(
    connection: Connection,
    *,
    job: str | None = None,
    states: Sequence[RunState] = tuple(RunState),
    before: int | None = None,
    ended: tuple[datetime, datetime] | None = None,
    limit: int | None = None,
) -> list[Run]:
    """Return runs, the last entered first.

    Parameters
    ----------
    before : only runs whose id is lower: the last id of the page before
    ended : only runs that ended in this span (start, end]
    """
    query = select(run_table).where(run_table.c.state.in_([state.value for state in states]))
    if job is not None:
        query = query.where(run_table.c.job == job)
    if before is not None:
        query = query.where(run_table.c.id < before)
    if ended is not None:
        query = query.where(run_table.c.ended > ended[0], run_table.c.ended <= ended[1])
    return [_run(row) for row in connection.execute(query.order_by(run_table.c.id.desc()).limit(limit))]


def waiting(connection: Connection, job: str, *, until: datetime) -> list[Run]:
    """Return scheduled runs of a job that wait and whose slot has come, oldest first."""
    query = select(run_table).where(
        run_table.c.job == job,
        run_table.c.origin == Origin.SCHEDULE,
        run_table.c.state == RunState.WAITING,
        run_table.c.slot <= until,
    )
    return [_run(row) for row in connection.execute(query.order_by(run_table.c.slot))]


def newest_slot(connection: Connection, job: str) -> datetime | None:
    """Return the latest scheduled slot of a job that stands in the ledger; it may lie ahead."""
    query = select(func.max(run_table.c.slot)).where(run_table.c.job == job, run_table.c.origin == Origin.SCHEDULE)
    return connection.scalar(query)


def drop_ahead(connection: Connection, job: str, *, after: datetime, keep: datetime | None = None) -> None:
    """Forget waiting slots after a moment, except one: a changed schedule has others."""
    ahead = and_(
        run_table.c.job == job,
        run_table.c.origin == Origin.SCHEDULE,
        run_table.c.state == RunState.WAITING,
        run_table.c.slot > after,
    )
    connection.execute(delete(run_table).where(ahead if keep is None else and_(ahead, run_table.c.slot != keep)))


def forget(connection: Connection, *, before: datetime) -> int:
    """Remove completed and skipped runs that ended earlier, and return how many."""
    over = run_table.c.state.in_([RunState.DONE.value, RunState.FAILED.value, RunState.SKIPPED.value])
    return connection.execute(delete(run_table).where(over, run_table.c.ended < before)).rowcount


def _own(connection: Connection, run: Run, changes: dict[str, Any]) -> None:
    mine = and_(run_table.c.id == run.id, run_table.c.token == run.token, run_table.c.state == RunState.RUNNING)
    if connection.execute(update(run_table).where(mine).values(**changes)).rowcount != 1:
        raise ScheduleError(
            f"run {run.id} (job {run.job!r}, slot {run.slot:%Y-%m-%d %H:%M} UTC) was taken over by another worker; "
            f"what {run.worker} did for it is not recorded"
        )


def _run(row: Row[Any]) -> Run:
    fields = dict(row._mapping)
    fields["origin"], fields["state"] = Origin(row.origin), RunState(row.state)
    fields["models"] = tuple(json.loads(row.models)) if row.models else ()
    return Run(**fields)
