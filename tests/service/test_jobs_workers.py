"""Eight workers at once, half of them killed: each slot is completed exactly once."""

import multiprocessing
import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from service.control_room import ControlRoom, open_control_room
from service.jobs import ledger
from service.jobs.action import Work
from service.jobs.ledger import Outcome, RunState
from service.jobs.runner import do, take
from service.jobs.schedule import slots
from service.settings import Settings

START = datetime(2026, 3, 29, tzinfo=UTC)
END = START + timedelta(minutes=6)
PLANT = """
classes = [{ name = "press", signals = [{ name = "force" }] }]
machines = [{ name = "m1", class = "press" }]
models = [{ name = "odd", task = "anomaly", class = "press", horizon = "24 h" }]
jobs = [
  { name = "a", action = "score", every = "1 min", catch_up = "all" },
  { name = "b", action = "score", every = "90 s", catch_up = "all" },
  { name = "c", action = "score", cron = "* * * * *", catch_up = "all" },
]
"""


def _room(folder: Path) -> ControlRoom:
    return open_control_room(Settings(plant=folder / "plant.toml", lease=timedelta(minutes=2)))


def _work_until_the_end(folder: Path, seconds: "Synchronized[int]", dies_at: int | None) -> None:
    """Take and do until everything is done; the clock of all workers goes on by two seconds at each look."""
    begun = 0

    def clock() -> datetime:
        with seconds.get_lock():
            seconds.value += 2
            return START + timedelta(seconds=seconds.value)

    def score(work: Work) -> Outcome:
        nonlocal begun
        begun += 1
        if dies_at is not None and begun >= dies_at and work.slot <= END:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(summary="done")

    with _room(folder) as room:
        while True:
            at = clock()
            run = take(room, room.plant.jobs, at=at, worker=str(os.getpid()))
            if run is not None and do(room, run, clock=clock, actions={"score": score}) is not None:
                with (folder / "completed.txt").open("a") as lines:
                    lines.write(f"{run.job} {run.slot.isoformat()}\n")
            with room.state.read() as connection:
                left = ledger.list_runs(connection, states=(RunState.WAITING, RunState.RUNNING))
            if at > END and all(each.slot > END for each in left):
                return


def test_eight_workers_of_which_four_are_killed_complete_each_slot_exactly_once(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(PLANT)
    with _room(tmp_path) as room:
        assert take(room, room.plant.jobs, at=START, worker="test") is None
        start = multiprocessing.get_context("forkserver")
        start.set_forkserver_preload(["service.jobs.runner"])
        seconds = start.Value("i", 0)
        deaths = [1, 1, 2, 2, None, None, None, None]
        workers = [start.Process(target=_work_until_the_end, args=(tmp_path, seconds, death)) for death in deaths]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        codes = Counter(worker.exitcode for worker in workers)
        assert set(codes) <= {0, -signal.SIGKILL}
        assert codes[-signal.SIGKILL] >= 1, "somebody was killed"

        with room.state.read() as connection:
            runs = [run for run in ledger.list_runs(connection) if run.slot <= END]
        expected = {(job.name, slot) for job in room.plant.jobs for slot in slots(job, room.plant.zone, START, END)}
        assert Counter((run.job, run.slot) for run in runs) == Counter(expected)
        assert {run.state for run in runs} == {RunState.DONE}
        assert sum(run.token > 1 for run in runs) >= 1, "what the killed ones had begun was taken over"
        completed = Counter((tmp_path / "completed.txt").read_text().splitlines())
        assert {f"{job} {slot.isoformat()}" for job, slot in expected} <= set(completed)
        assert set(completed.values()) == {1}
