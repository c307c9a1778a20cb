"""The way over an issuer: there, and back with a code."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from sqlalchemy.engine import Connection
from starlette.responses import RedirectResponse, Response

from ingest.errors import AccessError, IssuerError
from service.access import throttle
from service.access.errand import Errand
from service.access.issuer import Issuer
from service.access.single_sign_on import user_of
from service.access.throttle import network_of
from service.api.cookie import drop_errand, errand_in, set_errand
from service.api.given import Room, Who, moment_of_doors
from service.api.problem import ProblemError
from service.dashboard.sign_in_page import Next, come_in, local, refuse_insecure, sign_in_form, too_many

router = APIRouter()
BACK = "/sign-in/oidc/back"
Word = Annotated[str, Query(max_length=4000)]


@router.get("/sign-in/oidc")
def go(request: Request, asked: Who, next: Next = "/") -> Response:  # noqa: A002 – the name in the address
    """Send a browser to the issuer, unless somebody is signed in: no other site's link makes them somebody else."""
    issuer = _issuer(request)
    refuse_insecure(request)
    if asked.actor.by == "session":
        return RedirectResponse(local(next), 303)
    errand = Errand.begin(local(next))
    try:
        response = RedirectResponse(issuer.page(errand, _back(request)), 303)
    except IssuerError as error:
        return _refused(request, errand.following, error, 502)
    set_errand(response, request.scope, errand.kept())
    return response


@router.get(BACK)
def come_back(
    request: Request, room: Room, asked: Who, code: Word = "", state: Word = "", error: Word = ""
) -> Response:
    """Take a code of the issuer, and begin a session of whoever it vouches for."""
    issuer, now = _issuer(request), moment_of_doors(request)
    refuse_insecure(request)
    errand = Errand.read(errand_in(request))
    if errand is None or not errand.is_of(state):
        if asked.actor.by == "session":  # looked at again, or another tab was sooner
            return RedirectResponse("/", 303)
        why = "this browser did not ask for that, or too long ago: sign in again"
        return _refused(request, "/", AccessError(why), 403)
    following = local(errand.following)
    if not code:
        said = error[:100] if error.isprintable() else ""  # it goes into the log, where a line is a line
        why = f"{issuer.host} did not let you in ({said or 'no code'})"
        return _over(request, _refused(request, following, AccessError(why), 403))
    # Whose try it is shows only when it is over, so tries count by where they come from.
    address, name = network_of(request.client.host if request.client else ""), f"errand {errand.state}"
    with room.state.write() as connection:
        wait = throttle.reserve(connection, name, address, at=now)
    if wait:
        return too_many(request, following, wait)

    def known(connection: Connection) -> int:
        user = user_of(connection, person, at=now)
        throttle.forgive(connection, name, address)
        return user.id

    try:
        person = issuer.person(code, errand, _back(request))
        response = come_in(request, room, known, asked.actor.session, now, following)
    except IssuerError as failed:
        with room.state.write() as connection:  # it is not their fault, and passwords must go on
            throttle.forgive(connection, name, address)
        return _over(request, _refused(request, following, failed, 502))
    except AccessError as failed:
        return _over(request, _refused(request, following, failed, 403))
    _log(request, came_in=True, user=person.name)
    return _over(request, response)


def _issuer(request: Request) -> Issuer:
    issuer: Issuer | None = request.app.state.issuer
    if issuer is None:
        raise ProblemError(404, "there is no single sign-on here; ANDON_OIDC_ISSUER names an issuer")
    return issuer


def _back(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{BACK}"


def _over(request: Request, response: Response) -> Response:
    drop_errand(response, request.scope)
    return response


def _refused(request: Request, following: str, why: AccessError | IssuerError, status: int) -> Response:
    _log(request, came_in=False, why=str(why))
    return sign_in_form(request, following, f"{str(why)[0].upper()}{str(why)[1:]}.", status=status)


def _log(request: Request, **said: object) -> None:
    address = request.client.host if request.client else ""
    structlog.get_logger().info("sign in", by="issuer", address=address, **said)
