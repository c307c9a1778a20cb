"""The gate: every request passes it, and only who may do what the policy says of its operation comes through.

It stands before bodies are read and before the framework looks at a request. What comes through has an ``Asked``
in its state, with a control room that holds only what its actor reaches.
"""

import re
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi.routing import iter_route_contexts
from sqlalchemy import Table, select
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.errors import UnknownNameError
from service.access.actor import NOBODY, OPEN, Actor, signed_in
from service.access.authenticator import Authenticator, Credential
from service.access.csrf import HEADER, csrf_token, is_token
from service.access.keys import BEGINS
from service.access.policy import POLICY, PUBLIC, Needs, Of, Rule, unruled
from service.access.rates import Rates
from service.access.reach import Reach
from service.access.role import Right
from service.access.throttle import network_of
from service.access.token import digest_of
from service.alerts.tables import alert_table, mute_table, work_order_table
from service.api.cookie import cookie_name
from service.api.problem import ANSWERED, Answer, ProblemError
from service.control_room import ControlRoom

_SAFE = {"GET", "HEAD", "OPTIONS"}
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_MOST_ROOMS = 256
_MOST_VAIN = 60
"""Sessions and keys that open nothing, from one address in a minute."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who sends a request, and what there is for them.

    Attributes
    ----------
    room : narrowed to the reach of the actor
    csrf : token that forms of the session hold; empty without a session
    operation : that was found to be meant
    """

    actor: Actor
    room: ControlRoom
    csrf: str
    operation: "Operation"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method does at a path: the function that is called, and what the policy says of it."""

    method: str
    path: re.Pattern[str]
    written: str
    endpoint: Callable[..., Any] | None
    rule: Rule

    @property
    def name(self) -> str:
        """How the policy names it."""
        return f"{self.method} {self.written}"


_NO_OPERATION = Operation("", re.compile(""), "", None, PUBLIC)
"""There is no such operation, and the framework says so."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Where an operation says which row it is about, and where that row names its machine."""

    table: Table
    key: str
    parameter: str
    unknown: str


_NUMBERED: Mapping[Of, Numbered] = {
    Of.ALERT: Numbered(alert_table, "number", "number", "no alert {}; 'andon alerts' lists them"),
    Of.ORDER: Numbered(work_order_table, "number", "number", "no work order {}; 'andon work-orders' lists them"),
    Of.MUTE: Numbered(mute_table, "id", "mute", "no mute {}; 'andon alerts muted' lists them"),
}


