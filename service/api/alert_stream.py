"""Alerts as they happen: server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from service.delivery.live import Listener, LiveAlerts

router = APIRouter(tags=["alerts"])

_SECONDS_TO_END = 0.2


class LiveResponse(EventSourceResponse):
    """A stream that ends when the client leaves, is cut off, or the server ends; even while it waits to send."""

    def __init__(self, live: LiveAlerts, listener: Listener, stream: AsyncIterator[bytes]) -> None:
        super().__init__(stream, headers={"X-Accel-Buffering": "no"})
        self._live, self._listener = live, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        ended = False

        async def send_on(message: Message) -> None:
            nonlocal ended
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)

        async def until_left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        async def until_over() -> None:
            await self._listener.over.wait()
            group.cancel_scope.cancel()

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(until_left)
                group.start_soon(until_over)
                await self.stream_response(send_on)
                group.cancel_scope.cancel()
            # A stream that is over may also have come to its own end.
            if self._listener.over.is_set() and not ended:
                with anyio.move_on_after(_SECONDS_TO_END):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._live.leave(self._listener)


# Not as a class of responses for server-sent events: FastAPI would encode each event anew for each who listens.
@router.get(
    "/alerts/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream_alerts(
    request: Request,
    last: Annotated[
        int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63, description="The last event that the client has.")
    ] = None,
    after: Annotated[int | None, Query(ge=0, lt=2**63, description="The same, for a first connection.")] = None,
) -> Response:
    """Stream what happens to alerts, as server-sent events named `alert`; each says the alert and what happened.

    A client that comes back says the last id that it has, as browsers do, and misses nothing. One that is too far
    behind is cut off, and comes back.
    """
    live: LiveAlerts = request.app.state.live
    listener = await live.join()
    return LiveResponse(live, listener, live.stream(listener, last if last is not None else after))
