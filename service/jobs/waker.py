"""The waker: look at the ledger every few seconds. APScheduler only wakes; the ledger decides."""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from threading import Event

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from ingest.errors import AndonError
from ingest.plant import Job
from service.alerts.timers import keep_time_of
from service.control_room import ControlRoom
from service.jobs.action import ACTIONS, Action
from service.jobs.runner import tick
from service.work_order_drop import hand_over, read_answers

_MOST_AT_ONCE = 4

_log = structlog.get_logger()


class Waker:
    """Runs a plant's jobs in this process until it is stopped.

    Each job has a wake-up of its own, so that a long training does not hold up scoring.

    Parameters
    ----------
    clock : returns the present moment; slots are due by it
    actions : what the jobs can do
    """

    def __init__(
        self, room: ControlRoom, clock: Callable[[], datetime], *, actions: Mapping[str, Action] = ACTIONS
    ) -> None:
        self._room, self._clock, self._actions = room, clock, actions
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
            self._keep_time,
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

    def _keep_time(self) -> None:
        try:
            keep_time_of(self._room.state, self._clock())
        except AndonError as error:
            _log.error("the timers of alerts cannot be kept", why=str(error))
        try:
            hand_over(self._room, at=self._clock())
            for problem in read_answers(self._room, at=self._clock())[1]:
                _log.warning("an answer to a work order was refused", why=problem)
        except (AndonError, OSError) as error:
            _log.error("work orders cannot be handed over", why=str(error))
        try:
            self._room.keep_audit()
        except AndonError as error:
            _log.error("nobody vouches for the audit trail", why=str(error))

    def _wake(self, job: Job) -> None:
        worker = f"{socket.gethostname()}:{os.getpid()}"
        try:
            tick(
                self._room,
                [job],
                clock=self._clock,
                worker=worker,
                actions=self._actions,
                stopping=self._stopping.is_set,
            )
        except AndonError as error:
            _log.error("the ledger cannot be used", job=job.name, why=str(error))
        except Exception:  # the next wake-up must come whatever happens in this one
            _log.exception("a look at the ledger failed", job=job.name)
