"""Request bodies: bounded whatever they say of their length, and of a kind that we read."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problem import Problem, problem_response

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes; about 10,000 rows of 50 signals as JSON are 8 MB."""


class BoundedBody:
    """Answers 413 to a body of more than ``limit`` bytes, counted while it arrives."""

    def __init__(self, app: ASGIApp, limit: int = LARGEST_BODY) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").lower() != "identity":
            await self._refuse(415, "the body is compressed; send it as it is", scope, receive, send)
            return
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._limit:
            await self._refuse(413, self._too_large, scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, self._too_large)
            return message

        await self._app(scope, receive_counted, send)

    @property
    def _too_large(self) -> str:
        return f"a body may have {self._limit:,} bytes; send it in several parts"

    async def _refuse(self, status: int, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
        title = "Content Too Large" if status == 413 else "Unsupported Media Type"
        response = problem_response(Problem(title=title, status=status, detail=detail, instance=scope["path"]))
        # What is left of the body would be read as the next request.
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


async def raw_body(request: Request) -> bytes:
    """Return the whole body, not parsed."""
    return await request.body()


RawBody = Annotated[bytes, Depends(raw_body)]


def content_type(request: Request) -> str:
    """Media type of the body, without parameters and in lower case; empty when none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
