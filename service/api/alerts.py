"""Alerts: where to look first, what happened to each, and what people found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError
from service.alerts import book
from service.alerts.alert import LIVE_STATES, Alert, AlertState
from service.alerts.assign import assign, unassign
from service.alerts.found import known_modes, refuse_unknown, understood
from service.alerts.kept_money import kept_money
from service.alerts.mutes import muted
from service.alerts.offers import offers
from service.alerts.rank import where_to_look_first
from service.alerts.record import record_of
from service.alerts.shelve import shelve, unshelve
from service.api.alert_deeds import (
    Acknowledgement,
    Assignment,
    Closing,
    Comment,
    Reset,
    Shelf,
    Unassignment,
    Unshelving,
)
from service.api.alert_view import (
    SHOWN,
    AlertDetail,
    AlertHistoryView,
    AlertPage,
    AlertView,
    HistoryPage,
    Number,
    TrackRecordView,
    open_view,
    over_view,
)
from service.api.etag import IfMatch, alert_tag, refuse_unless_matched
from service.api.given import Now, Room, machine_named
from service.api.grades import GradeView
from service.api.paging import Limit, Offset, trimmed
from service.control_room import ControlRoom
from service.grades import grade_of_alert, kept_grades
from service.phases import Standing, phases_of_alerts

router = APIRouter(tags=["alerts"])


@router.get("/alerts")
def list_alerts(
    request: Request,
    room: Room,
    now: Now,
    state: Annotated[
        list[Literal["open", "all"] | AlertState],
        Query(max_length=len(AlertState) + 2, description="Only in these states; 'open' is every state but normal."),
    ] = ["open"],  # noqa: B006 – FastAPI copies defaults
    machine: Annotated[str | None, Query(description="Only of this machine.")] = None,
    assignee: Annotated[
        str | None, Query(max_length=200, description="Only of this person; empty for those of nobody.")
    ] = None,
    order: Annotated[
        Literal["look first", "newest"],
        Query(description="'look first': open ones by the money at stake for each hour left, acknowledged ones last."),
    ] = "look first",
    limit: Limit = 50,
    offset: Offset = 0,
) -> AlertPage:
    """Return alerts, the ones to look at first at the top."""
    if machine is not None:
        machine_named(room.plant, machine)
    states = sorted({each for word in state for each in _states(word)})
    find = _newest_first if order == "newest" else _look_first
    wanted = Wanted(states, machine, assignee, room.shown)
    page, next_page = trimmed(request, find(room, now, wanted, offset, limit + 1), limit, offset)
    return AlertPage(items=_graded(page, room), next=next_page)


@router.get("/alerts/{number}")
def show_alert(number: Number, room: Room, now: Now, response: Response) -> AlertDetail:
    """Return one alert with its evidence and its history; its ETag names the state that a change is decided on."""
    return _detail(number, room, now, response)


@router.get("/alerts/{number}/history")
def list_history(request: Request, number: Number, room: Room, limit: Limit = 100, offset: Offset = 0) -> HistoryPage:
    """Return what happened to an alert, oldest first."""
    with room.state.read() as connection:
        book.show(connection, number)
        lines = book.history(connection, number, offset=offset, limit=limit + 1)
    page, next_page = trimmed(request, lines, limit, offset)
    return HistoryPage(items=[AlertHistoryView.model_validate(each) for each in page], next=next_page)


@router.post("/alerts/{number}/acknowledge")
def acknowledge(
    number: Number, body: Acknowledgement, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Say that somebody has seen the alert and answers for it; 409 if somebody did before."""
    with _changing(room, number, now, if_match) as connection:
        book.acknowledge(connection, number, by=body.by, at=now, note=body.note)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/reset")
