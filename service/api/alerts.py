"""Alerts: where to look first, what happened to each, and what people found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from ingest.duration import Duration
from ingest.errors import IllegalTransitionError
from ingest.plant import Plant
from models.finding import Evidence
from service.alerts import book
from service.alerts.alert import LIVE_STATES, Alert, AlertState, Verdict
from service.alerts.assign import assign, unassign
from service.alerts.found import Found, known_modes, refuse_unknown
from service.alerts.kept_money import kept_money
from service.alerts.mute import Visibility
from service.alerts.mutes import muted
from service.alerts.offers import offers
from service.alerts.rank import Ranked, where_to_look_first
from service.alerts.severity import Severity, severity
from service.alerts.shelve import shelve, unshelve
from service.api.etag import IfMatch, alert_tag, refuse_unless_matched
from service.api.given import Now, Room, machine_named
from service.api.grades import GradeView
from service.api.mute_view import MuteView
from service.api.paging import Limit, Offset, Page, trimmed
from service.api.text import Told
from service.control_room import ControlRoom
from service.grades import grade_of_alert, kept_grades

router = APIRouter(tags=["alerts"])
SHOWN = 100
"""Lines of its history that an alert is shown with."""

Number = Annotated[int, Path(ge=1, lt=2**63, description="Number of the alert.")]
Person = Annotated[str, Field(min_length=1, max_length=200, description="Who it is.", examples=["Ines"])]
Word = Annotated[str, Field(max_length=200)]
Note = Annotated[str, Field(max_length=10_000)]
Reason = Annotated[
    str, Field(min_length=1, max_length=10_000, description="Why.", examples=["Known: the bearing is ordered."])
]


class AlertView(BaseModel):
    """One matter of one machine that somebody should look at."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    machine: str
    cause: str
    kind: str
    state: AlertState
    sentence: str
    level: float = Field(
        description="The model's number, 0 to 1; for 'failure ahead' and 'condition' the probability, for an "
        "anomaly how strange it is, 1 for a sensor fault."
    )
    act_before: datetime = Field(description="Later than this is too late to act in time.")
    raised_at: datetime
    condition_begin: datetime
    condition_end: datetime | None
    model: str
    version: str
    evidence: list[Evidence] = Field(description="What speaks for it, strongest first.")
    acknowledged_by: str
    acknowledged_at: datetime | None
    closed_by: str
    closed_at: datetime | None
    verdict: Verdict | None
    note: str
    latches: bool = Field(description="Whether only a reset makes it normal.")
    assignee: str = Field(description="Who is to look after it; empty for nobody.")
    mode: str = Field(description="Failure mode that was found; this and what follows empty where nobody said.")
    mechanism: str = Field(description="What made it fail, such as wear.")
    root_cause: str = Field(description="Why that came about.")
    action: str = Field(description="What was done.")
    visibility: Visibility = Field(description="Whether people are called for it; see 'mutes' for why not.")
    mutes: list[MuteView] = Field(description="What it is shelved, suppressed or out of service by.")
    chance: float | None = Field(
        description="How likely it is right, as measured: the probability, or for an anomaly the lower bound of the "
        "share of its version's alerts that were right in the backtest; null when nobody measured it or it is not open."
    )
    stake_per_hour: float | None = Field(
        description="Money at stake for each hour that is left, in the plant's currency; null where chance is."
    )
    severity: Severity | None = Field(
        description="How bad it is to leave it alone: the stake of each hour on the scale of a missed failure; null "
        "when it is not open."
    )
    why_here: str = Field(description="What its place among the open alerts rests on; empty when it is not open.")
    grade: GradeView | None = Field(
        None,
        description="The lowest of the newest grades of the signals that it rests on, each of up to 30 days; null "
        "before the first grading, and for a sensor fault.",
    )


class AlertHistoryView(BaseModel):
    """One line of an alert's history."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    happening: str
    state: AlertState
    by: str
    why: str


class AlertDetail(AlertView):
    """One alert and what happened to it."""

    history: list[AlertHistoryView] = Field(
        max_length=SHOWN, description="The newest lines, oldest first; '/alerts/{number}/history' has all, in pages."
    )


class HistoryPage(Page):
    """Some lines of an alert's history."""

    items: list[AlertHistoryView]


class AlertPage(Page):
    """Some alerts."""

    items: list[AlertView]


class Acknowledgement(Told):
    """Somebody has seen it and answers for it."""

    by: Person
    note: Note = ""


