"""Operational alarms: what is wrong with Andon itself, and whether somebody looks."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.given import Now, Room
from service.api.paging import Limit, Offset, Page, trimmed
from service.api.problem import Fault, ProblemError
from service.watchdog import alarms
from service.watchdog.look import last_look
from service.watchdog.trouble import TroubleKind

router = APIRouter(tags=["watchdog"])
probe = APIRouter(tags=["watch"])


class AlarmView(BaseModel):
    """One thing that is or was wrong with Andon itself."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: TroubleKind
    about: str = Field(description="Job, machine class, target, worker or folder.")
    sentence: str
    raised_at: datetime
    raised_by: str = Field(description="The process that saw it.")
    seen_at: datetime = Field(description="When it was last seen to go on.")
    ended_at: datetime | None = Field(description="Null while it goes on.")


class AlarmPage(Page):
    """Some operational alarms."""

    items: list[AlarmView]


class Watched(BaseModel):
    """Whether somebody watches Andon itself."""

    status: str
    looked_at: datetime
    looked_by: str


@router.get("/operational-alarms")
def list_alarms(
    request: Request,
    room: Room,
    show: Annotated[Literal["lasting", "all"], Query(description="'all': those that are over, too.")] = "lasting",
    limit: Limit = 50,
    offset: Offset = 0,
) -> AlarmPage:
    """Return what is wrong with Andon itself, the newest first."""
    with room.state.read() as connection:
        if show == "all":
            found = alarms.newest(connection, limit=limit + 1, offset=offset)
        else:
            found = alarms.going_on(connection)[::-1][offset : offset + limit + 1]
    page, next_page = trimmed(request, found, limit, offset)
    return AlarmPage(items=[AlarmView.model_validate(each) for each in page], next=next_page)


@probe.get("/watchz")
def watched(room: Room, now: Now) -> Watched:
    """Say that somebody watches and nothing is wrong; 503 with each operational alarm, or that nobody looks."""
    with room.state.read() as connection:
        looked, found = last_look(connection), alarms.going_on(connection)
    faults = [Fault(where=each.kind.value, reason=each.sentence) for each in found]
    if looked is None:
        faults.append(Fault(where=TroubleKind.SILENT_WATCH.value, reason="nobody ever looked; start 'andon watch'"))
    elif now - looked.at > room.plant.watchdog.missed_after:
        reason = f"'andon watch' ({looked.by}) looked last at {looked.at:%Y-%m-%d %H:%M} UTC"
        faults.append(Fault(where=TroubleKind.SILENT_WATCH.value, reason=reason))
    if faults or looked is None:
        raise ProblemError(503, "; ".join(f"{each.where}: {each.reason}" for each in faults), errors=faults)
    return Watched(status="watched", looked_at=looked.at, looked_by=looked.by)
