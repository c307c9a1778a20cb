"""The runner: take what is due from the ledger, do it, and write down how it went."""

import resource
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog

from ingest.database import Database
from ingest.errors import AndonError, ScheduleError, StoreError
from ingest.plant import Job
from service.control_room import ControlRoom
from service.jobs import ledger
from service.jobs.action import ACTIONS, Action, Work
from service.jobs.ledger import Outcome, Run, RunState
from service.jobs.planning import enter_slots, up_to_date

Clock = Callable[[], datetime]

_log = structlog.get_logger()


def tick(
    room: ControlRoom,
    jobs: Sequence[Job],
    *,
    clock: Clock,
    worker: str,
    actions: Mapping[str, Action] = ACTIONS,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Run]:
    """Bring the ledger up to date and do everything that is due, oldest slot first.

    Any number of workers may tick at once; the ledger gives each run to one of them.

    Parameters
    ----------
    jobs : jobs that this tick cares for
    worker : name of this worker, for people
    stopping : asked between two runs; when it says yes, what is left waits for another tick

    Returns
    -------
    the runs that this call completed
    """
    completed = []
    while not stopping():
        run = take(room, jobs, at=clock(), worker=worker)
        if run is None:
            break
        finished = do(room, run, clock=clock, actions=actions)
        if finished is not None:
            completed.append(finished)
    return completed


def take(room: ControlRoom, jobs: Sequence[Job], *, at: datetime, worker: str) -> Run | None:
    """Enter the slots of these jobs up to ``at`` and claim the oldest due run, or ``None``."""
    zone, names = room.plant.zone, [job.name for job in jobs]
    with room.state.read() as connection:
        current = all(up_to_date(connection, job, zone, at=at) for job in jobs)
        if current and ledger.due(connection, jobs=names, at=at) is None:
            return None
    with room.state.write() as connection:
        for job in jobs:
            enter_slots(connection, job, zone, at=at)
        return ledger.claim(connection, jobs=names, worker=worker, at=at, lease=room.settings.lease)


def do(room: ControlRoom, run: Run, *, clock: Clock, actions: Mapping[str, Action] = ACTIONS) -> Run | None:
    """Do a claimed run and write down how it went; ``None`` if another worker took it over meanwhile."""
    before = _processor_seconds()
    with Heartbeat(room.state, run, clock=clock, lease=room.settings.lease):
        outcome = _outcome(room, run, clock(), actions)
    outcome = replace(outcome, cpu_seconds=_processor_seconds() - before, peak_memory=_peak_memory())
    try:
        with room.state.write() as connection:
            ledger.finish(connection, run, outcome, at=clock())
            finished = ledger.show(connection, run.id)
    except ScheduleError as error:
        _log.warning("run was taken over", job=run.job, slot=run.slot.isoformat(), why=str(error))
        return None
    _log.info(
        "run ended",
        job=run.job,
        slot=run.slot.isoformat(),
        state=outcome.state.value,
        outcome=outcome.summary,
        cpu_seconds=outcome.cpu_seconds,
    )
    return finished


def _outcome(room: ControlRoom, run: Run, now: datetime, actions: Mapping[str, Action]) -> Outcome:
    job = next((each for each in room.plant.jobs if each.name == run.job), None)
    if job is None:
        return Outcome(state=RunState.FAILED, summary=f"the plant file has no job {run.job!r} any more")
    try:
        return actions[job.action](Work(room=room, job=job, slot=run.slot, now=now))
    except AndonError as error:
        return Outcome(state=RunState.FAILED, summary=str(error).splitlines()[0], log=str(error))
    except Exception as error:  # a mistake of ours must not stop the jobs that come after
        line = traceback.format_exception_only(error)[-1].strip()
        return Outcome(state=RunState.FAILED, summary=line.splitlines()[0], log=traceback.format_exc())


class Heartbeat:
    """Renews a run's lease from a thread of its own while the work goes on."""

    def __init__(self, state: Database, run: Run, *, clock: Clock, lease: timedelta) -> None:
        self._state, self._run, self._clock, self._lease = state, run, clock, lease
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
                return
            except StoreError:
                continue


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
