"""Levers: at which readings rejects are more frequent, and how sure that is."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from models.levers.plant_levers import lever_names, plant_levers
from service.api.given import Now, Room, Span
from service.levers import DEFAULT_SPAN, newest_reading

router = APIRouter(tags=["losses"])


class RatioView(BaseModel):
    """A ratio with its interval of 95 %, all levers that were tried taken together."""

    value: float
    low: float
    high: float | None


class LeverView(BaseModel):
    """Where more is rejected, on later time than it was found in."""

    signal: str
    feature: str = Field(description="Its column, by name.")
    words: str = Field(description="What the column says of the signal.")
    unit: str
    below: float | None = Field(description="More is rejected below this.")
    above: float | None = Field(description="More is rejected above this.")
    below_between: tuple[float, float] | None = Field(description="Where that limit lies, as sure as 90 %.")
    above_between: tuple[float, float] | None = Field(description="Where that limit lies, as sure as 90 %.")
    ratio: RatioView = Field(description="Share of rejects there over that elsewhere, at the same machine and product.")
    pieces: float
    rejects: float
    other_pieces: float
    other_rejects: float
    chance: float = Field(description="How likely chance alone shows so much, all regions that were tried counted.")
    share_of_rejects: float = Field(description="Of all rejects, those beyond what is rejected elsewhere.")
    money_per_hour: float | None = Field(description="What these cost an hour of the clock; null if nobody said.")
    with_it: list[str] = Field(description="Other signals that tell the same.")
    sentence: str


class LeversView(BaseModel):
    """What was found, and what was looked at to find it."""

    name: str
    levers: list[LeverView] = Field(description="Those with the most rejects first.")
    pieces: float
    rejects: float
    signals: int = Field(description="That were looked at.")
    features: int = Field(description="That were looked at.")
    tried: int = Field(description="Regions that were held against later time.")
    begin: datetime | None = Field(description="Regions were found from here ...")
    until: datetime | None = Field(description="... to here.")
    judged_from: datetime | None = Field(description="They were held against what came from here ...")
    end: datetime | None = Field(description="... to here.")
    reason: str = Field(description="Why there is no lever; empty where there is one.")
    watermark: str = Field(description="Why nothing here is to be relied on; empty unless pieces have no order.")


class LeverNames(BaseModel):
    """What levers may be asked of."""

    names: list[str] = Field(description="Models of conditions, and classes of machines.")


@router.get("/levers")
def list_lever_names(room: Room) -> LeverNames:
    """Return what levers may be asked of: models of conditions, and classes whose machines make products."""
    return LeverNames(names=lever_names(room.plant))


@router.get("/levers/{name}")
def show_levers(
    room: Room,
    now: Now,
    span: Span,
    name: str,
    machine: Annotated[str | None, Query(description="Only of what this machine made.")] = None,
) -> LeversView:
    """Return at which readings rejects are more frequent, and by how much.

    The span is the 180 days up to the newest reading when it is left out. Regions are found in its first 60 % and
    told only where they hold on the rest. It reads and summarises all readings of the span, which takes a while.
    """
    newest = min(newest_reading(room.plant, room.store, name) or now, now)
    start, end = replace(span, end=min(span.end or newest, now)).closed(newest, DEFAULT_SPAN)
    found = plant_levers(room.plant, room.store, name, start, end, machine)
    return LeversView.model_validate(found.to_dict(room.plant.currency))