def reset(
    number: Number, body: Reset, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Let an alert that latched become normal; 409 unless it is acknowledged and its condition is over."""
    with _changing(room, number, now, if_match) as connection:
        book.reset(connection, number, by=body.by, at=now, note=body.note)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/shelve")
def shelve_alert(
    number: Number, body: Shelf, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Shelve the alert, and others of its machine and cause meanwhile; 409 if it is normal or shelved so."""
    until = None if body.lasting is None else now + body.lasting
    longest = room.plant.alerts.longest_shelving
    with _changing(room, number, now, if_match) as connection:
        shelve(connection, number, by=body.by, why=body.why, at=now, longest=longest, until=until, once=body.once)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/unshelve")
def unshelve_alert(
    number: Number, body: Unshelving, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """End the shelving of the alert before its time; 409 if it is not shelved."""
    with _changing(room, number, now, if_match) as connection:
        unshelve(connection, number, by=body.by, why=body.why, at=now)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/close")
def close(
    number: Number, body: Closing, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Close the alert with a verdict, which becomes part of the model's track record; 409 if it has one."""
    with _changing(room, number, now, if_match) as connection:
        if body.mode and not body.new_mode:
            machine = book.show(connection, number).machine
            refuse_unknown(body.mode, known_modes(room.plant, room.store, machine))
        found = understood(body.found, room.plant)
        book.close(connection, number, verdict=body.verdict, by=body.by, at=now, note=body.note, found=found)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/assign")
def assign_alert(
    number: Number, body: Assignment, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Give the alert to a person; 409 if it is theirs already, or has a verdict."""
    with _changing(room, number, now, if_match) as connection:
        assign(connection, number, to=body.to, by=body.by, at=now, note=body.note)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/unassign")
def unassign_alert(
    number: Number, body: Unassignment, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Take the alert from whoever it was given to; 409 if it is nobody's."""
    with _changing(room, number, now, if_match) as connection:
        unassign(connection, number, by=body.by, at=now, note=body.note)
    return _detail(number, room, now, response)


@router.post("/alerts/{number}/comment")
def comment(
    number: Number, body: Comment, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> AlertDetail:
    """Add a remark to the alert's history; possible in every state."""
    with _changing(room, number, now, if_match) as connection:
        book.comment(connection, number, by=body.by, at=now, text=body.text)
    return _detail(number, room, now, response)


@contextmanager
def _changing(room: ControlRoom, number: int, now: datetime, if_match: str | None) -> Iterator[Connection]:
    """Give a transaction for a change of an alert that still is as the caller has seen it.

    What the present state forbids names everything that a person can do in its place.
    """
    with room.calling(now).write() as connection:
        alert = book.find_muted(connection, number, now)
        refuse_unless_matched(if_match, alert_tag(connection, number), f"alert {number}")
        try:
            yield connection
        except IllegalTransitionError as error:
            raise IllegalTransitionError(str(error), [each.value for each in offers(alert)]) from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts a client asks for; ``None`` asks for all."""

    states: Sequence[AlertState]
    machine: str | None
    assignee: str | None
    machines: Sequence[str] | None

    def among(self, states: Sequence[AlertState]) -> dict[str, Any]:
        """Return what to ask the book for, of these states only."""
        wanted = [each for each in self.states if each in states]
        return {
            "states": wanted,
            "machine": self.machine,
            "assignee": self.assignee,
            "machines": self.machines,
        }


def _look_first(room: ControlRoom, now: datetime, wanted: Wanted, offset: int, count: int) -> list[AlertView]:
    """Return so many alerts from a place on: open ones in their order, all of which it takes, then the others."""
    with room.state.read() as connection:
        live = muted(connection, book.list_alerts(connection, **wanted.among(LIVE_STATES)), now)
        cards, lost, places = room.registry.card, kept_money(connection), slice(offset, offset + count)
        ranked = where_to_look_first(live, room.plant.costs, now, cards, lost, places=places)
        shown = [open_view(each, room.plant) for each in ranked]
        over = book.list_alerts(
            connection,
            **wanted.among([AlertState.NORMAL]),
            offset=max(0, offset - len(live)),
            limit=count - len(shown),
        )
        over = muted(connection, over, now)
    return [*shown, *map(over_view, over)]


def _newest_first(room: ControlRoom, now: datetime, wanted: Wanted, offset: int, count: int) -> list[AlertView]:
    with room.state.read() as connection:
        found = book.list_alerts(connection, **wanted.among(tuple(AlertState)), offset=offset, limit=count)
        found = muted(connection, found, now)
    return _views(found, room, now)


def _detail(number: int, room: ControlRoom, now: datetime, response: Response) -> AlertDetail:
    with room.state.read() as connection:
        alert = book.find_muted(connection, number, now)
        response.headers["ETag"] = alert_tag(connection, number)
        lines = book.history(connection, number, limit=SHOWN, newest_first=True)[::-1]
        record = record_of(connection, alert, room.registry.card)
    (shown,) = _graded(_views([alert], room, now), room)
    return AlertDetail(
        **dict(shown),
        track_record=None if record is None else TrackRecordView.of(record),
        history=[AlertHistoryView.model_validate(each) for each in lines],
    )


def _views(alerts: Sequence[Alert], room: ControlRoom, now: datetime) -> list[AlertView]:
    """Show alerts in the order in which they come."""
    live = (each for each in alerts if each.live)
    with room.state.read() as connection:
        lost = kept_money(connection)
    ranked = where_to_look_first(live, room.plant.costs, now, room.registry.card, lost)
    open_ones = {each.alert.number: open_view(each, room.plant) for each in ranked}
    return [open_ones.get(each.number) or over_view(each) for each in alerts]


def _graded(views: Sequence[AlertView], room: ControlRoom) -> list[AlertView]:
    """Put beside each alert the grade of the signals that it rests on, and where its condition stands."""
    with room.state.read() as connection:
        phases = phases_of_alerts(connection, room.plant.alerts)
    views = [_phased(each, phases.get(each.number)) for each in views]
    kept = kept_grades(room.state, room.plant, sorted({each.machine for each in views}))
    return [
        each.model_copy(update={"grade": GradeView.of(grade_of_alert(room.plant, each.model, kept[each.machine]))})
        for each in views
    ]


def _phased(view: AlertView, standing: Standing | None) -> AlertView:
    if standing is None or view.state is AlertState.NORMAL:
        return view
    return view.model_copy(update={"phase": standing.phase, "phase_words": standing.words})


def _states(word: str) -> tuple[AlertState, ...]:
    match word:
        case "open":
            return LIVE_STATES
        case "all":
            return tuple(AlertState)
        case _:
            return (AlertState(word),)
