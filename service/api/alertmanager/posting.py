"""Posting: what Prometheus and others say of their alerts."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ingest.errors import PostedAlertError
from ingest.plant import Plant
from service.access.actor import told_by
from service.alerts.external.posted import Posted, posted
from service.alerts.external.take import take
from service.api.alertmanager.shape import Shape
from service.api.given import Now, Room
from service.api.problem import ProblemError

router = APIRouter()
MOST_ALERTS = 5000
"""In one post; Prometheus posts 64 at once."""

_AT_ONCE = 250
_SHOWN = 10
_SOMEBODY = "another system"
_NO_TIME = 1
"""The year in which Go writes no time at all."""


class PostableAlert(Shape):
    """What another system says of one of its alerts."""

    labels: dict[str, str] = Field(description="Name it; `machine` names the machine of the plant that it is about.")
    annotations: dict[str, str] = Field({}, description="What it says; the summary is the sentence of the alert.")
    starts_at: datetime | None = Field(None, description="Since when it lasts; now when left out.")
    ends_at: datetime | None = Field(
        None,
        description="When it is over: it is if that is past, and unless it is posted again if it is to come; "
        "`resolve_after` of the plant file from now when left out.",
    )
    generator_url: str = Field("", alias="generatorURL")


@router.post("/alerts", response_class=Response)
def post_alerts(body: list[PostableAlert], room: Room, now: Now) -> Response:
    """Take alerts of another system: open, keep up to date, or end them.

    Those that can be taken are, and stay so whatever happens then; 400 names the others.
    """
    if len(body) > MOST_ALERTS:
        raise ProblemError(400, f"{len(body)} alerts in one post; {MOST_ALERTS} are taken at most, send several")
    taken, refused = [], []
    for each in body:
        try:
            taken.append(_read(each, room.plant, whole=room.whole is None, now=now))
        except PostedAlertError as error:
            refused.append(str(error))
    calling, latch = room.calling(now), room.plant.alerts.latch
    # In pieces, so that nobody waits long to write; what fails in between is posted again, and taken once.
    for place in range(0, len(taken), _AT_ONCE):
        with calling.write() as connection:
            take(connection, taken[place : place + _AT_ONCE], by=told_by(_SOMEBODY), at=now, latch=latch)
    if refused:
        more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        raise ProblemError(400, "; ".join(refused[:_SHOWN]) + more)
    return Response()


def _read(each: PostableAlert, plant: Plant, *, whole: bool, now: datetime) -> Posted:
    return posted(
        each.labels,
        each.annotations,
        starts_at=_moment(each.starts_at, "startsAt"),
        ends_at=_moment(each.ends_at, "endsAt"),
        generator_url=each.generator_url,
        plant=plant,
        now=now,
        whole=whole,
    )


def _moment(at: datetime | None, name: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise PostedAlertError(f"{name} {at.isoformat()} has no offset; RFC 3339 asks for one, such as Z")
    return None if at is None or at.year == _NO_TIME else at
