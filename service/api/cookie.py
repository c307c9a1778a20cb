"""The cookie that holds a session: ``__Host-`` over https, and another name over http from this computer alone."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from service.access.address import is_loopback

SECURE, LOCAL = "__Host-andon", "andon-local"
_ERRAND = "-errand"
_ERRAND_SECONDS = 600
"""As long as somebody may take to sign in at an issuer."""


def cookie_name(scope: Scope) -> str:
    """Return which cookie counts for a request; empty over plain http from elsewhere, where anybody could read it.

    Examples
    --------
    >>> cookie_name({"scheme": "https", "client": ("192.0.2.1", 1)}), cookie_name({"scheme": "http", "client": None})
    ('__Host-andon', '')
    >>> cookie_name({"scheme": "http", "client": ("127.0.0.1", 1)})
    'andon-local'
    """
    if scope["scheme"] == "https":
        return SECURE
    return LOCAL if is_loopback(scope["client"][0] if scope.get("client") else "") else ""


def set_session(response: Response, scope: Scope, token: str) -> None:
    """Give a browser a session; the browser forgets it when it ends, and the database when it is over."""
    name = cookie_name(scope)
    response.set_cookie(name, token, path="/", secure=name == SECURE, httponly=True, samesite="lax")


def drop_session(response: Response, scope: Scope) -> None:
    """Take the session from a browser."""
    name = cookie_name(scope)
    response.delete_cookie(name, path="/", secure=name == SECURE, httponly=True, samesite="lax")


def set_errand(response: Response, scope: Scope, kept: str) -> None:
    """Let a browser keep something while it is at an issuer; it sends it along when it comes back from there."""
    name = cookie_name(scope)
    response.set_cookie(
        name + _ERRAND, kept, max_age=_ERRAND_SECONDS, path="/", secure=name == SECURE, httponly=True, samesite="lax"
    )


def errand_in(request: Request) -> str:
    """Return what a browser kept meanwhile; empty if nothing."""
    return request.cookies.get(cookie_name(request.scope) + _ERRAND, "")


def drop_errand(response: Response, scope: Scope) -> None:
    """Take it from the browser: each way there is for one way back."""
    name = cookie_name(scope)
    response.delete_cookie(name + _ERRAND, path="/", secure=name == SECURE, httponly=True, samesite="lax")
