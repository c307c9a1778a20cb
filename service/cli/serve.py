"""Watch around the clock: the HTTP interface, the dashboard and the jobs."""

import gc
import socket
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from ingest.errors import AndonError, ScheduleError
from service.cli.call import current_call, shared_options, wall_clock

if TYPE_CHECKING:
    from service.control_room import ControlRoom
    from service.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on.  [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [8420]")
@click.option("--jobs/--no-jobs", default=None, help="Run the plant's jobs.  [on]")
@click.option("--replay", is_flag=True, help="Let the clock start at the newest reading, for a recorded plant.")
@shared_options
def command(host: str | None, port: int | None, jobs: bool | None, replay: bool) -> None:
    """Serve the dashboard and /api/v1, and run the plant's jobs until Ctrl-C."""
    # What is loaded now stays: to look for garbage among it takes a fifth of the start.
    gc.disable()
    from ingest.stored_unit import hold_units
    from service.control_room import open_control_room
    from service.jobs.schedule import unusable_schedules

    settings = current_call().settings(host=host, port=port, jobs=jobs)
    with open_control_room(settings) as room:
        if settings.jobs and (problems := unusable_schedules(room.plant.jobs)):
            raise ScheduleError("\n".join(problems))
        hold_units(room.plant, room.store.units, wall_clock())
        told = who_comes_in(room)
        clock = replayed_clock(room) if replay else wall_clock
    click.echo(told)
    serve(settings, clock=clock)


def serve(settings: "Settings", *, clock: Callable[[], datetime]) -> None:
    """Serve until interrupted; print the address first.

    Raises
    ------
    AndonError
        If the address cannot be listened on.
    """
    import uvicorn

    from service.access.doors import Doors
    from service.access.sessions import Lifetime
    from service.api.head import BoundedHead
    from service.app import create_app
    from service.structured_logs import configure_logs

    configure_logs("console" if sys.stderr.isatty() else "json")
    # Sessions and keys end by the real time, also where the past is replayed.
    doors = Doors(wall_clock, Lifetime(settings.session_idle, settings.session_longest))
    app = create_app(settings, clock=clock, doors=doors)
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.tls_certificate else "http"
    click.echo(f"The dashboard is at {scheme}://{host}:{port}/  (Ctrl-C ends)")
    config = uvicorn.Config(
        app,
        http=BoundedHead,
        log_config=None,
        server_header=False,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    server = uvicorn.Server(config)
    # It waits for all answers to end before it ends itself; streams never do by themselves.
    app.state.live.ending = lambda: server.should_exit
    # Nor later on: that would hold requests up, again and again.
    gc.freeze()
    gc.enable()
    server.run(sockets=[listener])


def who_comes_in(room: "ControlRoom") -> str:
    """Return in one line who may do what here.

    Raises
    ------
    AccessError
        If everybody on the network could do everything, and nobody said that this is meant.
    """
    from ingest.errors import AccessError
    from service.access.address import is_loopback
    from service.access.users import any_user

    settings = room.settings
    with room.state.read() as connection:
        if any_user(connection):
            return "People sign in; programs show a key."
    if is_loopback(settings.host):
        return "Open: there is no user, so everybody on this computer may do everything ('andon users first')."
    if settings.open:
        return (
            f"OPEN TO THE NETWORK: everybody who reaches {settings.host} may do everything, since ANDON_OPEN=yes"
            " and there is no user; 'andon users first' makes the first admin."
        )
    raise AccessError(
        f"{settings.host} can be reached by others, and there is no user yet: everybody could do everything;"
        " make the first admin with 'andon users first', listen on 127.0.0.1, or set ANDON_OPEN=yes if it is meant"
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this address.

    Raises
    ------
    AndonError
        If the port is taken or the address is not of this computer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches off the delay of small packets (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on clients wait in line until the application is up.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise AndonError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from error
    return listener


def replayed_clock(room: "ControlRoom") -> Callable[[], datetime]:
    """Return a clock that starts at the newest reading and goes on at the usual pace."""
    from service.freshness import newest_readings

    started = wall_clock()
    newest = max(newest_readings(room.plant, room.store).values(), default=started)
    offset: timedelta = newest - started
    return lambda: wall_clock() + offset
