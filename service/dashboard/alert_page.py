"""Pages of alerts: the list, one alert with its evidence and history, and what people say to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from sqlalchemy.engine import Connection
from starlette.responses import Response

from ingest.duration import parse_duration
from ingest.plant import Plant
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.assign import assign, unassign
from service.alerts.found import Found, known_modes, refuse_unknown, understood
from service.alerts.kept_money import kept_money
from service.alerts.mutes import list_mutes, muted
from service.alerts.offers import offers
from service.alerts.out_of_service import back_in_service, take_out_of_service
from service.alerts.pipeline.trace import trace_of
from service.alerts.rank import severity_of, where_to_look_first
from service.alerts.record import record_of
from service.alerts.shelve import shelve, unshelve
from service.api.alert_view import Number
from service.api.body import RawBody
from service.api.etag import alert_tag, refuse_unless_matched
from service.api.given import Now, Room
from service.api.problem import ProblemError
from service.dashboard import chart
from service.dashboard.band_chart import band_chart
from service.dashboard.chart import Mark
from service.dashboard.render import back_to, page, person, read_form
from service.dashboard.why_sum import signed, sum_of
from service.grades import grade_of_alert, kept_grades
from service.phases import phases_of_alerts
from service.why import reason_of

router = APIRouter()
_ROWS = 100
_NO_REASON = "please say why: the field 'Why' is empty"


@router.get("/alerts")
def alerts_page(
    request: Request,
    room: Room,
    now: Now,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    assignee: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show all alerts, or those of one person, newest first."""
    mine = assignee or None
    with room.state.read() as connection:
        found = book.list_alerts(
            connection,
            states=tuple(AlertState),
            machines=room.shown,
            assignee=mine,
            before=before,
            limit=_ROWS + 1,
        )
        found = muted(connection, found, now)
        mutes = list_mutes(connection, at=now, machines=room.shown, limit=_ROWS)
    whose = f"&assignee={quote(assignee)}" if assignee else ""
    older = f"/alerts?before={found[_ROWS - 1].number}{whose}" if len(found) > _ROWS else None
    return page(request, "alerts.html", alerts=found[:_ROWS], older=older, mutes=mutes, assignee=assignee)


@router.get("/alerts/{number}")
def alert_page(request: Request, number: Number, room: Room, now: Now) -> Response:
    """Show one alert."""
    with room.state.read() as connection:
        alert, history = book.find_muted(connection, number, now), book.history(connection, number)
        tag, lost = alert_tag(connection, number), kept_money(connection)
        phase = phases_of_alerts(connection, room.plant.alerts).get(number)
        record = record_of(connection, alert, room.registry.card)
        trace = trace_of(connection, number)
    kept = kept_grades(room.state, room.plant, [alert.machine])[alert.machine]
    grade = grade_of_alert(room.plant, alert.model, kept)
    ranked = where_to_look_first([alert] if alert.live else [], room.plant.costs, now, room.registry.card, lost)
    why_here = ranked[0].why if ranked else ""
    word = severity_of(ranked[0], room.plant) if ranked else None
    offered = offers(alert)
    reason = reason_of(room, alert, now=now)
    mark = Mark(alert.condition_begin, None, "alert", f"alert {alert.number}: {alert.cause}")
    return page(
        request,
        "alert.html",
        frame=chart,
        alert=alert,
        has_model=room.has_model(alert.model),
        tag=tag,
        modes=known_modes(room.plant, room.store, alert.machine) if "closed" in offered else [],
        offers=offered,
        history=history,
        why_here=why_here,
        phase=phase if alert.live else None,
        severity=word,
        grade=grade,
        record=record,
        trace=trace,
        reason=reason,
        total=None if reason.why is None else sum_of(reason.why),
        bands=[band_chart(each, room.plant.zone, [mark]) for each in reason.expected],
        signed=signed,
        levers=_levers(room.plant, alert),
    )


def _levers(plant: Plant, alert: Alert) -> str:
    """Return the class of the machine whose scrap an alert is about: its page says which readings come with it."""
    if alert.kind != "quality loss":
        return ""
    return next((each.machine_class for each in plant.machines if each.name == alert.machine), "")


