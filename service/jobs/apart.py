"""Apart: a run in a process group of its own, which can be ended whatever its work does."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from ingest.duration import format_duration
from ingest.plant import Job
from service.control_room import ControlRoom, open_control_room
from service.jobs.action import Action
from service.jobs.attempt import attempt
from service.jobs.run import Outcome, Run, RunState
from service.jobs.spent import peak_memory, processor_seconds
from service.settings import Settings

LOOK_SECONDS = 0.1
"""How often its memory is looked at; more that is given back within this time is not seen."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What the process is told to do."""

    settings: Settings
    run: Run
    now: datetime
    actions: Mapping[str, Action]


def needs_its_own_process(job: Job) -> bool:
    """Say whether a job has limits that only hold for a process of its own."""
    return job.time_out is not None or job.memory is not None


def run_apart(
    room: ControlRoom,
    job: Job,
    run: Run,
    *,
    now: datetime,
    actions: Mapping[str, Action],
    lost: Event,
    seconds: Callable[[], float] = monotonic,
) -> Outcome:
    """Do a run in a process of its own and return what came of it.

    The process and all that it starts are ended at once when it takes longer or more memory than the job may, when
    the run is taken over by another worker, and when this process dies.

    Parameters
    ----------
    lost : set once the run is no longer ours
    seconds : a clock that only goes ahead
    """
    context = get_context("spawn")
    answers, answering = context.Pipe(duplex=False)
    living, life = context.Pipe(duplex=False)
    order = _Order(room.settings, run, now, actions)
    process = context.Process(target=_obey, args=(order, answering, living), name=f"run {run.id}")
    process.start()
    answering.close()
    living.close()
    try:
        why = _until_it_ends(process, answers, job, lost, seconds)
        if why is None:
            with suppress(EOFError):
                answer: Outcome = answers.recv()
                return answer
            process.join()
            why = f"its process ended without a word (exit code {process.exitcode})"
        return Outcome(state=RunState.FAILED, summary=why)
    finally:
        _end(process)
        answers.close()
        life.close()


def _until_it_ends(
    process: BaseProcess, answers: Connection, job: Job, lost: Event, seconds: Callable[[], float]
) -> str | None:
    """Return why it has to be ended, or ``None`` once it has answered or ended by itself."""
    begun = seconds()
    while not wait([answers, process.sentinel], LOOK_SECONDS):
        if lost.is_set():
            return "taken over by another worker"
        if job.time_out is not None and seconds() - begun > job.time_out.total_seconds():
            return f"took longer than {format_duration(job.time_out)} and was ended"
        if job.memory is not None and (taken := _memory_of(process.pid)) > job.memory << 20:
            return f"took {taken >> 20:,} MB of memory, more than {job.memory:,}, and was ended"
    return None


def _end(process: BaseProcess) -> None:
    assert process.pid is not None  # noqa: S101 - it was started
    # Before it has a group of its own there is nobody else in it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
    process.close()


def _obey(order: _Order, answering: Connection, living: Connection) -> None:
    """Do the work; the main function of the process."""
    os.setsid()
    Thread(target=_die_with, args=(living,), daemon=True, name="life").start()
    with open_control_room(order.settings) as room:
        outcome = attempt(room, order.run, order.now, order.actions)
    answering.send(replace(outcome, cpu_seconds=processor_seconds(), peak_memory=peak_memory()))
    answering.close()


def _die_with(living: Connection) -> None:
    """End this process and all that it started once the process that started it is gone."""
    with suppress(EOFError, OSError):
        living.recv()
    os.killpg(0, signal.SIGKILL)


def _memory_of(group: int | None) -> int:
    """Return how many bytes the processes of a group hold; 0 where there is no ``/proc``."""
    return sum(_resident(each) for each in Path("/proc").glob("[0-9]*/stat") if _group_of(each) == group)


def _group_of(stat: Path) -> int | None:
    for fields in _fields(stat):
        return int(fields[2])
    return None


def _resident(stat: Path) -> int:
    return sum(int(fields[21]) for fields in _fields(stat)) * os.sysconf("SC_PAGE_SIZE")


def _fields(stat: Path) -> Iterator[list[str]]:
    """Give what the kernel says of a process behind its name, which may hold blanks; nothing if it is gone."""
    with suppress(OSError):
        yield stat.read_text().rpartition(")")[2].split()
