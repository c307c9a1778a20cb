"""Health of the alarm system: rate, floods, chattering, stale alerts, and what to tune."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.alerts.happened import health_of
from service.api.given import Now, Room, Span

router = APIRouter(tags=["alerts"])
WEEK = timedelta(days=7)


class FloodView(BaseModel):
    """A span in which more alerts came than a person can read."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    end: datetime
    alerts: int
    most: int = Field(description="In ten minutes.")


class LoadView(BaseModel):
    """How much of the load one matter is."""

    model_config = ConfigDict(from_attributes=True)

    machine: str
    cause: str
    alerts: int
    share: float


class ChatteringView(BaseModel):
    """A matter that goes on and off."""

    machine: str
    cause: str
    turns: int = Field(description="Most turns within a minute.")


class HealthView(BaseModel):
    """The figures of a span, after EEMUA 191 and ISA-18.2."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    end: datetime
    alerts: int
    per_day: float
    most_in_ten_minutes: int
    floods: list[FloodView] = Field(description="From the first ten minutes with more than 10 to the first below 5.")
    flooded_share: float = Field(description="Share of the span that was in floods.")
    chattering: list[ChatteringView] = Field(description="Three turns or more within a minute.")
    stale: list[int] = Field(description="Alerts open for more than a day at the end, oldest first.")
    top: list[LoadView] = Field(description="The ten matters with most alerts.")
    top_share: float
    median_minutes_to_acknowledge: float | None
    p90_minutes_to_acknowledge: float | None
    never_acknowledged: int = Field(description="Over without anybody having seen them.")
    advice: list[str] = Field(description="What to retire or tune, the worst first, at most five.")


@router.get("/alerts/health")
def show_health(room: Room, now: Now, span: Span) -> HealthView:
    """Return how the alarm system does, over the last week where no span is asked for."""
    start, end = span.closed(now, WEEK)
    with room.state.read() as connection:
        found = health_of(connection, start, end)
    turns = [ChatteringView(machine=machine, cause=cause, turns=most) for machine, cause, most in found.chattering]
    fields = {name: getattr(found, name) for name in HealthView.model_fields if name != "chattering"}
    return HealthView.model_validate(fields | {"chattering": turns})
