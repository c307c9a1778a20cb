"""Calls: whom alerts call, when and why not; what would become of an alert; and the digest of a shift."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ingest.duration import Duration
from ingest.errors import UnknownNameError
from ingest.plant_route import AlertKind
from service.alerts.alert import Happening
from service.alerts.pipeline.digest import digest_of
from service.alerts.pipeline.duty import WHOLE_DAY
from service.alerts.pipeline.trace import trace_of
from service.alerts.pipeline.what_if import imagined, what_if
from service.api.alert_view import Number
from service.api.given import Now, Room, machine_named, nearest
from service.api.text import Told

router = APIRouter(tags=["alerts"])


class DecisionView(BaseModel):
    """Why people were called on a route, or not."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    route: str = Field(description="Empty where there is none.")
    stage: str = Field(description="The stage that held it back; empty where none did.")
    reason: str
    words: str
    until: datetime | None = Field(description="When it is looked at again, if nothing happens before.")
    targets: list[str] = Field(description="Who was called.")
    messages: list[str] = Field(description="Names of the messages to them, in their order.")


class StepView(BaseModel):
    """Something that happened to an alert, or a timer that came due, and what was decided."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    happening: Happening | None = Field(description="Null where a timer asked.")
    by: str
    decisions: list[DecisionView]
    words: str = Field(description="Why there is no decision; empty where there is one.")


class StandingView(BaseModel):
    """How the call of an alert on a route stands."""

    model_config = ConfigDict(from_attributes=True)

    route: str
    group: str = Field(description="What the alerts have in common that come in one message with it.")
    state: str = Field(description="'grouping', 'held', 'called', 'returning' or 'over'.")
    stage: str
    reason: str
    next_look: datetime | None = Field(description="When it is looked at again, if nothing happens before.")
    told: list[str] = Field(description="Targets that believe that the alert lasts.")


class TraceView(BaseModel):
    """Everything that was decided about whom an alert calls, oldest first."""

    model_config = ConfigDict(from_attributes=True)

    steps: list[StepView]
    calls: list[StandingView]


class RouteTest(Told):
    """An alert that nobody has raised."""

    machine: Annotated[str, Field(max_length=1000)]
    kind: AlertKind = "failure ahead"
    cause: Annotated[str, Field(max_length=1000)] = ""
    level: float = Field(0.5, ge=0, le=1, description="The model's number; for most kinds how likely it is right.")
    time_to_act: Duration = Field(timedelta(days=1), description="How long there is to act.")
    money_per_hour: float | None = Field(None, ge=0, allow_inf_nan=False, description="What a loss costs an hour.")
    signals: Annotated[list[str], Field(max_length=100)] = Field([], description="What it would rest on.")


class WouldView(BaseModel):
    """What would become of an alert on one route."""

    model_config = ConfigDict(from_attributes=True)

    route: str
    severity: str
    worth: float = Field(description="What the call is expected to save, in the plant's currency.")
    group: str
    waits_until: datetime | None = Field(description="When its group would be told of; null where that is at once.")
    stage: str = Field(description="The stage that would hold it back then; empty where none would.")
    reason: str
    words: str
    until: datetime | None
    targets: list[str] = Field(description="Who would be called.")


class RouteTestView(BaseModel):
    """What would become of an alert, on each route that it would take."""

    routes: list[WouldView]
    words: str = Field(description="Why there is no route; empty where there is one.")


@router.get("/alerts/{number}/trace")
def show_trace(number: Number, room: Room) -> TraceView:
    """Return why people were called about the alert, or not, when and on which route; each change has an answer."""
    with room.state.read() as connection:
        return TraceView.model_validate(trace_of(connection, number))


@router.post("/alerts/route-test")
def test_route(body: RouteTest, room: Room, now: Now) -> RouteTestView:
    """Return whom an alert would call if it was raised now; nothing is written."""
    machine_named(room.plant, body.machine)
    alert = imagined(
        body.machine,
        body.kind,
        body.cause,
        level=body.level,
        now=now,
        left=body.time_to_act,
        signals=body.signals,
    )
    with room.state.read() as connection:
        found = what_if(connection, room.rules(), alert, now, lost=body.money_per_hour)
    return RouteTestView(
        routes=[WouldView.model_validate(each) for each in found],
        words="" if found else "no route of the plant file takes it",
    )


@router.get("/digest")
def show_digest(
    room: Room,
    now: Now,
    shift: Annotated[
        str | None, Query(description="Its newest one that is over; the newest of all if left out.")
    ] = None,
) -> dict[str, Any]:
    """Return the digest of a shift that is over: what was called for, what was held back and why, what was quiet."""
    rules = room.rules()
    known = [each.name for each in room.plant.shifts] or [WHOLE_DAY]
    if shift is not None and shift not in known:
        raise UnknownNameError(f"no shift {shift!r}{nearest(shift, known)}")
    worked = rules.roster.newest(now, shift)
    if worked is None:
        raise UnknownNameError("no shift of the plant was over within the last two weeks")
    with room.state.read() as connection:
        return digest_of(connection, rules, worked).to_dict()
