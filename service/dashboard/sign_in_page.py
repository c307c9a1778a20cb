"""Pages by which people come in: sign in, sign out, and set a password by a link."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.engine import Connection
from starlette.responses import RedirectResponse, Response

from ingest.errors import AccessError
from service.access import links, sessions, users
from service.access.password import checked
from service.access.record import record_user
from service.access.sign_in import Try, sign_in
from service.access.throttle import network_of
from service.api.body import RawBody
from service.api.cookie import cookie_name, drop_session, set_session
from service.api.given import Room, Who, moment_of_doors, refresh
from service.api.problem import ProblemError
from service.control_room import ControlRoom
from service.dashboard.render import page, read_form

router = APIRouter()
_WRONG = "Name, password or code is wrong."
_NO_HTTPS = (
    "over plain http anybody on the way could read the password: open this page over https (set ANDON_TLS_CERTIFICATE, "
    "or put a proxy before it), or on the computer itself"
)
_OVER = "this link opens nothing any more: it was used, is over a day old, or there is a newer one; ask for another"

Next = Annotated[str, Query(max_length=2000, description="Page to go on to.")]


@router.get("/sign-in")
def sign_in_page(request: Request, asked: Who, next: Next = "/") -> Response:  # noqa: A002 – the name in the address
    """Ask who somebody is."""
    if asked.actor.by in ("session", "open"):
        return RedirectResponse(local(next), 303)
    return sign_in_form(request, local(next))


@router.post("/sign-in")
def take_sign_in(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Take name, password and code; begin a session if all are right."""
    fields, now = read_form(request, body), moment_of_doors(request)
    refuse_insecure(request)
    following = local(fields.get("next", "/"))
    address = network_of(request.client.host if request.client else "")
    given = Try(fields.get("name", ""), fields.get("password", ""), fields.get("code", ""), address)
    outcome = sign_in(room.state, request.app.state.doors.passwords, given, at=now)
    if outcome.wait:
        return too_many(request, following, outcome.wait)
    if outcome.user is None:
        return sign_in_form(request, following, _WRONG, status=401)
    return come_in(request, room, outcome.user.id, asked.actor.session, now, following)


@router.post("/sign-out")
def sign_out(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """End the session."""
    read_form(request, body)
    with room.state.write() as connection:
        sessions.end(connection, asked.actor.session)
    refresh(request)
    response = RedirectResponse("/sign-in", 303)
    drop_session(response, request.scope)
    return response


@router.get("/set-password")
def password_page(request: Request, room: Room, link: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Ask for a new password, if the link still opens; only the form uses it up."""
    with room.state.read() as connection:
        number = links.account_of(connection, link, at=moment_of_doors(request))
        if number is None:
            raise ProblemError(404, _OVER)
        name = users.show(connection, number).name
    return page(request, "set_password.html", live=False, link=link, user=name, wrong="", insecure=_insecure(request))


@router.post("/set-password")
def take_password(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Take a new password, once for each link, and begin a session; all others of the user end."""
    fields, now = read_form(request, body), moment_of_doors(request)
    refuse_insecure(request)
    token, password = fields.get("link", ""), fields.get("password", "")
    with room.state.read() as connection:
        number = links.account_of(connection, token, at=now)
        if number is None:
            raise ProblemError(404, _OVER)
        user = users.show(connection, number)
    try:
        wanted = _twice(password, fields.get("again", ""), user.name)
    except AccessError as error:
        said = {"link": token, "user": user.name, "wrong": f"{str(error)[0].upper()}{str(error)[1:]}."}
        return page(request, "set_password.html", live=False, status=422, insecure="", **said)
    hashed = request.app.state.doors.passwords.hashed(wanted)
    with room.state.write() as connection:
        # Of two who hold it at once, one comes through.
        if links.use(connection, token, at=now) != user.id or users.show(connection, user.id).disabled is not None:
            raise ProblemError(404, _OVER)
        users.set_password(connection, user, hashed)
        users.set_totp(connection, user, "")
        record_user(connection, user, "password set by a link", by=user.name, at=now)
    refresh(request)
    return come_in(request, room, user.id, asked.actor.session, now, "/")


def local(address: str) -> str:
    """Return the page to go on to, if it is one of ours; the first page if not.

    Examples
    --------
    >>> local("/alerts/7?a=b"), local("//elsewhere.example"), local("https://elsewhere.example")
    ('/alerts/7?a=b', '/', '/')
    """
    ours = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if ours and not address.startswith("/sign-in") else "/"


def sign_in_form(request: Request, following: str, wrong: str = "", *, status: int = 200) -> Response:
    """Show the form to sign in, with what was wrong before."""
    said = {"next": following, "wrong": wrong, "issuer": request.app.state.issuer}
    return page(request, "sign_in.html", live=False, status=status, insecure=_insecure(request), **said)


def too_many(request: Request, following: str, wait: timedelta) -> Response:
    """Say for how long somebody has to wait who failed too often."""
    seconds = ceil(wait.total_seconds())
    wrong = f"Too many tries. Wait {seconds} s, or ask an admin for a link to set a new password."
    response = sign_in_form(request, following, wrong, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _twice(password: str, again: str, name: str) -> str:
    if password != again:
        raise AccessError("the two passwords are not the same")
    return checked(password, name)


def come_in(
    request: Request,
    room: ControlRoom,
    user: int | Callable[[Connection], int],
    before: str,
    now: datetime,
    following: str,
) -> Response:
    """Begin a session with an id of our own; whatever session the browser had is over.

    Parameters
    ----------
    user : or what tells who it is, in the same transaction
    """
    agent = request.headers.get("user-agent", "")
    address = request.client.host if request.client else ""
    lifetime = request.app.state.doors.lifetime
    with room.state.write() as connection:
        number = user if isinstance(user, int) else user(connection)
        sessions.end(connection, before)
        token = sessions.begin(connection, number, at=now, lifetime=lifetime, address=address, agent=agent)
    refresh(request)
    response = RedirectResponse(following, 303)
    set_session(response, request.scope, token)
    return response


def _insecure(request: Request) -> str:
    return "" if cookie_name(request.scope) else _NO_HTTPS


def refuse_insecure(request: Request) -> None:
    """Refuse what somebody on the way could read."""
    if reason := _insecure(request):
        raise ProblemError(403, reason)
