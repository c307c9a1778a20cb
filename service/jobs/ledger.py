"""The ledger: every slot of every job, who runs it, and how it went. It alone decides what runs.

A worker claims a run for the length of a lease and gets a token. If it falls silent, its lease runs
out, another worker claims the run with a higher token, and the first one's late ``finish`` is
refused: so each slot is completed exactly once, whoever is killed. What it does is written under the
same token (see ``fence``), so that no more than one worker has an effect either.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, false, func, not_, or_, select, update
from sqlalchemy.engine import Connection

from ingest.errors import ScheduleError, UnknownNameError
from ingest.statement import insert_into
from service.database import Moment
from service.jobs.run import Origin as Origin
from service.jobs.run import Outcome as Outcome
from service.jobs.run import Run as Run
from service.jobs.run import RunState as RunState
from service.jobs.run import run_of
from service.jobs.silence import Beat
from service.jobs.tables import job_pause_table, run_table

MOST_CLAIMS = 5
"""A run is given to so many workers, one after the other; when it is set to waiting again, to as many anew."""
_ANEW = (run_table.c.token // MOST_CLAIMS + 1) * MOST_CLAIMS
_due_at = func.coalesce(run_table.c.due, run_table.c.slot, type_=Moment)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What keeps a run from being taken, beside its slot.

    Attributes
    ----------
    pools : jobs that share places, and how many places
    silent : heartbeats of workers that count as dead; by the lease and the clock alone where it is ``None``
    """

    pools: Sequence[tuple[frozenset[str], int]] = ()
    silent: Collection[Beat] | None = None


NO_BOUNDS = Bounds()


