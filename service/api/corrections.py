"""Corrections: values that a later arrival took the place of."""

from datetime import datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from service.api.given import Room, Span, machine_named
from service.api.paging import Limit, Offset, Page, trimmed

router = APIRouter(tags=["corrections"])


class CorrectionView(BaseModel):
    """One value that was replaced."""

    machine: str
    signal: str
    time: datetime = Field(description="Time of the reading.")
    earlier: float = Field(description="The value before.")
    earlier_arrived: datetime = Field(description="When it had come.")
    value: float = Field(description="The value that took its place.")
    arrived: datetime = Field(description="When that came.")


class CorrectionPage(Page):
    """Some corrections."""

    items: list[CorrectionView]


@router.get("/corrections")
def list_corrections(
    request: Request,
    room: Room,
    span: Span,
    machine: Annotated[str | None, Query(description="Only of this machine.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> CorrectionPage:
    """Return values that a later arrival took the place of, of readings in (start, end], in order of arrival."""
    classes = [each.name for each in room.plant.classes]
    if machine is not None:
        classes = [machine_named(room.plant, machine)[1].name]
    rows = room.store.corrections.rows(
        classes, machines=None if machine is None else [machine], start=span.start, end=span.end
    )
    page, following = trimmed(request, list(islice(rows, offset, offset + limit + 1)), limit, offset)
    return CorrectionPage(items=[CorrectionView(**each) for each in page], next=following)
