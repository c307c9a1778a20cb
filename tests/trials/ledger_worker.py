"""A worker of the trial of workers: takes slots and does their work in steps that bear the mark of its claim."""

import logging
import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.errors import StoreError
from ingest.statement import insert_into
from service.control_room import ControlRoom, open_control_room
from service.database import assessment_table
from service.jobs.action import Work
from service.jobs.run import Outcome, RunState
from service.jobs.runner import do, take
from service.jobs.silence import Silence
from service.settings import Settings
from service.structured_logs import configure_logs

START = datetime(2026, 3, 28, 20, tzinfo=UTC)
LEASE = timedelta(seconds=1.5)
SPEED = 20
"""Seconds of the plant's clock in one second."""
STEPS = 3
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Place:
    """Where workers meet. What is shared has no lock, as whoever holds one may be killed."""

    folder: Path
    database: str
    begun: float
    offsets: Any
    stop: Any
    speed: float = SPEED

    def clock(self, number: int) -> datetime:
        """Return the present by the clock of a worker, or without its fault for a negative number."""
        offset = self.offsets[number] if number >= 0 else 0.0
        return START + timedelta(seconds=(time.monotonic() - self.begun) * self.speed + offset)

    def room(self) -> ControlRoom:
        """Open the plant."""
        return open_control_room(Settings(plant=self.folder / "plant.toml", lease=LEASE, database=self.database))

    def note(self, *words: object) -> None:
        """Add a line to the log, whole or not at all."""
        line = " ".join(map(str, (time.monotonic(), *words))) + "\n"
        log = os.open(self.folder / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, line.encode())
        os.close(log)

    def notes(self) -> list[list[str]]:
        """Return the lines of the log."""
        return [line.split() for line in (self.folder / "log.txt").read_text().splitlines()]


def work(place: Place, number: int) -> None:
    """Take and do until told to stop; the main function of a worker."""
    configure_logs("console", level=logging.ERROR)
    silence, pid = Silence(LEASE), os.getpid()
    with place.room() as room:
        while not place.stop.value:
            try:
                run = take(
                    room,
                    room.plant.jobs,
                    at=place.clock(number),
                    worker=str(pid),
                    silent=lambda beats: silence.among(beats, time.monotonic()),
                )
                if run is None:
                    time.sleep(LOOK_SECONDS)
                    continue
                place.note("claim", pid, run.id, run.token)
                finished = do(room, run, clock=lambda: place.clock(number), actions={"score": three_steps})
                if finished is not None and finished.state is RunState.DONE:
                    place.note("done", pid, run.id, run.token)
            except StoreError:
                continue


def three_steps(work: Work) -> Outcome:
    """Write which claim did each step of a slot; the newest write is kept."""
    draw = random.Random()  # noqa: S311 - nothing secret
    for step in range(STEPS):
        time.sleep(draw.uniform(0, 0.1))
        row = {
            "model": work.job.name,
            "machine": str(step),
            "time": work.slot,
            "version": str(work.run.token),
            "level": 0.0,
            "reason": "ok",
            "threshold": 1.0,
        }
        with work.room.state.write() as connection:
            written = insert_into(connection, assessment_table).values(**row)
            keys = ["model", "machine", "time"]
            anew = written.on_conflict_do_update(index_elements=keys, set_={"version": row["version"]})
            connection.execute(anew)
    return Outcome(summary="three steps")
