"""The audit trail: who changed what, when and why."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.given import Room, Span
from service.api.paging import Limit, Offset, Page, trimmed
from service.audit import trail
from service.audit.record import Subject
from service.audit.trail import Asked

router = APIRouter(tags=["audit"])


class RecordView(BaseModel):
    """One change by a person or by the product."""

    model_config = ConfigDict(from_attributes=True)

    number: int = Field(description="Counts up from 1 without a gap.")
    at: datetime
    by: str = Field(description="The person; 'andon' for the product itself.")
    subject: Subject
    name: str = Field(description="Which one: the number of an alert or mute, the name of a model or job.")
    what: str
    why: str
    detail: dict[str, Any] = Field(description="How it stood after the change.")
    chain: str = Field(description="SHA-256 over this record and the chain of the one before it.")


class RecordPage(Page):
    """Some records."""

    items: list[RecordView]


class HeadView(BaseModel):
    """How far the trail is."""

    records: int
    chain: str = Field(description="Chain of the newest record; 64 zeros while there is none.")
    signed: str | None = Field(
        description="The newest signed head, to be kept elsewhere: records, chain, time, public key, signature; null "
        "before the first."
    )


@router.get("/audit")
def list_records(
    request: Request,
    room: Room,
    span: Span,
    subject: Annotated[Subject | None, Query(description="Changes of this kind of thing only.")] = None,
    name: Annotated[str | None, Query(max_length=1000, description="Of this one only.")] = None,
    by: Annotated[str | None, Query(max_length=200, description="By this person only.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> RecordPage:
    """Return changes, newest first."""
    asked = Asked(subject=subject, name=name, by=by, start=span.start, end=span.end)
    with room.state.read() as connection:
        found = trail.list_records(connection, asked, offset=offset, limit=limit + 1)
    page, next_page = trimmed(request, found, limit, offset)
    return RecordPage(items=[RecordView.model_validate(each) for each in page], next=next_page)


@router.get("/audit/head")
def show_head(room: Room) -> HeadView:
    """Return how far the trail is, and the newest signed head; 409 if that was altered."""
    with room.state.read() as connection:
        now = trail.head(connection)
    kept = room.seal.kept()
    return HeadView(records=now.count, chain=now.chain, signed=None if kept is None else kept.line)
