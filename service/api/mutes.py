"""Mutes: what is shelved, suppressed or out of service, by whom, why and until when."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from ingest.duration import Duration
from service.alerts import mutes
from service.alerts.mute import Mute, MuteKind
from service.alerts.out_of_service import back_in_service, take_out_of_service
from service.api.etag import IfMatch, mute_tag, refuse_unless_matched
from service.api.given import Now, Room, machine_named
from service.api.mute_view import MuteView
from service.api.paging import Limit, Offset, Page, trimmed
from service.api.text import Person, Reason, Told

router = APIRouter(tags=["mutes"])
MuteNumber = Annotated[int, Path(ge=1, lt=2**63, description="Number of the mute.")]


class MutePage(Page):
    """Some mutes."""

    items: list[MuteView]


class OutOfService(Told):
    """A machine, or one cause of it, that is out of the watch for a while."""

    machine: Annotated[str, Field(max_length=1000)]
    cause: Annotated[str, Field(max_length=1000, description="Only this cause; all of the machine when empty.")] = ""
    by: Person
    why: Reason
    lasting: Duration | None = Field(None, description="How long; as long as the plant file allows when left out.")


class BackInService(Told):
    """It is watched again."""

    by: Person
    why: Reason


@router.get("/mutes")
def list_mutes(
    request: Request,
    room: Room,
    now: Now,
    kind: Annotated[MuteKind | None, Query(description="Only of this kind.")] = None,
    machine: Annotated[str | None, Query(description="Only of this machine.")] = None,
    show: Annotated[Literal["lasting", "all"], Query(description="'all': those that are over, too.")] = "lasting",
    limit: Limit = 50,
    offset: Offset = 0,
) -> MutePage:
    """Return what is shelved, suppressed or out of service, newest first."""
    if machine is not None:
        machine_named(room.plant, machine)
    with room.state.read() as connection:
        found = mutes.list_mutes(
            connection,
            at=now if show == "lasting" else None,
            kinds=tuple(MuteKind) if kind is None else (kind,),
            machine=machine,
            machines=room.shown,
            offset=offset,
            limit=limit + 1,
        )
    page, next_page = trimmed(request, found, limit, offset)
    return MutePage(items=[MuteView.model_validate(each) for each in page], next=next_page)


@router.get("/mutes/{mute}")
def show_mute(mute: MuteNumber, room: Room, response: Response) -> MuteView:
    """Return one mute, with its ETag."""
    with room.state.read() as connection:
        return _answer(mutes.show_mute(connection, mute), response)


@router.post("/out-of-service", status_code=201)
def begin_out_of_service(body: OutOfService, room: Room, now: Now, response: Response) -> MuteView:
    """Take a machine, or one cause of it, out of service; 409 if it is out of service already."""
    machine_named(room.plant, body.machine)
    with room.calling(now).write() as connection:
        mute = take_out_of_service(
            connection,
            body.machine,
            cause=body.cause,
            by=body.by,
            why=body.why,
            at=now,
            longest=room.plant.alerts.longest_out_of_service,
            until=None if body.lasting is None else now + body.lasting,
        )
    response.headers["Location"] = f"/api/v1/mutes/{mute.id}"
    return _answer(mute, response)


@router.post("/out-of-service/{mute}/end")
def end_out_of_service(
    mute: MuteNumber, body: BackInService, room: Room, now: Now, response: Response, if_match: IfMatch = None
) -> MuteView:
    """Put back in service what was out of it; 409 if it is back already."""
    with room.calling(now).write() as connection:
        tag = mute_tag(mutes.show_mute(connection, mute))
        refuse_unless_matched(if_match, tag, f"mute {mute}")
        return _answer(back_in_service(connection, mute, by=body.by, why=body.why, at=now), response)


def _answer(mute: Mute, response: Response) -> MuteView:
    response.headers["ETag"] = mute_tag(mute)
    return MuteView.model_validate(mute)
