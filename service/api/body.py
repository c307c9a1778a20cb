"""Request bodies: bounded whatever they say of their length, unpacked, and of a kind that we read."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

import pyarrow as pa
from anyio import to_thread
from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problem import Problem, problem_response

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes, after unpacking; about 10,000 rows of 50 signals as JSON are 8 MB."""

BODIES_IN_MEMORY = 8 * LARGEST_BODY
"""Bytes of all requests that are under way."""

INLINE_BYTES = 256 * 1024
"""What is larger than this is worked on in a thread, so that other requests do not wait for it."""

PART_BYTES = 256 * 1024
UNPACKED_AT_ONCE = 4
"""Large bodies; each may have ``LARGEST_BODY`` before anybody can count them."""

ENCODINGS = ("gzip", "zstd")


class BoundedBody:
    """Unpacks bodies, and answers 413 to one that is too large and 503 where all together are.

    Parameters
    ----------
    limit : bytes that one body may have, as it comes and unpacked
    together : bytes that the bodies of all requests under way may have
    """

    def __init__(self, app: ASGIApp, limit: int = LARGEST_BODY, together: int = BODIES_IN_MEMORY) -> None:
        self._app, self._limit, self._together = app, limit, max(limit, together)
        self._held = 0
        self._unpacking = asyncio.Semaphore(UNPACKED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", *ENCODINGS):
            detail = f"the body is packed as {encoding[:80]!r}; send it as it is, or as {' or '.join(ENCODINGS)}"
            await self._refuse(415, detail, scope, receive, send)
            return
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._limit:
            await self._refuse(413, self._too_large, scope, receive, send)
            return
        with self._counting(receive) as counted:
            if encoding == "identity":
                await self._app(scope, counted, send)
                return
            try:
                body = await self._unpacked(encoding, counted)
                self._refuse_when_full(len(body))
            except HTTPException as error:
                await self._refuse(error.status_code, error.detail, scope, receive, send)
                return
            except ClientDisconnect:
                return
            self._held += len(body)
            try:
                await self._app(_plain(scope, len(body)), _once(body, receive), send)
            finally:
                self._held -= len(body)

    @contextmanager
    def _counting(self, receive: Receive) -> Iterator[Receive]:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self._held += size
            if received > self._limit:
                raise HTTPException(413, self._too_large)
            self._refuse_when_full()
            return message

        try:
            yield counted
        finally:
            self._held -= received

    async def _unpacked(self, encoding: str, receive: Receive) -> bytes:
        packed = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            packed += message.get("body", b"")
            more = message.get("more_body", False)
        if len(packed) <= INLINE_BYTES // 8:
            return unpack(bytes(packed), encoding, self._limit)
        async with self._unpacking:
            # Those that were let in while this one waited may have taken the room.
            self._refuse_when_full()
            return await to_thread.run_sync(unpack, bytes(packed), encoding, self._limit)

    def _refuse_when_full(self, more: int = 0) -> None:
        if self._held + more > self._together:
            raise HTTPException(
                503, "more comes than can be taken; send it again in a moment", headers={"Retry-After": "1"}
            )

    @property
    def _too_large(self) -> str:
        return too_large(self._limit)

    async def _refuse(self, status: int, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
        title = HTTPStatus(status).phrase
        # The connection stays open: the server throws away what is left of the body. Closing it would reset it
        # while the client still sends, and the answer would be lost.
        response = problem_response(Problem(title=title, status=status, detail=detail, instance=scope["path"]))
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = "1"
        await response(scope, receive, send)


def unpack(packed: bytes, encoding: str, limit: int) -> bytes:
    """Return what was packed, holding no more than ``limit`` bytes of it.

    Raises
    ------
    HTTPException
        413 if it is more; 400 if it is not packed so, or cut off.
    """
    parts: list[bytes] = []
    left = limit + 1
    # Read into a place of our own: pyarrow never frees the one that it makes for ``read`` when that fails.
    place = memoryview(bytearray(min(left, PART_BYTES)))
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), encoding) as stream:
            while left and (size := stream.readinto(place[:left])):
                parts.append(bytes(place[:size]))
                left -= size
    except (OSError, pa.ArrowException) as error:
        raise HTTPException(400, f"the body is not packed as {encoding}, or is cut off") from error
    if not left:
        raise HTTPException(413, too_large(limit))
    return b"".join(parts)


def too_large(limit: int) -> str:
    """Return what to say to a body of more than ``limit`` bytes."""
    return f"a body may have {limit:,} bytes; send it in several parts"


def _plain(scope: Scope, length: int) -> Scope:
    """Return the scope of a request as if its body had come unpacked."""
    plain = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=plain)
    del headers["content-encoding"]
    del headers["transfer-encoding"]
    headers["content-length"] = str(length)
    return plain


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def raw_body(request: Request) -> bytes:
    """Return the whole body, not parsed."""
    return await request.body()


RawBody = Annotated[bytes, Depends(raw_body)]


def content_type(headers: Headers) -> str:
    """Media type of the body, without parameters and in lower case; empty when none is given."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
