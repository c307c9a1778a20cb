"""Upkeep: what a server sees to every few seconds beside the plant's jobs, whatever becomes of the other duties."""

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from ingest.errors import AndonError
from service.alerts.external.take import end_overdue_of
from service.alerts.pipeline.decide import keep_calls
from service.alerts.timers import keep_time_of
from service.control_room import ControlRoom
from service.watchdog.look import miss_the_watch
from service.work_order_drop import hand_over, read_answers

Duty = Callable[[ControlRoom, datetime, str], None]
"""Takes the plant, the present moment in UTC and the name of this worker."""

_log = structlog.get_logger()


def keep_up(room: ControlRoom, now: datetime, *, worker: str) -> None:
    """See to every duty once; one that fails is logged, and the others are seen to all the same."""
    for name, duty in DUTIES.items():
        try:
            duty(room, now, worker)
        except (AndonError, OSError) as error:
            _log.error("upkeep failed", duty=name, why=str(error))
        except Exception:  # the next look must come whatever happens in this one
            _log.exception("upkeep failed", duty=name)


def _timers(room: ControlRoom, now: datetime, worker: str) -> None:
    del worker
    keep_time_of(room.calling(now), now)


def _external(room: ControlRoom, now: datetime, worker: str) -> None:
    del worker
    end_overdue_of(room.calling(now), now)


def _calls(room: ControlRoom, now: datetime, worker: str) -> None:
    del worker
    keep_calls(room.state, room.rules(), now)


def _watch(room: ControlRoom, now: datetime, worker: str) -> None:
    miss_the_watch(room.state, room.plant, now, by=worker)


def _work_orders(room: ControlRoom, now: datetime, worker: str) -> None:
    del worker
    hand_over(room, at=now)
    for problem in read_answers(room, at=now)[1]:
        _log.warning("an answer to a work order was refused", why=problem)


def _audit(room: ControlRoom, now: datetime, worker: str) -> None:
    del now, worker
    room.keep_audit()


DUTIES: Mapping[str, Duty] = {
    "end what alerts were muted for": _timers,
    "end what other systems post no more": _external,
    "call people": _calls,
    "miss whoever watches Andon itself": _watch,
    "hand work orders over and read what became of them": _work_orders,
    "vouch for the audit trail": _audit,
}
"""Each duty by what the log calls it, in the order in which they are seen to."""
