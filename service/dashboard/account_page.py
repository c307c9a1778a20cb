"""My account: password, second factor, sessions and keys of whoever is signed in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from ingest.duration import parse_duration
from ingest.errors import AccessError
from service.access import keys, sessions, totp, users
from service.access.keys import Wish
from service.access.password import checked
from service.access.record import record_key, record_user
from service.access.role import KEY_RIGHTS, MEANING, RIGHTS, Right
from service.access.sign_in import Try, sign_in
from service.access.users import User
from service.api.body import RawBody
from service.api.cookie import set_session
from service.api.gate import Asked
from service.api.given import Room, Who, moment_of_doors, refresh
from service.api.problem import ProblemError
from service.control_room import ControlRoom
from service.dashboard.render import page, read_form

router = APIRouter()


@router.get("/account")
def account_page(request: Request, room: Room, asked: Who) -> Response:
    """Show what somebody can change of their own access."""
    return _page(request, room, asked)


@router.post("/account/password")
def change_password(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Take a new password; all sessions end, and this browser gets a new one."""
    fields, now = read_form(request, body), moment_of_doors(request)
    user = _sure(request, room, asked, fields)
    password = fields.get("new", "")
    if password != fields.get("again", ""):
        raise AccessError("the two new passwords are not the same")
    hashed = request.app.state.doors.passwords.hashed(checked(password, user.name))
    with room.state.write() as connection:
        users.set_password(connection, user, hashed)
        record_user(connection, user, "password set", by=user.name, at=now)
        token = sessions.begin(
            connection,
            user.id,
            at=now,
            lifetime=request.app.state.doors.lifetime,
            address=request.client.host if request.client else "",
            agent=request.headers.get("user-agent", ""),
        )
    refresh(request)
    response = RedirectResponse("/account", 303)
    set_session(response, request.scope, token)
    return response


@router.post("/account/second-factor")
def set_second_factor(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Ask for a code of this secret from now on, once one shows that the app has it; other sessions end."""
    fields, now = read_form(request, body), moment_of_doors(request)
    user = _sure(request, room, asked, fields)
    secret = fields.get("secret", "")
    step = totp.step_of(secret, fields.get("code", ""), now) if totp.is_secret(secret) else None
    if step is None:
        raise AccessError("this is no code of that secret now; see that the clocks are right, and begin again")
    with room.state.write() as connection:
        users.set_totp(connection, user, secret, step=step)
        record_user(connection, user, "second factor set", by=user.name, at=now)
        sessions.end_all(connection, user.id, but=[asked.actor.session])
    refresh(request)
    return RedirectResponse("/account", 303)


@router.post("/account/second-factor/off")
def drop_second_factor(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Ask for no code any more."""
    fields = read_form(request, body)
    user = _sure(request, room, asked, fields)
    with room.state.write() as connection:
        users.set_totp(connection, user, "")
        record_user(connection, user, "second factor dropped", by=user.name, at=moment_of_doors(request))
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/end")
def end_sessions(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """End all other sessions of the user."""
    read_form(request, body)
    with room.state.write() as connection:
        sessions.end_all(connection, _number(asked), but=[asked.actor.session])
    refresh(request)
    return RedirectResponse("/account", 303)


@router.post("/account/keys")
def make_own_key(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Make a key that may do no more than the user may, and show it once."""
    fields, now = read_form(request, body), moment_of_doors(request)
    rights = [each for each in Right if fields.get(f"right-{each.value}") == "yes"]
    if beyond := [each.value for each in rights if each not in asked.actor.rights]:
        raise AccessError(f"you have not the right '{beyond[0]}' yourself")
    wish = Wish(
        name=fields.get("name", ""),
        rights=rights,
        reach=asked.actor.reach,
        lasting=_lasting(fields.get("lasting", "")),
        account=_number(asked),
    )
    with room.state.write() as connection:
        made, secret = keys.make(connection, wish, by=asked.actor.name, at=now)
        record_key(connection, made, "made", by=asked.actor.name, at=now)
    return _page(request, room, asked, secret=secret)


@router.post("/account/keys/{key}/revoke")
def revoke_own_key(
    request: Request, key: Annotated[int, Path(ge=1, lt=2**31)], body: RawBody, room: Room, asked: Who
) -> Response:
    """Let a key of the user open nothing any more."""
    read_form(request, body)
    now = moment_of_doors(request)
    with room.state.write() as connection:
        found = keys.show(connection, key, account=_number(asked))
        keys.revoke(connection, found, at=now)
        record_key(connection, found, "revoked", by=asked.actor.name, at=now)
    refresh(request)
    return RedirectResponse("/account", 303)


def _page(request: Request, room: ControlRoom, asked: Asked, *, secret: str = "") -> Response:
    now, lifetime = moment_of_doors(request), request.app.state.doors.lifetime
    with room.state.read() as connection:
        user = users.show(connection, _number(asked))
        own_sessions = sessions.list_sessions(connection, user.id, at=now, lifetime=lifetime)
        own_keys = keys.list_keys(connection, account=user.id, works_at=now)
    offered = totp.new_secret()
    return page(
        request,
        "account.html",
        live=False,
        user=user,
        sessions=own_sessions,
        keys=own_keys,
        secret=secret,
        offered=offered,
        offered_address=totp.address_of(offered, user.name, room.plant.name),
        may=[(each, MEANING[each]) for each in Right if each in RIGHTS[user.role] & KEY_RIGHTS],
        default_days=keys.DEFAULT.days,
        longest_days=keys.LONGEST.days,
    )


def _sure(request: Request, room: ControlRoom, asked: Asked, fields: Mapping[str, str]) -> User:
    """Return the user, who shows with the password that it is still they who sit there."""
    with room.state.read() as connection:
        user = users.show(connection, _number(asked))
    address = request.client.host if request.client else ""
    given = Try(user.name, fields.get("password", ""), fields.get("password-code", ""), address)
    outcome = sign_in(room.state, request.app.state.doors.passwords, given, at=moment_of_doors(request))
    if outcome.user is None:
        raise ProblemError(403, "the present password, or the code where you use one, is wrong; nothing was changed")
    return outcome.user


def _number(asked: Asked) -> int:
    if asked.actor.account is None:
        raise ProblemError(403, "only somebody who signed in has an account")
    return asked.actor.account


def _lasting(text: str) -> timedelta:
    try:
        return parse_duration(text) if text else keys.DEFAULT
    except (ValueError, OverflowError) as error:
        raise AccessError(f"how long: {error}") from error
