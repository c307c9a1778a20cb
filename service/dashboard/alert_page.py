"""Pages of alerts: the list, one alert with its evidence and history, and what people say to it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.alerts import book
from service.alerts.alert import AlertState, Verdict
from service.alerts.kept_money import kept_money
from service.alerts.rank import where_to_look_first
from service.api.alerts import Number
from service.api.body import RawBody
from service.api.given import Now, Room
from service.api.problem import ProblemError
from service.dashboard import chart
from service.dashboard.band_chart import band_chart
from service.dashboard.chart import Mark
from service.dashboard.render import back_to, page, person, read_form
from service.dashboard.why_sum import signed, sum_of
from service.grades import grade_of_alert, kept_grades
from service.why import reason_of

router = APIRouter()
_ROWS = 100


@router.get("/alerts")
def alerts_page(request: Request, room: Room, before: Annotated[int | None, Query(ge=1, lt=2**63)] = None) -> Response:
    """Show all alerts, newest first."""
    with room.state.read() as connection:
        found = book.list_alerts(connection, states=tuple(AlertState), before=before, limit=_ROWS + 1)
    older = f"/alerts?before={found[_ROWS - 1].number}" if len(found) > _ROWS else None
    return page(request, "alerts.html", alerts=found[:_ROWS], older=older)


@router.get("/alerts/{number}")
def alert_page(request: Request, number: Number, room: Room, now: Now) -> Response:
    """Show one alert."""
    with room.state.read() as connection:
        alert, history = book.show(connection, number), book.history(connection, number)
        lost = kept_money(connection)
    kept = kept_grades(room.state, room.plant, [alert.machine])[alert.machine]
    grade = grade_of_alert(room.plant, alert.model, kept)
    ranked = where_to_look_first([alert] if alert.live else [], room.plant.costs, now, room.registry.card, lost)
    why_here = ranked[0].why if ranked else ""
    reason = reason_of(room, alert, now=now)
    mark = Mark(alert.condition_begin, None, "alert", f"alert {alert.number}: {alert.cause}")
    return page(
        request,
        "alert.html",
        frame=chart,
        alert=alert,
        history=history,
        why_here=why_here,
        grade=grade,
        reason=reason,
        total=None if reason.why is None else sum_of(reason.why),
        bands=[band_chart(each, room.plant.zone, [mark]) for each in reason.expected],
        signed=signed,
    )


@router.post("/alerts/{number}/acknowledge")
def acknowledge(request: Request, number: Number, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form of somebody who has seen the alert."""
    fields = read_form(request, body)
    by = person(fields)
    with room.state.write() as connection:
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
    with room.state.write() as connection:
        book.close(connection, number, verdict=verdict, by=by, at=now, note=fields.get("note", ""))
    return back_to(f"/alerts/{number}", by)
