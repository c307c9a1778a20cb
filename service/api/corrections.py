"""Corrections: values that a later arrival took the place of."""

from datetime import datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from ingest.corrections import Place
from service.api.given import Room, Span, machine_named
from service.api.paging import Limit, Page, link_with

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
    after: Annotated[
        str, Query(pattern=r"^\d{1,18}\.\d{1,18}$", description="Where a page ended, as its 'next' says.")
    ] = "0.0",
) -> CorrectionPage:
    """Return values that a later arrival took the place of, of readings in (start, end], in order of arrival."""
    classes = [each.name for each in room.plant.classes]
    if machine is not None:
        classes = [machine_named(room.plant, machine)[1].name]
    rows = room.store.corrections.rows(
        classes,
        machines=room.shown if machine is None else [machine],
        start=span.start,
        end=span.end,
        after=Place(*map(int, after.split("."))),
    )
    found = list(islice(rows, limit + 1))
    page = found[:limit]
    more = link_with(request, after=".".join(map(str, page[-1][0])), limit=limit) if len(found) > limit else None
    return CorrectionPage(items=[CorrectionView(**each) for _, each in page], next=more)
