"""A run in a process of its own ends when it takes too long or too much, when it is lost, and when its worker dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from service.control_room import ControlRoom, open_control_room
from service.jobs import ledger
from service.jobs.action import ACTIONS, Action, Work
from service.jobs.apart import run_apart
from service.jobs.run import Origin, Outcome, Run, RunState
from service.jobs.runner import do, take
from service.settings import Settings

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
PLANT = """
classes = [{ name = "press", signals = [{ name = "force" }] }]
machines = [{ name = "m1", class = "press" }]
jobs = [{ name = "toil", action = "seal", every = "1 d", time_out = "60 s", memory = 2000 }]
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ControlRoom]:
    (tmp_path / "plant.toml").write_text(PLANT)
    with open_control_room(Settings(plant=tmp_path / "plant.toml")) as opened:
        yield opened


def claimed(room: ControlRoom) -> Run:
    with room.state.write() as connection:
        ledger.plan(connection, "toil", [NOW], origin=Origin.BY_HAND)
    run = take(room, room.plant.jobs, at=NOW, worker="w")
    assert run is not None
    return run


def say_where(work: Work) -> Outcome:
    with work.room.state.write() as connection:
        ledger.plan(connection, "seen", [NOW], origin=Origin.BY_HAND)
    return Outcome(summary=f"{os.getpid()} of group {os.getpgid(0)}")


def sleep_with_a_child(work: Work) -> Outcome:
    """Start a child that would outlive us, note who we are, and never end."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (work.room.plant.data_folder / "pids").write_text(f"{os.getpid()} {child.pid}")
    child.wait()
    return Outcome(summary="never")


def hold_much(work: Work) -> Outcome:
    held = b"x" * (600 << 20)
    Event().wait(600)
    return Outcome(summary=f"held {len(held)}")


def fall_over(work: Work) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(summary="never")


def apart(
    room: ControlRoom,
    action: object,
    lost: Event | None = None,
    seconds: Callable[[], float] = lambda: 0.0,
    **limits: object,
) -> Outcome:
    job = room.plant.jobs[0].model_copy(update={"time_out": None, "memory": None, **limits})
    actions: Mapping[str, Action] = {**ACTIONS, "seal": action}  # type: ignore[dict-item]
    return run_apart(room, job, claimed(room), now=NOW, actions=actions, lost=lost or Event(), seconds=seconds)


def gone(pid: int) -> bool:
    """Whether a process ended; one that nobody has waited for yet has ended, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def both_there(room: ControlRoom) -> bool:
    pids = room.plant.data_folder / "pids"
    return pids.exists() and len(pids.read_text().split()) == 2


def both_gone(room: ControlRoom) -> bool:
    return all(gone(int(each)) for each in (room.plant.data_folder / "pids").read_text().split())


def test_a_run_apart_writes_behind_the_fence_and_is_charged_its_own_time(room: ControlRoom) -> None:
    done = do(room, claimed(room), clock=lambda: NOW, actions={**ACTIONS, "seal": say_where})
    assert done is not None
    pid, _, _, group = done.outcome.split()
    assert pid == group != str(os.getpid())
    assert done.cpu_seconds is not None
    assert done.cpu_seconds > 0
    with room.state.read() as connection:
        assert "seen" in ledger.unfinished(connection)


def test_a_run_that_takes_too_long_is_ended_with_all_that_it_started(room: ControlRoom) -> None:
    def seconds() -> float:
        """Say that a minute is over as soon as both processes are there."""
        return 61.0 if both_there(room) else 0.0

    outcome = apart(room, sleep_with_a_child, seconds=seconds, time_out=timedelta(minutes=1))
    assert (outcome.state, outcome.summary) == (RunState.FAILED, "took longer than 1 min and was ended")
    assert both_gone(room)


def test_a_run_that_takes_too_much_memory_is_ended(room: ControlRoom) -> None:
    outcome = apart(room, hold_much, memory=400)
    assert outcome.state is RunState.FAILED
    assert "MB of memory, more than 400, and was ended" in outcome.summary


def test_a_run_that_was_taken_over_is_ended(room: ControlRoom) -> None:
    lost = Event()
    lost.set()
    assert apart(room, sleep_with_a_child, lost).summary == "taken over by another worker"


def test_a_process_that_falls_over_is_a_failed_run(room: ControlRoom) -> None:
    assert apart(room, fall_over).summary == "its process ended without a word (exit code -9)"


def _work(folder: Path) -> None:
    with open_control_room(Settings(plant=folder / "plant.toml")) as room:
        do(room, claimed(room), clock=lambda: NOW, actions={**ACTIONS, "seal": sleep_with_a_child})


def test_what_a_killed_worker_had_begun_apart_ends_with_it(room: ControlRoom, tmp_path: Path) -> None:
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(tmp_path,))
    worker.start()
    pause = Event()
    while not both_there(room):
        pause.wait(0.05)
        assert worker.is_alive()
    worker.kill()
    worker.join()
    for _ in range(200):
        if both_gone(room):
            return
        pause.wait(0.05)
    raise AssertionError("an orphan goes on")
