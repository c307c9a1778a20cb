"""Guards around every request: what a browser may do with an answer, and who may change things."""

import time
from collections.abc import MutableMapping
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
    """Sets the security headers, refuses changes that another site's page asks for, logs one line a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            if scope["method"] not in _SAFE_METHODS and (reason := foreign(Headers(scope=scope), scope)):
                problem = Problem(title="Forbidden", status=403, detail=reason, instance=scope["path"])
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