class Closing(Told):
    """What an inspection found."""

    verdict: Verdict = Field(description="'not inspected' is never read as wrong.")
    by: Person
    note: Note = Field("", description="What was found and done.", examples=["Bearing of pump 3 replaced."])
    mode: Word = Field("", description="Failure mode: a component, or the code of a failure; it has to be known.")
    new_mode: bool = Field(False, description="The mode is a new one, and no slip.")
    mechanism: Word = Field("", description="What made it fail.", examples=["wear"])
    root_cause: Word = Field("", description="Why that came about.", examples=["misalignment"])
    action: Word = Field("", description="What was done.", examples=["replaced"])

    @property
    def found(self) -> Found:
        """What was found, without the verdict."""
        return Found(mode=self.mode, mechanism=self.mechanism, root_cause=self.root_cause, action=self.action)


class Assignment(Told):
    """Who is to look after it."""

    to: Annotated[str, Field(min_length=1, max_length=200, description="To whom.", examples=["Ben"])]
    by: Person
    note: Note = ""


class Unassignment(Told):
    """Nobody in particular is to look after it any more."""

    by: Person
    note: Note = ""


class Reset(Told):
    """What latched may be normal again."""

    by: Person
    note: Note = ""


class Shelf(Told):
    """Nobody wants to be told of it for a while."""

    by: Person
    why: Reason
    lasting: Duration | None = Field(
        None, description="How long, from now on; as long as the plant file allows when left out."
    )
    once: bool = Field(False, description="Over already when its condition is over, or it is closed (one-shot).")


class Unshelving(Told):
    """Somebody wants to be told of it again."""

    by: Person
    why: Reason


class Comment(Told):
    """A remark for the history."""

    by: Person
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


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
        found = body.found
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
        ranked = where_to_look_first(live, room.plant.costs, now, room.registry.card, kept_money(connection))
        shown = [_open_view(each, room.plant) for each in ranked[offset : offset + count]]
        over = book.list_alerts(
            connection,
            **wanted.among([AlertState.NORMAL]),
            offset=max(0, offset - len(ranked)),
            limit=count - len(shown),
        )
        over = muted(connection, over, now)
    return [*shown, *map(_over_view, over)]


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
    (shown,) = _graded(_views([alert], room, now), room)
    return AlertDetail(**dict(shown), history=[AlertHistoryView.model_validate(each) for each in lines])


def _views(alerts: Sequence[Alert], room: ControlRoom, now: datetime) -> list[AlertView]:
    """Show alerts in the order in which they come."""
    live = (each for each in alerts if each.live)
    with room.state.read() as connection:
        lost = kept_money(connection)
    ranked = where_to_look_first(live, room.plant.costs, now, room.registry.card, lost)
    open_ones = {each.alert.number: _open_view(each, room.plant) for each in ranked}
    return [open_ones.get(each.number) or _over_view(each) for each in alerts]


def _graded(views: Sequence[AlertView], room: ControlRoom) -> list[AlertView]:
    """Put the grade of the signals that each alert rests on beside it."""
    kept = kept_grades(room.state, room.plant, sorted({each.machine for each in views}))
    return [
        each.model_copy(update={"grade": GradeView.of(grade_of_alert(room.plant, each.model, kept[each.machine]))})
        for each in views
    ]


def _open_view(ranked: Ranked, plant: Plant) -> AlertView:
    """Show an open alert and what its place rests on."""
    per_hour = None if ranked.per_hour is None else round(ranked.per_hour, 2)
    place = {"chance": ranked.chance.share, "stake_per_hour": per_hour, "why_here": ranked.why}
    place["severity"] = severity(ranked.alert.kind, ranked.per_hour, plant.costs, plant.alerts)
    return AlertView.model_validate(_fields(ranked.alert) | place)


def _over_view(alert: Alert) -> AlertView:
    nowhere = {"chance": None, "stake_per_hour": None, "severity": None, "why_here": ""}
    return AlertView.model_validate(_fields(alert) | nowhere)


def _fields(alert: Alert) -> dict[str, object]:
    return {name: getattr(alert, name) for name in AlertView.model_fields if hasattr(alert, name)}


def _states(word: str) -> tuple[AlertState, ...]:
    match word:
        case "open":
            return LIVE_STATES
        case "all":
            return tuple(AlertState)
        case _:
            return (AlertState(word),)
