"""Guards around every request: what a browser may do with an answer, and who may change things."""

import socket
import time
from collections.abc import Collection, Iterable, MutableMapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problem import Problem, problem_response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_OURS = {name for name, _ in _HEADERS}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Sets the security headers, refuses what another site's page asks for, logs one line a request.

    Parameters
    ----------
    hosts : names that this server is called by, besides its own and addresses
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        own = socket.gethostname().lower()
        self._hosts = frozenset({"localhost", own, f"{own}.local", *(host.lower() for host in hosts)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, guarded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = guarded(message.get("headers", ()))
            await send(message)

        try:
            if (problem := self._refusal(scope)) is not None:
                await problem_response(problem)(scope, receive, send_guarded)
            else:
                await self._app(scope, receive, send_guarded)
        finally:
            structlog.get_logger().debug(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(1000 * (time.perf_counter() - started), 1),
            )

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        if reason := misdirected(headers.get("host", ""), self._hosts):
            return Problem(title="Misdirected Request", status=421, detail=reason, instance=scope["path"])
        if scope["method"] not in _SAFE_METHODS and (reason := foreign(headers, scope)):
            return Problem(title="Forbidden", status=403, detail=reason, instance=scope["path"])
        return None


def guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with those that tell a browser what it may do with it.

    Examples
    --------
    >>> [name for name, _ in guarded([(b"content-length", b"2"), (b"referrer-policy", b"unsafe-url")])][:3]
    [b'content-length', b'cache-control', b'content-security-policy']
    """
    kept = [each for each in headers if each[0] not in _OURS]
    if not any(name == b"cache-control" for name, _ in kept):
        kept.append((b"cache-control", b"no-store"))
    return kept + _HEADERS


@lru_cache(128)
def misdirected(given: str, hosts: frozenset[str]) -> str:
    """Return why a request must be refused because it calls this server by another's name; empty when it need not.

    A page elsewhere can let its own name point at this computer (DNS rebinding). The browser then takes
    its requests for requests to its own site; but it still says the name.

    Examples
    --------
    >>> misdirected("elsewhere.example:8420", frozenset({"localhost"}))
    "this server is not called 'elsewhere.example'; if it is, add that name to ANDON_HOSTS"
    >>> misdirected("[::1]:8420", frozenset()), misdirected("LocalHost", frozenset({"localhost"}))
    ('', '')
    """
    try:
        name = urlsplit(f"//{given}").hostname or ""
        if name and name.removesuffix(".") not in hosts:
            ip_address(name)
    except ValueError:
        called = given.rpartition(":")[0] or given
        return f"this server is not called {called[:200]!r}; if it is, add that name to ANDON_HOSTS"
    return ""


def foreign(headers: Headers, scope: MutableMapping[str, Any]) -> str:
    """Return why a change must be refused because another site asks for it; empty when it need not.

    Browsers say where a request comes from (``Sec-Fetch-Site``, ``Origin``). Programs that say
    nothing are no browsers and cannot be tricked; but a form of a page can only come from a browser,
    so it must say it.

    Examples
    --------
    >>> foreign(Headers({"host": "andon:8000", "origin": "https://elsewhere.example"}), {})
    'this change was asked for by a page of https://elsewhere.example, not by this dashboard'
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site in ("same-origin", "none"):
        return ""
    if site is None and origin is not None and urlsplit(origin).netloc == headers.get("host"):
        return ""
    if site is None and origin is None:
        if scope.get("path", "").startswith("/api/"):
            return ""
        is_form = headers.get("content-type", "").startswith(
            ("application/x-www-form-urlencoded", "multipart/", "text/plain")
        )
        return "a form must say which page it comes from (Origin or Sec-Fetch-Site)" if is_form else ""
    return f"this change was asked for by a page of {origin or 'another site'}, not by this dashboard"
