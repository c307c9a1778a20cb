"""The runner: take what is due from the ledger, do it, and write down how it went."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog

from ingest.database import Database
from ingest.errors import ScheduleError, StoreBusyError, StoreError
from ingest.plant import Job, Plant
from service.control_room import ControlRoom
from service.jobs import ledger
from service.jobs.action import ACTIONS, Action
from service.jobs.apart import needs_its_own_process, run_apart
from service.jobs.attempt import attempt
from service.jobs.complete import share_arrived
from service.jobs.ledger import Bounds
from service.jobs.planning import enter_slots, up_to_date
from service.jobs.run import Outcome, Run, RunState
from service.jobs.silence import Beat
from service.jobs.spent import peak_memory, processor_seconds, watt_hours

Clock = Callable[[], datetime]
Silent = Callable[[Collection[Beat]], Collection[Beat]]
"""Says which of these heartbeats stopped."""

LONGEST_BACK_OFF = timedelta(days=1)
_ATTEMPTS_TO_WRITE = 3

_log = structlog.get_logger()


def tick(
    room: ControlRoom,
    jobs: Sequence[Job],
    *,
    clock: Clock,
    worker: str,
    actions: Mapping[str, Action] = ACTIONS,
    silent: Silent | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Run]:
    """Bring the ledger up to date and do everything that is due, oldest slot first.

    Any number of workers may tick at once; the ledger gives each run to one of them.

    Parameters
    ----------
    jobs : jobs that this tick cares for
    worker : name of this worker, for people
    silent : see ``take``
    stopping : asked between two runs; when it says yes, what is left waits for another tick

    Returns
    -------
    the runs that this call completed
    """
    completed = []
    while not stopping():
        run = take(room, jobs, at=clock(), worker=worker, silent=silent)
        if run is None:
            break
        finished = do(room, run, clock=clock, actions=actions)
        if finished is not None and finished.state is not RunState.WAITING:
            completed.append(finished)
    return completed


def take(
    room: ControlRoom, jobs: Sequence[Job], *, at: datetime, worker: str, silent: Silent | None = None
) -> Run | None:
    """Enter the slots of these jobs up to ``at`` and claim the oldest due run, or ``None``.

    Parameters
    ----------
    silent : says whose heartbeats stopped; where it is left out, a lease that is over by ``at`` is
    """
    zone, names = room.plant.zone, [job.name for job in jobs]
    with room.state.read() as connection:
        stopped = None if silent is None else silent(ledger.beats(connection))
        bounds = Bounds(_pools(room.plant), stopped)
        current = all(up_to_date(connection, job, zone, at=at) for job in jobs)
        waiting = [
            (job, run)
            for job in jobs
            if job.complete is not None
            for run in ledger.waiting(connection, job.name, until=at)
            if run.due is not None and run.due > at and not run.tries
        ]
        nothing = current and ledger.due(connection, jobs=names, at=at, bounds=bounds) is None
    complete = [
        run for job, run in waiting if share_arrived(room.plant, room.store, job, run.slot) >= (job.complete or 0)
    ]
    if nothing and not complete:
        return None
    with room.state.write() as connection:
        for job in jobs:
            enter_slots(connection, job, zone, at=at)
        for run in complete:
            ledger.hasten(connection, run, at=at)
        return ledger.claim(connection, jobs=names, worker=worker, at=at, lease=room.settings.lease, bounds=bounds)


def do(room: ControlRoom, run: Run, *, clock: Clock, actions: Mapping[str, Action] = ACTIONS) -> Run | None:
    """Do a claimed run and write down how it went; ``None`` if another worker took it over meanwhile."""
    job = next((each for each in room.plant.jobs if each.name == run.job), None)
    before = processor_seconds()
    with Heartbeat(room.state, run, clock=clock, lease=room.settings.lease) as heartbeat:
        if job is not None and needs_its_own_process(job):
            outcome = run_apart(room, job, run, now=clock(), actions=actions, lost=heartbeat.lost)
        else:
            outcome = attempt(room, run, clock(), actions)
        if outcome.cpu_seconds is None:
            outcome = replace(outcome, cpu_seconds=processor_seconds() - before, peak_memory=peak_memory())
        spent = watt_hours(outcome.cpu_seconds or 0.0, room.settings.core_watts)
        try:
            finished = _written_down(room.state, job, run, replace(outcome, watt_hours=spent), clock)
        except ScheduleError as error:
            _log.warning("run was taken over", job=run.job, slot=run.slot.isoformat(), why=str(error))
            return None
    _log.info(
        "run ended",
        job=run.job,
        slot=run.slot.isoformat(),
        state=finished.state.value,
        outcome=finished.outcome,
        cpu_seconds=outcome.cpu_seconds,
    )
    return finished


def _written_down(state: Database, job: Job | None, run: Run, outcome: Outcome, clock: Clock) -> Run:
    """Write down how a run went; a database that is busy is asked again, as the work is done."""
    for attempts_left in reversed(range(_ATTEMPTS_TO_WRITE)):
        try:
            with state.write() as connection:
                at = clock()
                if outcome.state is RunState.WAITING:
                    ledger.put_back(connection, run, outcome)
                elif outcome.state is RunState.FAILED and job is not None and run.tries < job.retries:
                    due = at + min(LONGEST_BACK_OFF, job.back_off * 2**run.tries)
                    said = f"{outcome.summary}; tried again at {due:%Y-%m-%d %H:%M:%S} UTC"
                    ledger.put_back(connection, run, replace(outcome, summary=said), due=due, tries=run.tries + 1)
                else:
                    ledger.finish(connection, run, outcome, at=at)
                return ledger.show(connection, run.id)
        except StoreBusyError:
            if not attempts_left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _pools(plant: Plant) -> list[tuple[frozenset[str], int]]:
    return [(frozenset(job.name for job in plant.jobs if job.pool == pool.name), pool.at_once) for pool in plant.pools]


class Heartbeat:
    """Renews a run's lease from a thread of its own while the work goes on.

    Attributes
    ----------
    lost : set once another worker has taken the run over
    """

    def __init__(self, state: Database, run: Run, *, clock: Clock, lease: timedelta) -> None:
        self._state, self._run, self._clock, self._lease = state, run, clock, lease
        self.lost = Event()
        self._over = Event()
        self._thread = Thread(target=self._beat, name=f"lease of run {run.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                with self._state.write() as connection:
                    ledger.renew(connection, self._run, at=self._clock(), lease=self._lease)
            except ScheduleError:
                self.lost.set()
                return
            except StoreError:
                continue
