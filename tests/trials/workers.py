"""Eight workers on one ledger, a thousand faults: every slot is done, once, by the worker that the ledger names.

Run ``python -m tests.trials.workers --faults 1000 [--postgresql]``. Workers are killed with SIGKILL, stopped with
SIGSTOP for longer than their lease and let go on, given clocks that are an hour ahead or behind, and kept from the
database for longer than a heartbeat. Each slot's work writes three steps, the newest write of each being kept, so that
a worker which wakes up too late and still has an effect leaves its own mark on them.
"""

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from sqlalchemy import select

from ingest.errors import StoreError
from service.control_room import ControlRoom
from service.database import assessment_table
from service.jobs import ledger
from service.jobs.run import RunState
from service.jobs.runner import take
from service.jobs.schedule import slots
from tests.postgresql import schema
from tests.trials.ledger_worker import LEASE, SPEED, START, STEPS, Place, work

STOPPED_SECONDS = LEASE.total_seconds() + 0.5
BUSY_SECONDS = 1.0
LEAST = timedelta(minutes=4)
"""What is run at least, so that each job has slots."""
KINDS = ("kill", "stop", "clock", "busy")
PLANT = """
time_zone = "Europe/Berlin"
classes = [{ name = "press", signals = [{ name = "force" }] }]
machines = [{ name = "m1", class = "press" }]
models = [{ name = "odd", task = "anomaly", class = "press", horizon = "24 h" }]
jobs = [
  { name = "a", action = "score", every = "1 min", catch_up = "all" },
  { name = "b", action = "score", every = "90 s", catch_up = "all" },
  { name = "c", action = "score", cron = "* * * * *", catch_up = "all" },
  { name = "d", action = "score", cron = "*/2 * * * *", catch_up = "all" },
]
"""


@dataclass
class Crew:
    """The workers, and what is done to them."""

    place: Place
    size: int
    start: Callable[[int], BaseProcess]
    workers: list[BaseProcess] = field(default_factory=list)
    asleep: dict[int, float] = field(default_factory=dict)
    kills: list[tuple[float, int]] = field(default_factory=list)
    writers: list[Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Start all of them."""
        self.workers = [self.start(number) for number in range(self.size)]

    def fault(self, kind: str, draw: random.Random, room: ControlRoom) -> None:
        """Do something to one of them, or to the database of all."""
        number = draw.randrange(self.size)
        pid = self.workers[number].pid
        assert pid is not None
        if kind == "kill":
            self.kills.append((time.monotonic(), pid))
            self.asleep.pop(number, None)
            self.workers[number].kill()
            self.workers[number].join()
            self.workers[number] = self.start(number)
        elif kind == "stop":
            os.kill(pid, signal.SIGSTOP)
            self.asleep[number] = time.monotonic() + STOPPED_SECONDS
        elif kind == "clock":
            self.place.offsets[number] = draw.choice([-3600.0, 0.0, 3600.0])
        elif not (self.writers and self.writers[-1].is_alive()):
            # Beside this loop: a worker that sleeps within a transaction is woken by it, and would keep it waiting.
            self.writers.append(Thread(target=_keep_busy, args=(room,)))
            self.writers[-1].start()

    def wake(self, *, everybody: bool = False) -> None:
        """Let those go on that were stopped for long enough."""
        for number, until in list(self.asleep.items()):
            if everybody or time.monotonic() >= until:
                pid = self.workers[number].pid
                assert pid is not None
                os.kill(pid, signal.SIGCONT)
                del self.asleep[number]

    def end(self) -> None:
        """Stop all of them."""
        self.place.stop.value = 1
        for writer in self.writers:
            writer.join()
        for each in self.workers:
            each.join(60)
            each.kill()


def _keep_busy(room: ControlRoom) -> None:
    with suppress(StoreError), room.state.write():
        time.sleep(BUSY_SECONDS)


def run_faults(
    folder: Path,
    database: str = "",
    *,
    workers: int = 8,
    faults: int = 1000,
    kinds: Sequence[str] = KINDS,
    pause: float = 0.3,
    speed: float = SPEED,
    seed: int = 0,
) -> str:
    """Do so many faults to workers, let them finish, and return what came of it.

    Parameters
    ----------
    pause : mean time between two faults, in seconds
    speed : seconds of the plant's clock in one second

    Raises
    ------
    AssertionError
        When a slot is missing, was done twice, or bears the mark of a worker that had lost it.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    (folder / "plant.toml").write_text(PLANT)
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.trials.ledger_worker"])
    place = Place(folder, database, time.monotonic(), context.RawArray("d", workers), context.RawValue("i", 0), speed)

    def start(number: int) -> BaseProcess:
        process = context.Process(target=work, args=(place, number))
        process.start()
        return process

    crew, counts = Crew(place, workers, start), Counter[str]()
    with place.room() as room:
        assert take(room, room.plant.jobs, at=START, worker="first") is None
        crew.begin()
        try:
            for _ in range(faults):
                time.sleep(draw.uniform(0, 2 * pause))
                crew.wake()
                kind = draw.choice(kinds)
                counts[kind] += 1
                crew.fault(kind, draw, room)
            crew.wake(everybody=True)
            for number in range(workers):
                place.offsets[number] = 0.0
            _wait_until_done(place, room)
        finally:
            crew.wake(everybody=True)
            crew.end()
        found = _judged(place, room)
    told = ", ".join(f"{count} × {kind}" for kind, count in sorted(counts.items()))
    return f"{'PostgreSQL' if database else 'SQLite'}: {told}; {found}; {_take_over(place, crew.kills)}"


def _wait_until_done(place: Place, room: ControlRoom, seconds: float = 1800) -> None:
    end, until = max(place.clock(-1), START + LEAST), time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1)
        with room.state.read() as connection:
            runs = ledger.list_runs(connection)
        left = any(run.state in (RunState.WAITING, RunState.RUNNING) and run.slot <= end for run in runs)
        if place.clock(-1) > end and not left:
            return
    raise AssertionError("that takes too long")