class Gate:
    """Lets through what the policy allows.

    Parameters
    ----------
    operations : of the application, see ``operations_of``
    answer : what a client gets for an error
    changes : requests that change something, from one sender in a minute; readings that are pushed have a bound
        of their own
    """

    def __init__(self, app: ASGIApp, operations: Sequence[Operation], answer: Answer, changes: int) -> None:
        self._app, self._answer = app, answer
        self._operations = operations
        self._plain = _at_once(self._operations)
        self._rooms: OrderedDict[Reach, ControlRoom] = OrderedDict()
        self._changes, self._vain = Rates(changes), Rates(_MOST_VAIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            asked = await self._admitted(scope)
        except ANSWERED as error:
            response = _to_sign_in(scope, error) or self._answer(Request(scope), error)
            await response(scope, receive, send)
            return
        token = signed_in.set(asked.actor.name)
        try:
            await self._app(scope, receive, send)
        finally:
            signed_in.reset(token)

    async def _admitted(self, scope: Scope) -> Asked:
        operation, given = self._meant(scope)
        rule = operation.rule
        state = scope["app"].state
        who: Authenticator | None = getattr(state, "authenticator", None)
        if who is None:
            raise ProblemError(503, "the plant is not open yet")
        # Who is refused gets a page, too.
        known = scope.setdefault("state", {})
        known["asked"] = Asked(NOBODY, self._narrowed(state.room, NOBODY.reach), "", operation)
        actor, csrf = await self._actor(who, scope)
        room = state.room if actor.reach.whole else self._narrowed(state.room, actor.reach)
        known["asked"] = asked = Asked(actor, room, csrf, operation)
        self._may(actor, rule, scope)
        if not actor.reach.whole:
            await self._within(rule.of, given, room)
        if scope["method"] not in _SAFE and actor is not OPEN:
            self._bounded(actor, csrf, rule, scope)
        return asked

    def _meant(self, scope: Scope) -> tuple[Operation, Mapping[str, str]]:
        method, path = scope["method"], scope["path"]
        if (plain := self._plain.get((method, path))) is not None:
            return plain, {}
        for each in self._operations:
            if each.method == method and (found := each.path.match(path)):
                return each, found.groupdict()
        return _NO_OPERATION, {}

    async def _actor(self, who: Authenticator, scope: Scope) -> tuple[Actor, str]:
        if who.is_surely_open() or (not who.is_surely_closed and await to_thread.run_sync(who.look_whether_open)):
            return OPEN, ""
        credential, token = _credential(scope)
        if credential is None:
            return NOBODY, ""
        actor = who.remembered(credential)
        if actor is None:
            sender, now = _address(scope), scope["app"].state.doors.clock()
            if wait := self._vain.wait(sender, now):
                raise _too_many(wait, "too many sessions and keys that open nothing come from this address")
            actor = await to_thread.run_sync(who.look_up, credential)
            if actor is not None:
                self._vain.give_back(sender)
        if actor is None:
            if credential.by == "key":
                raise _unauthorized("this key opens nothing: it was mistyped, is over or was revoked")
            return NOBODY, ""
        return actor, csrf_token(token) if credential.by == "session" else ""

    def _may(self, actor: Actor, rule: Rule, scope: Scope) -> None:
        if rule.needs is Needs.NOTHING or (isinstance(rule.needs, Right) and rule.needs in actor.rights):
            return
        if actor is OPEN and rule.needs is Needs.SOMEBODY:
            return
        if actor.by == "nobody":
            raise _unauthorized("sign in, or send a key as 'Authorization: Bearer andon_…'")
        if actor.by == "session" and isinstance(rule.needs, Needs):
            return
        if actor.by == "key" and rule.needs is Needs.SOMEBODY:
            return
        if actor.by == "open":
            raise ProblemError(403, "nobody signs in here yet; 'andon users first' makes the first admin")
        what = "a person who signed in" if isinstance(rule.needs, Needs) else f"the right '{rule.needs.value}'"
        raise ProblemError(403, f"{scope['method']} {scope['path']} needs {what}; {actor.name} has not")

    def _narrowed(self, room: ControlRoom, reach: Reach) -> ControlRoom:
        if (known := self._rooms.get(reach)) is not None:
            return known
        self._rooms[reach] = narrowed = room.only(reach.machines(room.plant))
        if len(self._rooms) > _MOST_ROOMS:
            self._rooms.popitem(last=False)
        return narrowed

    async def _within(self, of: Of, given: Mapping[str, str], room: ControlRoom) -> None:
        if of is Of.WHOLE:
            raise UnknownNameError("there is nothing here for your part of the plant")
        if of is Of.MODEL and not room.has_model(given["model"]):
            raise UnknownNameError(f"no model {given['model'][:200]!r}")
        if (numbered := _NUMBERED.get(of)) is None:
            return
        text = given[numbered.parameter]
        # Whatever else a number can be written as is refused here, so that it is not another one behind.
        if not _NUMBER.fullmatch(text) or not await to_thread.run_sync(_is_shown, room, numbered, int(text)):
            raise UnknownNameError(numbered.unknown.format(text[:30]))

    def _bounded(self, actor: Actor, csrf: str, rule: Rule, scope: Scope) -> None:
        if csrf and scope["path"].startswith("/api/"):
            given = Headers(scope=scope).get(HEADER, "")
            if not is_token(csrf, given):
                raise ProblemError(
                    403, f"a change with a session's cookie needs the session's token in the header {HEADER}"
                )
        if rule.needs is Right.SEND:
            return
        sender = actor.name if actor.by in ("session", "key") else _address(scope)
        if wait := self._changes.wait(f"{actor.by} {sender}", scope["app"].state.doors.clock()):
            raise _too_many(wait, "too many changes in too short a time")


def asked_of(request: Request) -> Asked:
    """Return who sends a request, and what there is for them."""
    asked: Asked = request.scope["state"]["asked"]
    return asked


async def same_operation(request: Request) -> None:
    """See to it that the framework calls what the gate let through.

    Raises
    ------
    RuntimeError
        When they disagree about what a request means: then nothing is called.
    """
    meant = asked_of(request).operation
    if meant.endpoint is not request.scope["endpoint"]:
        raise RuntimeError(f"{request.method} {request.url.path} was let through as {meant.name or 'nothing'}")


def operations_of(routes: Iterable[BaseRoute]) -> list[Operation]:
    """Return every operation in the order in which the framework looks for them.

    Raises
    ------
    RuntimeError
        When one has no row in the policy.
    """
    found = [
        (method, route.path_regex, str(route.path_format), route.endpoint)
        for route in iter_route_contexts(list(routes))
        for method in sorted(route.methods or ())
    ]
    if lacking := unruled(f"{method} {path}" for method, _, path, _ in found):
        raise RuntimeError(f"no row in service/access/policy.py for {', '.join(lacking)}")
    return [Operation(*each, POLICY[f"{each[0]} {each[2]}"]) for each in found]


def _at_once(operations: Sequence[Operation]) -> dict[tuple[str, str], Operation]:
    """Return the operations that need not be searched for, by method and path."""
    return {
        (each.method, each.written): next(
            first for first in operations if first.method == each.method and first.path.match(each.written)
        )
        for each in operations
        if "{" not in each.written
    }


def _is_shown(room: ControlRoom, numbered: Numbered, number: int) -> bool:
    column = numbered.table.c
    with room.state.read() as connection:
        machine = connection.scalar(select(column.machine).where(column[numbered.key] == number))
    return machine in (room.shown or ())


def _credential(scope: Scope) -> tuple[Credential | None, str]:
    headers = Headers(scope=scope)
    kind, _, token = headers.get("authorization", "").partition(" ")
    if (key := _key_in(kind.lower(), token.strip())) is not None:
        return Credential("key", digest_of(key)), key
    name = cookie_name(scope)
    token = cookie_parser(headers.get("cookie", "")).get(name, "") if name else ""
    return (Credential("session", digest_of(token)), token) if token else (None, "")


def _key_in(kind: str, token: str) -> str | None:
    """Return the key of an ``Authorization`` header; as ``Basic`` it is the password, of any user."""
    if kind == "basic":
        try:
            token = b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:
            return None
    elif kind != "bearer":
        return None
    return token if token.startswith(BEGINS) else None


def _address(scope: Scope) -> str:
    return network_of(scope["client"][0] if scope.get("client") else "")


def _to_sign_in(scope: Scope, error: Exception) -> Response | None:
    """Send a browser that asks for a page to where people sign in."""
    wants_page = scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
    if not wants_page or not isinstance(error, ProblemError) or error.status != 401:
        return None
    if scope["path"].startswith(("/api/", "/metrics")):
        return None
    url = Request(scope).url
    asked = url.path + (f"?{url.query}" if url.query else "")
    return RedirectResponse(f"/sign-in?{urlencode({'next': asked})}", 303)


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="andon"'})


def _too_many(wait: timedelta, why: str) -> ProblemError:
    seconds = max(1, ceil(wait.total_seconds()))
    return ProblemError(429, f"{why}; try again in {seconds} s", headers={"Retry-After": str(seconds)})
