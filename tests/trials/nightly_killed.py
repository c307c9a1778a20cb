"""Nightly scoring that is killed at random moments: what it leaves is, byte for byte, what an undisturbed one leaves.

Run ``python -m tests.trials.nightly_killed --kills 50``. A chunk is one model's part of one night: each is written in
one transaction, so that a killed worker's successor repeats one at most.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

from features.table import FeatureTable
from ingest.plant import Job
from models.registry.registry import Registry
from service.control_room import ControlRoom
from service.jobs import ledger
from service.jobs.run import RunState
from service.jobs.runner import tick
from service.settings import Settings
from service.structured_logs import configure_logs
from tests.service.test_monitor import HOUR, START, World, a_world, bundle_of, entry

MODELS = ("risk", "wear", "leak", "noise")
MACHINES = ("m1", "m2")
NIGHTLY = Job(name="nightly", action="score", cron="0 2 * * *", catch_up="all")
SETTINGS = Settings(lease=timedelta(seconds=30))


def _begin(log: Path, model: str, table: FeatureTable) -> None:
    """Note that a chunk is begun; the last window of a night names it."""
    line = f"{model} {table.time.max()}\n".encode()
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)


@contextmanager
def _opened(folder: Path) -> Any:
    log = folder / "begun.txt"
    bundles = [bundle_of(entry(name, "bearing"), partial(_begin, log, name)) for name in MODELS]
    world = a_world(folder, *bundles, machines=MACHINES)
    plant = world.plant.model_copy(update={"jobs": [NIGHTLY]})
    try:
        yield world, ControlRoom(SETTINGS, plant, world.store, cast(Registry, world.shelf), world.state)
    finally:
        world.store.close()
        world.state.close()


def prepare(folder: Path, nights: int, seed: int) -> None:
    """Fill a plant with readings of so many nights, and let the ledger know the job."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    folder.mkdir()
    with _opened(folder) as (world, room):
        for machine in MACHINES:
            world.say(machine, [0.8 if draw.random() < 0.4 else draw.uniform(0, 0.4) for _ in range(24 * nights)])
        tick(room, [NIGHTLY], clock=lambda: START, worker="first")


def go_on(folder: Path, nights: int) -> None:
    """Score night after night from where the one before was stopped; the main function of a worker."""
    configure_logs("console", level=logging.ERROR)
    with _opened(folder) as (_, room):
        with room.state.read() as connection:
            done = len(ledger.list_runs(connection, states=(RunState.DONE,)))
        for night in range(done, nights):
            at = partial(_at, night)
            # Whoever was at work before is dead, as whoever starts us knows.
            tick(room, [NIGHTLY], clock=at, worker=str(os.getpid()), silent=lambda beats: beats)


def _at(night: int) -> datetime:
    return START + (24 * night + 2) * HOUR


def left(world: World) -> dict[str, bytes]:
    """Return all that scoring left, by table; but not the ledger, which says when and by whom."""
    return {name: repr(rows).encode() for name, rows in world.dump().items() if name != "run"}


def kill_often(folder: Path, *, kills: int, nights: int = 40, longest: float = 1.5, seed: int = 0) -> str:
    """Score some nights undisturbed, and again with kills, and return what came of it.

    Parameters
    ----------
    longest : seconds that a worker lives at most before it is killed

    Raises
    ------
    AssertionError
        When what is left differs, or more chunks were repeated than workers were killed.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.service.test_monitor"])
    quiet, killed = folder / "quiet", folder / "killed"
    for place in (quiet, killed):
        prepare(place, nights, seed)
    go_on(quiet, nights)
    killed_at_work = 0
    for _ in range(kills):
        worker = context.Process(target=go_on, args=(killed, nights))
        worker.start()
        _until_begun(killed)
        time.sleep(draw.uniform(0, longest))
        killed_at_work += worker.is_alive()
        worker.kill()
        worker.join()
        _spare(killed)
    go_on(killed, nights)
    with _opened(quiet) as (calm, _), _opened(killed) as (disturbed, room):
        undisturbed, after = left(calm), left(disturbed)
        with room.state.read() as connection:
            runs = ledger.list_runs(connection)
        due = [run for run in runs if run.slot <= _at(nights - 1)]
        not_done = [f"{run.slot:%Y-%m-%d} {run.state}: {run.outcome}" for run in due if run.state is not RunState.DONE]
        assert not not_done, f"{len(not_done)} nights are not done, first {not_done[-1]}"
        assert len(due) == nights, f"{len(due)} of {nights} nights are done"
        differing = [name for name, rows in undisturbed.items() if rows != after[name]]
        assert not differing, f"what is left differs in {differing}"
        alerts = len(calm.alerts())
    once, often = _begun(quiet), _begun(killed)
    assert set(once) == set(often), "not the same chunks"
    repeated = sum((often - once).values())
    assert repeated <= killed_at_work, f"{repeated} chunks repeated after {killed_at_work} kills at work"
    return (
        f"{nights} nights of {len(MODELS)} models, {kills} kills, {killed_at_work} of them at work: "
        f"{sum(map(len, undisturbed.values())):,} bytes with {alerts} alerts are the same, "
        f"{repeated} of {sum(once.values())} chunks repeated"
    )


def _spare(folder: Path) -> None:
    """Let a night be done that has cost as many workers as the ledger allows but one: it would be given up."""
    with _opened(folder) as (_, room), room.state.read() as connection:
        begun = ledger.list_runs(connection, states=(RunState.RUNNING,))
        done = len(ledger.list_runs(connection, states=(RunState.DONE,)))
    if any(run.token % ledger.MOST_CLAIMS == ledger.MOST_CLAIMS - 1 for run in begun):
        go_on(folder, done + 1)


def _until_begun(folder: Path) -> None:
    """Give a new worker the time that it takes to open the plant."""
    log = folder / "begun.txt"
    size = log.stat().st_size if log.exists() else 0
    for _ in range(200):
        if log.exists() and log.stat().st_size > size:
            return
        time.sleep(0.02)


def _begun(folder: Path) -> Counter[str]:
    return Counter((folder / "begun.txt").read_text().splitlines())


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--nights", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=1.5)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        said = kill_often(Path(folder), kills=asked.kills, nights=asked.nights, longest=asked.longest, seed=asked.seed)
        sys.stdout.write(said + "\n")


if __name__ == "__main__":
    main()
