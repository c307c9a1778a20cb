"""The way over an issuer: there, and back with a code."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from ingest.errors import AccessError, IssuerError
from service.access import throttle
from service.access.issuer import Errand, Issuer
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
def go(request: Request, next: Next = "/") -> Response:  # noqa: A002 – the name in the address
    """Send a browser to the issuer."""
    issuer = _issuer(request)
    refuse_insecure(request)
    errand = Errand.begin(local(next))
    try:
        response = RedirectResponse(issuer.page(errand, _back(request)), 303)
    except IssuerError as error:
        return sign_in_form(request, errand.following, f"{error}.", status=502)
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
        return _refused(request, "/", "This browser did not ask for that, or too long ago: sign in again.", 403)
    following = local(errand.following)
    if not code:
        return _refused(request, following, f"{issuer.host} did not let you in ({(error or 'no code')[:100]}).", 403)
    # Whose try it is shows only when it is over, so tries count by where they come from.
    address, name = network_of(request.client.host if request.client else ""), f"errand {errand.state}"
    with room.state.write() as connection:
        wait = throttle.reserve(connection, name, address, at=now)
    if wait:
        return too_many(request, following, wait)
    try:
        person = issuer.person(code, errand, _back(request))
        with room.state.write() as connection:
            user = user_of(connection, person, at=now)
            throttle.forgive(connection, name, address)
    except IssuerError as failed:
        return _refused(request, following, f"{failed}.", 502)
    except AccessError as failed:
        return _refused(request, following, f"{str(failed)[0].upper()}{str(failed)[1:]}.", 403)
    response = come_in(request, room, user.id, asked.actor.session, now, following)
    drop_errand(response, request.scope)
    return response


def _issuer(request: Request) -> Issuer:
    issuer: Issuer | None = request.app.state.issuer
    if issuer is None:
        raise ProblemError(404, "there is no single sign-on here; ANDON_OIDC_ISSUER names an issuer")
    return issuer


def _back(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{BACK}"


def _refused(request: Request, following: str, why: str, status: int) -> Response:
    response = sign_in_form(request, following, why, status=status)
    drop_errand(response, request.scope)
    return response