def plan(
    connection: Connection,
    job: str,
    slots: Sequence[datetime],
    *,
    origin: Origin,
    wait: timedelta | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Enter slots as waiting and return how many are new; slots in the ledger are left as they are.

    Parameters
    ----------
    wait : how long after its slot a run is due, unless somebody calls it due before
    parameters : what is asked for beside what the job says
    """
    if not slots:
        return 0
    new = insert_into(connection, run_table).on_conflict_do_nothing(index_elements=["job", "slot"])
    statement = new.returning(run_table.c.id)
    same = {"job": job, "origin": origin, "state": RunState.WAITING, "parameters": dict(parameters or {}) or None}
    rows = [{**same, "slot": slot, "due": None if wait is None else slot + wait} for slot in slots]
    return sum(len(connection.execute(statement, row).all()) for row in rows)


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
            token=_ANEW,
            outcome="",
            lease_until=None,
            due=None,
            tries=0,
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


def abandon(connection: Connection, job: str, *, why: str, at: datetime) -> int:
    """Skip what waits of a job, and what a worker that fell silent left of it; return how many runs."""
    left = or_(run_table.c.state == RunState.WAITING, _dead(at, NO_BOUNDS))
    skipped = {"state": RunState.SKIPPED, "outcome": why, "ended": at, "lease_until": None}
    return connection.execute(update(run_table).where(run_table.c.job == job, left).values(**skipped)).rowcount


def due(connection: Connection, *, jobs: Sequence[str], at: datetime, bounds: Bounds = NO_BOUNDS) -> int | None:
    """Return the id of the run that ``claim`` would take; nothing is changed."""
    dead = _dead(at, bounds)
    alive = and_(run_table.c.state == RunState.RUNNING, not_(dead))
    busy = connection.execute(
        select(run_table.c.job, func.count().label("runs")).where(alive).group_by(run_table.c.job)
    )
    at_work = {row.job: row.runs for row in busy}
    full = {job for each, most in bounds.pools if sum(at_work.get(job, 0) for job in each) >= most for job in each}
    free = [job for job in jobs if job not in at_work and job not in full]
    ready = or_(and_(run_table.c.state == RunState.WAITING, _due_at <= at), dead)
    meant = or_(run_table.c.origin == Origin.BY_HAND, run_table.c.job.not_in(select(job_pause_table.c.job)))
    query = select(run_table.c.id).where(run_table.c.job.in_(free), ready, meant)
    history_last = case((run_table.c.origin == Origin.BACK_FILL, 1), else_=0)
    return connection.scalar(query.order_by(history_last, run_table.c.slot, run_table.c.id).limit(1))


def claim(
    connection: Connection,
    *,
    jobs: Sequence[str],
    worker: str,
    at: datetime,
    lease: timedelta,
    bounds: Bounds = NO_BOUNDS,
) -> Run | None:
    """Take the oldest due run of these jobs, or ``None`` if nothing is due; what fills in history comes last.

    A run is due when it is waiting and its time has come, or when its worker fell silent. While one run of
    a job is being worked on, no other run of that job is due; nor is one whose pool is full, or whose job is
    paused and nobody asked for by hand. A run that has cost ``MOST_CLAIMS`` workers their lives is failed
    instead of given to the next one.
    """
    connection.execute(
        update(run_table)
        .where(_dead(at, bounds), run_table.c.job.in_(jobs), run_table.c.token % MOST_CLAIMS == 0)
        .values(
            state=RunState.FAILED,
            ended=at,
            lease_until=None,
            outcome=f"its worker fell silent {MOST_CLAIMS} times; not tried again",
        )
    )
    found = due(connection, jobs=jobs, at=at, bounds=bounds)
    if found is None:
        return None
    connection.execute(
        update(run_table)
        .where(run_table.c.id == found)
        .values(state=RunState.RUNNING, worker=worker, token=run_table.c.token + 1, started=at, lease_until=at + lease)
    )
    return show(connection, found)


def beats(connection: Connection) -> list[Beat]:
    """Return the newest heartbeat of every run that is being worked on."""
    working = select(run_table.c.id, run_table.c.token, run_table.c.lease_until)
    return [Beat(*row) for row in connection.execute(working.where(run_table.c.state == RunState.RUNNING))]


def hasten(connection: Connection, run: Run, *, at: datetime) -> None:
    """Call a run due that waits for its time."""
    waits = and_(run_table.c.id == run.id, run_table.c.state == RunState.WAITING)
    connection.execute(update(run_table).where(waits).values(due=at))


def renew(connection: Connection, run: Run, *, at: datetime, lease: timedelta) -> None:
    """Keep a claimed run for another lease.

    Raises
    ------
    ScheduleError
        If another worker has taken it over.
    """
    _own(connection, run, {"lease_until": at + lease})


def hold(connection: Connection, run: Run) -> None:
    """See to it that what this transaction writes is written only while the run is ours.

    Raises
    ------
    ScheduleError
        If another worker has taken it over.
    """
    _own(connection, run, {"token": run.token})


def note(connection: Connection, run: Run, parameters: Mapping[str, Any]) -> None:
    """Keep how far a run is among its parameters, in the transaction of what it did; errors as in ``hold``."""
    _own(connection, run, {"parameters": dict(parameters)})


def finish(connection: Connection, run: Run, outcome: Outcome, *, at: datetime) -> None:
    """Complete a claimed run.

    Raises
    ------
    ScheduleError
        If another worker has taken it over; nothing is written then.
    """
    _own(connection, run, _came_of(run, outcome) | {"state": outcome.state, "ended": at})


def put_back(
    connection: Connection, run: Run, outcome: Outcome, *, due: datetime | None = None, tries: int = 0
) -> None:
    """Set a claimed run to waiting: it is to be tried again, or there is more of it to be done.

    Parameters
    ----------
    due : not begun before
    tries : how often it failed so far

    Raises
    ------
    ScheduleError
        If another worker has taken it over; nothing is written then.
    """
    waits = {"state": RunState.WAITING, "due": due or run.due, "tries": tries, "token": _ANEW}
    _own(connection, run, _came_of(run, outcome) | waits)


def _came_of(run: Run, outcome: Outcome) -> dict[str, Any]:
    """Return what is written of an outcome; what was spent on the tries before is not forgotten."""
    return {
        "lease_until": None,
        "outcome": outcome.summary,
        "rows": outcome.rows,
        "machines": outcome.machines,
        "models": json.dumps(outcome.models, ensure_ascii=False),
        "cpu_seconds": _sum(run.cpu_seconds, outcome.cpu_seconds),
        "peak_memory": max(filter(None, (run.peak_memory, outcome.peak_memory)), default=None),
        "watt_hours": _sum(run.watt_hours, outcome.watt_hours),
        "log": outcome.log,
    }


def _sum(before: float | None, now: float | None) -> float | None:
    return now if before is None else before + (now or 0)


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
    return run_of(row)


def of_slot(connection: Connection, job: str, slot: datetime) -> Run:
    """Return the run of a slot that stands in the ledger."""
    return run_of(connection.execute(select(run_table).where(run_table.c.job == job, run_table.c.slot == slot)).one())


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
    return [run_of(row) for row in connection.execute(query.order_by(run_table.c.id.desc()).limit(limit))]


def waiting(connection: Connection, job: str, *, until: datetime) -> list[Run]:
    """Return scheduled runs of a job that wait and whose slot has come, oldest first."""
    query = select(run_table).where(
        run_table.c.job == job,
        run_table.c.origin == Origin.SCHEDULE,
        run_table.c.state == RunState.WAITING,
        run_table.c.slot <= until,
    )
    return [run_of(row) for row in connection.execute(query.order_by(run_table.c.slot))]


def newest_slot(connection: Connection, job: str) -> datetime | None:
    """Return the latest scheduled slot of a job that stands in the ledger; it may lie ahead."""
    query = select(func.max(run_table.c.slot)).where(run_table.c.job == job, run_table.c.origin == Origin.SCHEDULE)
    return connection.scalar(query)


def drop_ahead(connection: Connection, job: str, *, after: datetime, keep: datetime | None = None) -> None:
    """Forget waiting slots after a moment, except one: a changed schedule has others.

    Slots before one that was begun stay, where a clock went back: nothing would enter them again.
    """
    scheduled = and_(run_table.c.job == job, run_table.c.origin == Origin.SCHEDULE)
    begun = select(func.max(run_table.c.slot)).where(scheduled, run_table.c.state != RunState.WAITING)
    ahead = and_(
        scheduled,
        run_table.c.state == RunState.WAITING,
        run_table.c.slot > max(filter(None, (after, connection.scalar(begun)))),
    )
    connection.execute(delete(run_table).where(ahead if keep is None else and_(ahead, run_table.c.slot != keep)))


def forget(connection: Connection, *, before: datetime) -> int:
    """Remove completed and skipped runs that ended earlier, and return how many."""
    over = run_table.c.state.in_([RunState.DONE.value, RunState.FAILED.value, RunState.SKIPPED.value])
    return connection.execute(delete(run_table).where(over, run_table.c.ended < before)).rowcount


def unfinished(connection: Connection) -> dict[str, int]:
    """Return how many runs of each job wait or are being worked on, whether the plant still has the job or not."""
    open_states = run_table.c.state.in_([RunState.WAITING.value, RunState.RUNNING.value])
    query = select(run_table.c.job, func.count().label("runs")).where(open_states).group_by(run_table.c.job)
    return {row.job: row.runs for row in connection.execute(query.order_by(run_table.c.job))}


def _dead(at: datetime, bounds: Bounds) -> ColumnElement[bool]:
    running = run_table.c.state == RunState.RUNNING
    if bounds.silent is None:
        return and_(running, run_table.c.lease_until <= at)
    same = [
        and_(run_table.c.id == each.run, run_table.c.token == each.token, run_table.c.lease_until == each.lease_until)
        for each in bounds.silent
    ]
    return and_(running, or_(false(), *same))


def _own(connection: Connection, run: Run, changes: dict[str, Any]) -> None:
    mine = and_(run_table.c.id == run.id, run_table.c.token == run.token, run_table.c.state == RunState.RUNNING)
    if connection.execute(update(run_table).where(mine).values(**changes)).rowcount != 1:
        raise ScheduleError(
            f"run {run.id} (job {run.job!r}, slot {run.slot:%Y-%m-%d %H:%M} UTC) was taken over by another worker; "
            f"what {run.worker} did for it is not recorded"
        )
