"""Watch Andon itself: missed runs, silent sources, failed deliveries, stepped clocks, full disks."""

import os
import socket
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from service.cli.call import SPAN, current_call, shared_options, wall_clock
from service.cli.stopped import stopped_by_signals

if TYPE_CHECKING:
    from service.control_room import ControlRoom
    from service.watchdog.alarms import Alarm


@click.command()
@click.option("--once", is_flag=True, help="Look once, list what is wrong, and exit 1 if anything is.")
@click.option("--every", type=SPAN, default=timedelta(seconds=30), help="Time between two looks.  [30 s]")
@shared_options
def command(once: bool, every: timedelta) -> None:
    """Watch Andon itself from a process of its own, and raise operational alarms until Ctrl-C."""
    from service.structured_logs import configure_logs

    if not once:
        configure_logs("console" if sys.stderr.isatty() else "json")
    call = current_call()
    with call.open() as room:
        if not once:
            click.echo(f"Watching every {every.total_seconds():g} s  (Ctrl-C ends)")
            return _go_on(room, every.total_seconds())
        found = _look_once(room)
    call.show({"alarms": [asdict(each) for each in found]}, lambda: _tell(found))
    if found:
        click.get_current_context().exit(1)
    return None


def _look_once(room: "ControlRoom") -> "list[Alarm]":
    from service.watchdog.alarms import going_on
    from service.watchdog.look import Glance, look

    look(room, Glance(wall_clock(), time.monotonic()), by=_name())
    with room.state.read() as connection:
        return going_on(connection)


def _go_on(room: "ControlRoom", seconds: float) -> None:
    import structlog

    from ingest.errors import AndonError
    from service.watchdog.look import Glance, look

    _log, stop, before = structlog.get_logger(), stopped_by_signals(), None
    while True:
        now = Glance(wall_clock(), time.monotonic())
        try:
            turn = look(room, now, by=_name(), before=before)
        except AndonError as error:
            _log.error("a look failed", why=str(error))
        else:
            for each in turn.raised:
                _log.warning("operational alarm", kind=each.kind.value, about=each.about, says=each.sentence)
            for each in turn.ended:
                _log.info("operational alarm is over", kind=each.kind.value, about=each.about)
            before = now
        if stop.wait(seconds):
            return


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _tell(found: "list[Alarm]") -> None:
    if not found:
        click.echo("Nothing is wrong with Andon itself.")
    for each in found:
        click.echo(f"{each.kind.value}, since {each.raised_at:%Y-%m-%d %H:%M} UTC: {each.sentence}")
