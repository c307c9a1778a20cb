"""Losses: where time went, from calendar time down to good pieces, and what it costs."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from models.efficiency.losses import Loss, Losses
from models.efficiency.reliability import Convention
from service.api.given import Now, Room, Span
from service.losses import DEFAULT_SPAN, losses_between

router = APIRouter(tags=["losses"])


class LossView(BaseModel):
    """Time in one bucket, or a sum of buckets."""

    name: str
    label: str
    hours: float = Field(description="Machine hours; speed loss is below zero where an ideal cycle time is wrong.")
    share: float = Field(description="Of calendar time.")
    pieces: float | None = Field(description="Made in it, or lost by it; null if no ideal cycle time is known.")
    money: float | None = Field(description="Null where it is no loss, or nothing says what time is worth.")
    money_per_hour: float | None = Field(description="For an hour of the clock.")
    machine: str = Field(description="Empty in the tree.")
    reason: str = Field(description="In the plant's own word.")
    times: int | None = Field(description="How often it began; null where that is not counted.")

    @classmethod
    def of(cls, loss: Loss) -> "LossView":
        """Show it."""
        return cls.model_validate(loss.to_dict())


class OeeView(BaseModel):
    """OEE and its factors after ISO 22400-2; one that is null has a reason, and none is clipped."""

    availability: float | None = Field(description="APT / PBT.")
    effectiveness: float | None = Field(description="PRI × PQ / APT; above 1 where an ideal cycle time is wrong.")
    quality_ratio: float | None = Field(description="PRI × GQ / (PRI × PQ), which is GQ / PQ of one product.")
    oee: float | None = Field(description="PRI × GQ / PBT.")
    between: tuple[float, float] | None = Field(description="Least and most that OEE can be, whatever is not known.")
    piece_quality: float | None = Field(description="GQ / PQ over all products alike.")
    calendar_hours: float
    planned_busy_hours: float = Field(description="PBT.")
    running_hours: float = Field(description="APT.")
    produced_pieces: float = Field(description="PQ.")
    good_pieces: float = Field(description="GQ.")
    reasons: dict[str, str] = Field(description="Why a factor is null.")
    flags: list[str] = Field(description="What makes the figures hard to believe.")


class ReliabilityView(BaseModel):
    """Times between breakdowns, in hours of planned busy time outside them."""

    convention: Convention = Field(description="classic divides by failures, iso by failures + 1 (unchecked).")
    failures: int
    mtbf_hours: float | None
    mttr_hours: float | None
    median_hours: float | None = Field(description="Kaplan-Meier, which knows what has not ended.")
    weibull_shape: float | None
    weibull_scale_hours: float | None
    stretches: int = Field(description="That median and Weibull rest on.")
    censored: int = Field(description="How many of them have not ended.")


class LossesView(BaseModel):
    """Where the time of some machines went."""

    start: datetime
    end: datetime
    machines: list[str]
    currency: str
    oee: OeeView
    tree: list[LossView] = Field(description="From calendar time down; sums, and what is taken off them.")
    top: list[LossView] = Field(description="Of single machines, the dearest first; the longest if no money is known.")
    reliability: ReliabilityView
    remarks: list[str] = Field(description="What to know before believing it.")


@router.get("/losses")
def show_losses(
    room: Room,
    now: Now,
    span: Span,
    line: Annotated[str | None, Query(description="Only machines of this line.")] = None,
    machine: Annotated[str | None, Query(description="Only this machine.")] = None,
    top: Annotated[int, Query(ge=0, le=1000, description="How many losses to list.")] = 10,
    convention: Annotated[Convention, Query(description="Of the mean times between failures.")] = "classic",
) -> LossesView:
    """Return the loss tree, OEE and the dearest losses of a plant, a line or a machine.

    The span is the last 7 days when it is left out, and ends now at the latest. Every second of it is in exactly one
    bucket.
    """
    start, end = replace(span, end=min(span.end or now, now)).closed(now, DEFAULT_SPAN)
    found = losses_between(
        room.plant, room.store, start, end, line=line, machine=machine, most=top, convention=convention
    )
    return LossesView.model_validate(_fields(found, start, end, room.plant.currency))


def _fields(found: Losses, start: datetime, end: datetime, currency: str) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "machines": found.machines,
        "currency": currency,
        "oee": found.oee.to_dict(),
        "tree": [LossView.of(each) for each in found.tree],
        "top": [LossView.of(each) for each in found.top],
        "reliability": found.reliability.to_dict(),
        "remarks": found.remarks,
    }
