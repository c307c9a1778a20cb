"""Guards around every request: what a browser may do with an answer, and who may change things."""

import socket
import time
from collections.abc import Collection, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problem import Problem, problem_response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
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
        self._hosts = {"localhost", own, f"{own}.local", *(host.lower() for host in hosts)}

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
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
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
        if reason := misdirected(headers, self._hosts):
            return Problem(title="Misdirected Request", status=421, detail=reason, instance=scope["path"])
        if scope["method"] not in _SAFE_METHODS and (reason := foreign(headers, scope)):
            return Problem(title="Forbidden", status=403, detail=reason, instance=scope["path"])
        return None


def misdirected(headers: Headers, hosts: Collection[str]) -> str:
    """Return why a request must be refused because it calls this server by another's name; empty when it need not.

    A page elsewhere can let its own name point at this computer (DNS rebinding). The browser then takes
    its requests for requests to its own site; but it still says the name.

    Examples
    --------
    >>> misdirected(Headers({"host": "elsewhere.example:8420"}), {"localhost"})
    "this server is not called 'elsewhere.example'; if it is, add that name to ANDON_HOSTS"
    >>> misdirected(Headers({"host": "[::1]:8420"}), ()), misdirected(Headers({"host": "LocalHost"}), {"localhost"})
    ('', '')
    """
    given = headers.get("host", "")
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
