"""The waker: look at the ledger every few seconds. APScheduler only wakes; the ledger decides."""

import logging
import os
import socket
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from threading import Event
from time import monotonic

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from ingest.errors import AndonError
from ingest.plant import Job
from service.control_room import ControlRoom
from service.jobs.action import ACTIONS, Action
from service.jobs.runner import tick
from service.jobs.silence import Beat, Silence
from service.upkeep import keep_up

_MOST_AT_ONCE = 4

_log = structlog.get_logger()


class Waker:
    """Runs a plant's jobs in this process until it is stopped.

    Each job has a wake-up of its own, so that a long training does not hold up scoring.

    Parameters
    ----------
    clock : returns the present moment; slots are due by it
    actions : what the jobs can do
    seconds : a clock that only goes ahead; whether other workers are alive is told by it
    """

    def __init__(
        self,
        room: ControlRoom,
        clock: Callable[[], datetime],
        *,
        actions: Mapping[str, Action] = ACTIONS,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._room, self._clock, self._actions, self._seconds = room, clock, actions, seconds
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._silence = Silence(room.settings.lease)
        self._stopping = Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1 + max(1, min(_MOST_AT_ONCE, len(room.plant.jobs))))},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin; the first look at the ledger is at once."""
        # A job that is still at work when it is woken again is no news, and its runs are logged by us.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        for job in self._room.plant.jobs:
            self._scheduler.add_job(
                partial(self._wake, job),
                "interval",
                seconds=self._room.settings.tick.total_seconds(),
                id=job.name,
                next_run_time=datetime.now(UTC),
            )
        self._scheduler.add_job(
            self._keep_up,
            "interval",
            seconds=self._room.settings.tick.total_seconds(),
            id="",  # no job of a plant is called so
            next_run_time=datetime.now(UTC),
        )
        self._scheduler.start()

    def stop(self) -> None:
        """End; runs that are being worked on are completed first."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _keep_up(self) -> None:
        keep_up(self._room, self._clock().astimezone(UTC), worker=self._worker)

    def _wake(self, job: Job) -> None:
        try:
            tick(
                self._room,
                [job],
                clock=self._clock,
                worker=self._worker,
                actions=self._actions,
                silent=self._silent,
                stopping=self._stopping.is_set,
            )
        except AndonError as error:
            _log.error("the ledger cannot be used", job=job.name, why=str(error))
        except Exception:  # the next wake-up must come whatever happens in this one
            _log.exception("a look at the ledger failed", job=job.name)

    def _silent(self, beats: Collection[Beat]) -> list[Beat]:
        return self._silence.among(beats, self._seconds())
