"""Plain pushes go past the framework: to find the way and prepare its parameters costs more than to decode a batch.

``readings.push_readings`` says the same to every push, and takes those that are not as plain as these.
"""

from collections.abc import Mapping
from datetime import UTC

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.decode.cut import Body
from service.api.body import content_type
from service.api.gate import asked_of
from service.api.problem import ANSWERED, Answer
from service.api.push import FORMATS, JSON
from service.api.push_desks import head_of

_PRECISIONS: Mapping[bytes, str] = {b"": "ns"} | {
    f"precision={each}".encode(): each for each in ("ns", "us", "ms", "s")
}
_LONGEST_KEY = 200


class PlainPush(BaseRoute):
    """Matches a push of a known format with nothing but the precision in its query, and answers it.

    Parameters
    ----------
    path : of all pushes
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is such a push."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            return Match.NONE, {}
        headers = Headers(scope=scope)
        plain = (
            scope["query_string"] in _PRECISIONS
            and content_type(headers) in FORMATS
            and 0 < len(headers.get("idempotency-key", "-")) <= _LONGEST_KEY
        )
        return (Match.FULL if plain else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a push that matched."""
        request, state = Request(scope, receive), scope["app"].state
        room = asked_of(request).room
        head = head_of(room, {"precision": _PRECISIONS[scope["query_string"]]})
        now = state.clock().astimezone(UTC)
        body = Body(FORMATS[content_type(request.headers)], await request.body(), now, head)
        receipt = await state.pushes.of(room).take(body, request.headers.get("idempotency-key"))
        await Response(receipt.model_dump_json(), media_type=JSON)(scope, receive, send)


class PastTheFramework:
    """Hands a plain push to its route at once, and answers its errors as the framework would.

    Parameters
    ----------
    path : of all pushes
    answer : what a client gets for an error
    """

    def __init__(self, app: ASGIApp, path: str, answer: Answer) -> None:
        self._app, self._route, self._answer = app, PlainPush(path), answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain push; pass any other request on."""
        if self._route.matches(scope)[0] is Match.NONE:
            await self._app(scope, receive, send)
            return
        try:
            await self._route.handle(scope, receive, send)
        except ClientDisconnect:
            return
        except ANSWERED as error:
            await self._answer(Request(scope), error)(scope, receive, send)