def _judged(place: Place, room: ControlRoom) -> str:
    with room.state.read() as connection:
        runs = ledger.list_runs(connection)
        marks = {
            (row.model, row.time, row.machine): row.version for row in connection.execute(select(assessment_table))
        }
    # A clock behind the first slot of a job that was never run enters slots of before.
    over = [run for run in runs if run.state not in (RunState.WAITING, RunState.RUNNING) and run.slot > START]
    ends = {job.name: max(run.slot for run in over if run.job == job.name) for job in room.plant.jobs}
    wanted = Counter(
        (job.name, slot) for job in room.plant.jobs for slot in slots(job, room.plant.zone, START, ends[job.name])
    )
    done = Counter((run.job, run.slot) for run in over if run.state is RunState.DONE)
    missing, extra = wanted - done, done - wanted
    given_up = [f"{run.job} {run.slot:%H:%M:%S}: {run.outcome}" for run in over if run.state is not RunState.DONE]
    assert not given_up, f"{len(given_up)} entered and not done, first {given_up[-1]}"
    assert not missing, f"{len(missing)} never entered, first {min(missing)}"
    assert not extra, f"{len(extra)} extra, first {min(extra)}"
    for run in over:
        left = {marks.get((run.job, run.slot, str(step))) for step in range(STEPS)}
        assert left == {str(run.token)}, f"run {run.id} of claim {run.token} bears the marks {left}"
    twice = [
        run for run, count in Counter(words[3] for words in place.notes() if words[1] == "done").items() if count > 1
    ]
    assert not twice, f"runs {twice} were completed twice"
    again = sum(run.token > 1 for run in over)
    return f"{len(over):,} slots, {again:,} of them taken over: 0 missing, 0 doubled"


def _take_over(place: Place, kills: Sequence[tuple[float, int]]) -> str:
    """Say how long a killed worker's run waited for the next one."""
    held: dict[str, tuple[str, int]] = {}
    claims: dict[tuple[str, int], float] = {}
    for moment, what, pid, run, token in place.notes():
        if what == "claim":
            held[pid] = run, int(token)
            claims[run, int(token)] = float(moment)
        else:
            held.pop(pid, None)
    waits = []
    for moment_of_kill, killed in kills:
        if str(killed) in held:
            run, token_then = held[str(killed)]
            if (after := claims.get((run, token_then + 1))) is not None:
                waits.append(after - moment_of_kill)
    if not waits:
        return "nobody was killed at work"
    return (
        f"{len(waits)} killed at work, followed after {statistics.median(waits):.2f} s (median), {max(waits):.2f} s "
        f"(longest) with a lease of {LEASE.total_seconds():g} s"
    )


def main() -> None:
    """Do the faults, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--pause", type=float, default=0.3, help="mean time between two faults, in seconds")
    parser.add_argument("--speed", type=float, default=SPEED, help="seconds of the plant's clock in one second")
    arguments = parser.parse_args()
    same = {name: getattr(arguments, name) for name in ("faults", "workers", "seed", "kinds", "pause", "speed")}
    with tempfile.TemporaryDirectory() as folder:
        if arguments.postgresql:
            with schema() as database:
                sys.stdout.write(run_faults(Path(folder), database, **same) + "\n")
        else:
            sys.stdout.write(run_faults(Path(folder), **same) + "\n")


if __name__ == "__main__":
    main()
