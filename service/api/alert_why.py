"""Why there is an alert: what each signal adds, what was expected, and what began alike."""

from datetime import datetime
from typing import Literal

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from service.alerts import book
from service.api.alert_view import Number
from service.api.given import Now, Room
from service.series import utc
from service.why import Expected, reason_of

router = APIRouter(tags=["alerts"])


class ContributionView(BaseModel):
    """What one signal adds to the score or, below 0, takes from it."""

    model_config = ConfigDict(from_attributes=True)

    signal: str = Field(description="The signal, or what is counted.")
    unit: str
    feature: str = Field(description="Its most telling feature; empty where none can be shown.")
    actual: float | None
    expected: float | None
    amount: float = Field(description="Signed, on the scale; 'base' and all amounts add up to 'score' to 1e-6.")
    level: float = Field(description="The level with this and all contributions before it.")


class ModeView(BaseModel):
    """How likely a failure that is ahead is of one mode."""

    model_config = ConfigDict(from_attributes=True)

    component: str
    code: str = Field(description="Component and code are empty for what is not known.")
    probability: float


class ExpectedView(BaseModel):
    """A signal against what was expected of it; null where nothing is known."""

    signal: str
    unit: str
    feature: str
    time: list[datetime] = Field(description="Window ends.")
    actual: list[float | None]
    expected: list[float | None]
    low: list[float | None] = Field(description="Nine in ten healthy values lie between 'low' and 'high'.")
    high: list[float | None]


class RepairView(BaseModel):
    """What was done after an episode."""

    model_config = ConfigDict(from_attributes=True)

    time: datetime
    component: str
    code: str
    note: str


class SimilarView(BaseModel):
    """A past episode before which a machine looked as this one does."""

    model_config = ConfigDict(from_attributes=True)

    machine: str
    kind: str = Field(description="Kind of the event, or 'alert'.")
    begin: datetime
    component: str = Field(description="What was found; the cause of an alert.")
    code: str = Field(description="Its code; the verdict of an alert.")
    note: str
    likeness: float = Field(description="1 for the same shape and size, 0 for nothing in common.")
    hours_before: float = Field(description="How long before 'begin' it looked most alike.")
    repairs: list[RepairView] = Field(description="Maintenance in the week after it.")
    alert: int = Field(description="Number of the earlier alert; 0 for an event.")


class WhyView(BaseModel):
    """Why there is an alert; everything is empty where nothing was kept, as for a sensor fault."""

    at: datetime | None = Field(description="The window end that is explained.")
    scale: Literal["", "log-odds", "rarity"] = Field(
        description="'log-odds': ln(p / (1 − p)) of a probability p. 'rarity': −ln(1 − level) of a strangeness."
    )
    base: float | None = Field(description="Score of the machine at its normal.")
    base_level: float | None
    score: float | None
    level: float | None
    contributions: list[ContributionView] = Field(description="Largest first.")
    modes: list[ModeView] = Field(description="What may be failing, most likely first.")
    expected: list[ExpectedView]
    similar: list[SimilarView] = Field(description="Most alike first.")
    unsaid: str = Field(description="Why the model could not be asked for what was expected and alike; else empty.")


@router.get("/alerts/{number}/why")
def show_why(number: Number, room: Room, now: Now) -> WhyView:
    """Return what makes the alert's level, what was expected of its signals, and past episodes that began alike."""
    with room.state.read() as connection:
        alert = book.show(connection, number)
    reason = reason_of(room, alert, now=now)
    why = reason.why
    return WhyView.model_validate(
        {
            **{name: getattr(why, name, None) for name in ("at", "base", "base_level", "score", "level")},
            "scale": why.scale if why else "",
            "contributions": [ContributionView.model_validate(each) for each in (why.contributions if why else ())],
            "modes": [ModeView.model_validate(each) for each in (why.modes if why else ())],
            "expected": [_expected(each) for each in reason.expected],
            "similar": [SimilarView.model_validate(each) for each in reason.similar],
            "unsaid": reason.unsaid,
        }
    )


def _expected(shown: Expected) -> ExpectedView:
    series = shown.series
    return ExpectedView(
        signal=shown.signal,
        unit=shown.unit,
        feature=shown.feature,
        time=utc(series.time),
        actual=_known(series.actual),
        expected=_known(series.expected),
        low=_known(series.low),
        high=_known(series.high),
    )


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