@router.post("/alerts/{number}/acknowledge")
def acknowledge(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who has seen the alert."""
    fields = read_form(request, body)
    by = person(fields)
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        book.acknowledge(connection, number, by=by, at=now, note=fields.get("note", ""))
    return back_to("/" if fields.get("back") == "first" else f"/alerts/{number}", by)


@router.post("/alerts/{number}/close")
def close(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who found out what it was."""
    fields = read_form(request, body)
    by = person(fields)
    try:
        verdict = Verdict(fields.get("verdict", ""))
    except ValueError:
        raise ProblemError(422, f"choose what was found: {', '.join(each.value for each in Verdict)}") from None
    found = Found(**{name: fields.get(name, "") for name in ("mode", "mechanism", "root_cause", "action")})
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        if fields.get("new_mode") != "yes":
            refuse_unknown(found.mode, known_modes(room.plant, room.store, book.show(connection, number).machine))
        found = understood(found, room.plant)
        book.close(connection, number, verdict=verdict, by=by, at=now, note=fields.get("note", ""), found=found)
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/assign")
def assign_alert(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who gives the alert to a person, or to nobody."""
    fields = read_form(request, body)
    by, to = person(fields), fields.get("to", "")
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        if to:
            assign(connection, number, to=to, by=by, at=now)
        else:
            unassign(connection, number, by=by, at=now)
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/comment")
def comment(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who has something to say."""
    fields = read_form(request, body)
    by, text = person(fields), _told(fields, "text", "the field 'Comment' is empty")
    with room.calling(now).write() as connection:
        book.comment(connection, number, by=by, at=now, text=text)
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/reset")
def reset(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who lets what latched be normal."""
    fields = read_form(request, body)
    by = person(fields)
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        book.reset(connection, number, by=by, at=now, note=fields.get("note", ""))
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/shelve")
def shelve_alert(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who does not want to be told of it for a while."""
    fields = read_form(request, body)
    by, why = person(fields), _told(fields, "why", _NO_REASON)
    until, longest = _until(fields, now), room.plant.alerts.longest_shelving
    once = fields.get("once") == "yes"
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        shelve(connection, number, by=by, why=why, at=now, longest=longest, until=until, once=once)
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/unshelve")
def unshelve_alert(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who wants to be told of it again."""
    fields = read_form(request, body)
    by, why = person(fields), _told(fields, "why", _NO_REASON)
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        unshelve(connection, number, by=by, why=why, at=now)
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/out-of-service")
def begin_out_of_service(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who takes the alert's machine, or its cause alone, out of service."""
    fields = read_form(request, body)
    by, why = person(fields), _told(fields, "why", _NO_REASON)
    until, longest = _until(fields, now), room.plant.alerts.longest_out_of_service
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        alert = book.show(connection, number)
        cause = alert.cause if fields.get("reach") == "cause" else ""
        take_out_of_service(
            connection, alert.machine, cause=cause, by=by, why=why, at=now, longest=longest, until=until
        )
    return back_to(f"/alerts/{number}", by)


@router.post("/alerts/{number}/back-in-service")
def end_out_of_service(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who puts back in service what keeps the alert out of it."""
    fields = read_form(request, body)
    by, why = person(fields), _told(fields, "why", _NO_REASON)
    with room.calling(now).write() as connection:
        _as_seen(connection, number, fields)
        reach = [str(each.id) for each in book.find_muted(connection, number, now).mutes]
        if (mute := fields.get("mute", "")) not in reach:
            raise ProblemError(409, f"alert {number} is not out of service by mute {mute!r}; it may be back already")
        back_in_service(connection, int(mute), by=by, why=why, at=now)
    return back_to(f"/alerts/{number}", by)


def _as_seen(connection: Connection, number: int, fields: Mapping[str, str]) -> None:
    """Refuse a form that was made from an older state of the alert."""
    book.show(connection, number)
    refuse_unless_matched(fields.get("tag"), alert_tag(connection, number), f"alert {number}")


def _told(fields: Mapping[str, str], name: str, otherwise: str) -> str:
    if not (text := fields.get(name, "")):
        raise ProblemError(422, otherwise)
    return text


def _until(fields: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when a form says that it is over; ``None`` where it says nothing."""
    if not (text := fields.get("lasting", "")):
        return None
    try:
        return now + parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise ProblemError(422, f"how long: {error}") from None
