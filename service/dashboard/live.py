"""Live pages: a stream that rings when a page may say something else now, and beats so that its silence is noticed.

It carries no letter, only the bell: a page then asks again for itself, through the same gate as before. So whatever
whoever looks may not see, or may see no more, does not come by here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from starlette.responses import Response

from service.api.alert_stream import LiveResponse
from service.api.given import Room
from service.delivery.live import Listener, LiveAlerts, newest_line

router = APIRouter()

BEAT_SECONDS = 2.0
"""A page that hears nothing for twice as long says that it is stale; ``static/live.js`` waits 4.5 s."""
LONGEST_SECONDS = 600.0
"""A stream ends then and the page comes back, so that a session that is over is noticed."""
RETRY_MILLISECONDS = 1_000


@router.get("/live")
async def live_page(
    request: Request,
    room: Room,
    last: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)] = None,
    after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> Response:
    """Stream a bell for each thing that happens to alerts that whoever looks may see, and a beat every 2 s."""
    live: LiveAlerts = request.app.state.live
    listener = await live.join()
    shown = None if room.shown is None else frozenset(room.shown)

    def local() -> str:
        moment: datetime = request.app.state.clock()
        return f"{moment.astimezone(room.plant.zone):%H:%M:%S}"

    return LiveResponse(live, listener, bell(live, listener, last if last is not None else after, shown, local))


async def bell(
    live: LiveAlerts,
    listener: Listener,
    after: int | None,
    shown: frozenset[str] | None,
    local: Callable[[], str],
    *,
    beat_seconds: float = BEAT_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> AsyncIterator[bytes]:
    """Give ``bell`` events with the newest id, and ``beat`` events with the time of day as a page writes it.

    Parameters
    ----------
    after : the newest thing that the page knows; it hears at once if anything came since
    shown : machines that count; ``None`` for all
    local : returns the plant's time of day
    """
    tell_time = asyncio.get_running_loop().time
    begun, beaten = tell_time(), -beat_seconds
    async with aclosing(live.batches(listener, after, beat_seconds)) as batches:
        async for position, lines in batches:
            told = b""
            if any(shown is None or each.machine in shown for each in lines):
                told += format_sse_event(event="bell", data_str=local(), id=str(position))
            if not lines or tell_time() >= beaten + beat_seconds:
                beaten = tell_time()
                told += format_sse_event(event="beat", data_str=local(), id=str(position), retry=RETRY_MILLISECONDS)
            if told:
                yield told
            if tell_time() >= begun + longest_seconds:
                return


async def note_newest(request: Request) -> None:
    """Remember with a request the newest thing that happened before its page was made: the bell goes on from there."""
    if request.method == "GET" and request.url.path != "/live":
        request.state.newest = await to_thread.run_sync(newest_line, request.app.state.room.state)
