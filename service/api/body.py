"""Request bodies: bounded, and of a kind that we read."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from service.api.problem import ProblemError

MEBIBYTE = 1024 * 1024


def bounded_body(limit: int) -> Callable[[Request], Awaitable[bytes]]:
    """Return a dependency that reads a whole body of at most ``limit`` bytes, or answers 413.

    The length is counted while it arrives: a body that says nothing of its length, or lies, is
    bounded as well.
    """

    async def body(request: Request) -> bytes:
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise ProblemError(415, "the body is compressed; send it as it is", headers={"Accept-Encoding": "identity"})
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_large(limit)
        parts = bytearray()
        async for part in request.stream():
            parts += part
            if len(parts) > limit:
                raise _too_large(limit)
        return bytes(parts)

    return body


def content_type(request: Request) -> str:
    """Media type of the body, without parameters and in lower case; empty when none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        413, f"a body may have {limit:,} bytes; send it in several parts", headers={"Connection": "close"}
    )
