"""People and keys: who may sign in, in which role and where, and what programs come in with; for admins.

Each form does what the operation of the HTTP interface does, by the same functions.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from ingest.plant import Plant
from service.access import keys, sessions, users
from service.access.reach import KINDS, WHOLE
from service.access.record import record_user
from service.access.role import KEY_RIGHTS, MEANING, RIGHTS, Right, Role
from service.api import keys as key_operations
from service.api import users as user_operations
from service.api.body import RawBody
from service.api.gate import Asked
from service.api.given import Room, Who, moment_of_doors, refresh
from service.api.keys import NewKey
from service.api.problem import ProblemError
from service.api.users import NewUser, UserChange
from service.control_room import ControlRoom
from service.dashboard.render import page, read_form

router = APIRouter()

Number = Annotated[int, Path(ge=1, lt=2**31)]
Wish = TypeVar("Wish")
MOST_PLACES = 200
"""Parts of the plant that the page names; larger plants have more machines than anybody reads."""


@router.get("/users")
def users_page(request: Request, room: Room) -> Response:
    """Show who may sign in, and the keys of the plant."""
    return _all(request, room)


@router.post("/users")
def invite(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that lets somebody in, and show once the link by which they set a password."""
    fields = read_form(request, body)
    wish = _wished(lambda: NewUser(name=fields.get("name", ""), role=_role(fields), reach=_reach(fields)))
    made = user_operations.add_user(request, wish, room, asked)
    return _one(request, room, made.user.id, asked, link=made.link)


@router.get("/users/{user}")
def user_page(request: Request, user: Number, room: Room, asked: Who) -> Response:
    """Show one user: role and reach, sessions, keys."""
    return _one(request, room, user, asked)


@router.post("/users/{user}/access")
def change_access(request: Request, user: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that gives another role or reach; it counts from the next request on."""
    fields = read_form(request, body)
    wish = _wished(lambda: UserChange(role=_role(fields), reach=_reach(fields)))
    user_operations.change_user(request, user, wish, room, asked)
    return RedirectResponse(f"/users/{user}", 303)


@router.post("/users/{user}/enabled")
def set_enabled(request: Request, user: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that lets a user sign in no more, or again."""
    fields = read_form(request, body)
    if (said := fields.get("enabled", "")) not in ("yes", "no"):
        raise ProblemError(422, f"whether {user} may sign in is said by 'yes' or 'no', not by {said[:50]!r}")
    user_operations.change_user(request, user, UserChange(enabled=said == "yes"), room, asked)
    return RedirectResponse(f"/users/{user}", 303)


@router.post("/users/{user}/link")
def make_link(request: Request, user: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that makes a link to set a password, and show it once."""
    read_form(request, body)
    made = user_operations.make_link(request, user, room, asked)
    return _one(request, room, user, asked, link=made.link)


@router.post("/users/{user}/sessions/end")
def end_sessions(request: Request, user: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that ends all sessions of a user; of one's own all but this one."""
    read_form(request, body)
    with room.state.write() as connection:
        found = users.show(connection, user)
        sessions.end_all(connection, user, but=[asked.actor.session] if asked.actor.account == user else [])
        record_user(connection, found, "sessions ended", by=asked.actor.name, at=moment_of_doors(request))
    refresh(request)
    return RedirectResponse(f"/users/{user}", 303)


@router.post("/keys")
def make_key(request: Request, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that makes a key of the plant, and show it once."""
    fields = read_form(request, body)
    rights = [each for each in Right if fields.get(f"right-{each.value}") == "yes"]
    lasting = fields.get("lasting") or f"{keys.DEFAULT.days} d"
    name = fields.get("name", "")
    asked_for = {"name": name, "rights": rights, "reach": _reach(fields), "lasting": lasting}
    made = key_operations.make_key(request, _wished(lambda: NewKey.model_validate(asked_for)), room, asked)
    return _all(request, room, secret=made.secret, secret_of=made.key.name)


@router.post("/keys/{key}/rotate")
def rotate_key(request: Request, key: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that replaces a key, and show the new one once; the old one works for a week more."""
    read_form(request, body)
    made = key_operations.rotate_key(request, key, room, asked)
    return _all(request, room, secret=made.secret, secret_of=made.key.name)


@router.post("/keys/{key}/revoke")
def revoke_key(request: Request, key: Number, body: RawBody, room: Room, asked: Who) -> Response:
    """Take the form that lets a key open nothing any more, and go back to whose it was."""
    read_form(request, body)
    with room.state.read() as connection:
        account = keys.show(connection, key).account
    key_operations.revoke_key(request, key, room, asked)
    return RedirectResponse("/users" if account is None else f"/users/{account}", 303)


def _all(request: Request, room: ControlRoom, *, secret: str = "", secret_of: str = "") -> Response:
    now = moment_of_doors(request)
    lifetime = request.app.state.doors.lifetime
    with room.state.read() as connection:
        people = users.list_users(connection)
        found = [each for each in keys.list_keys(connection, works_at=now) if each.account is None]
        seen = {
            each.id: max(
                (session.seen for session in sessions.list_sessions(connection, each.id, at=now, lifetime=lifetime)),
                default=None,
            )
            for each in people
        }
    return page(
        request,
        "users.html",
        live=False,
        people=people,
        seen=seen,
        keys=found,
        secret=secret,
        secret_of=secret_of,
        key_rights=[(each, MEANING[each]) for each in Right if each in KEY_RIGHTS],
        default_days=keys.DEFAULT.days,
        longest_days=keys.LONGEST.days,
        overlap_days=keys.OVERLAP.days,
        choices=_choices(room.plant),
    )


def _one(request: Request, room: ControlRoom, number: int, asked: Asked, *, link: str = "") -> Response:
    now = moment_of_doors(request)
    with room.state.read() as connection:
        user = users.show(connection, number)
        open_sessions = sessions.list_sessions(connection, number, at=now, lifetime=request.app.state.doors.lifetime)
        own_keys = keys.list_keys(connection, account=number, works_at=now)
    return page(
        request,
        "user.html",
        live=False,
        user=user,
        own=asked.actor.account == number,
        link_once=link,
        sessions=open_sessions,
        keys=own_keys,
        choices=_choices(room.plant),
    )


def _choices(plant: Plant) -> dict[str, object]:
    places = [
        f"{kind}:{name}"
        for kind in KINDS
        for name in dict.fromkeys(each.name if kind == "machine" else getattr(each, kind) for each in plant.machines)
        if name
    ]
    return {
        "roles": [(role, [right.value for right in Right if right in RIGHTS[role]]) for role in Role],
        "places": places[:MOST_PLACES],
        "more_places": max(0, len(places) - MOST_PLACES),
    }


def _role(fields: Mapping[str, str]) -> Role:
    try:
        return Role(fields.get("role", ""))
    except ValueError:
        raise ProblemError(422, f"choose a role: {', '.join(each.value for each in Role)}") from None


def _reach(fields: Mapping[str, str]) -> list[str]:
    """Return the parts that a form names, one in a line; said to be the whole plant, it names none."""
    parts = [line.strip() for line in fields.get("parts", "").splitlines() if line.strip()]
    match fields.get("reach"):
        case "whole":
            return [WHOLE]
        case "parts" if parts:
            return parts
        case "parts":
            raise ProblemError(
                422, "name at least one part of the plant, such as 'line:Line 2', or choose the whole plant"
            )
        case _:
            raise ProblemError(422, "choose the whole plant, or some parts of it")


def _wished(make: Callable[[], Wish]) -> Wish:
    """Return what a form asks for; what cannot be asked for is a problem that says so."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the form"
        raise ProblemError(422, f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
