"""How alerts are shown: each with what its place in the list rests on."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from ingest.plant import Plant
from models.finding import Evidence
from models.persistence import Phase
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.mute import Visibility
from service.alerts.rank import Ranked, severity_of
from service.alerts.record import Record
from service.alerts.severity import Severity
from service.api.grades import GradeView
from service.api.mute_view import MuteView
from service.api.paging import Page

SHOWN = 100
"""Lines of its history that an alert is shown with."""


Number = Annotated[int, Path(ge=1, lt=2**63, description="Number of the alert.")]


class AlertView(BaseModel):
    """One matter of one machine that somebody should look at."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    machine: str
    cause: str
    kind: str
    state: AlertState
    sentence: str
    level: float = Field(
        description="The model's number, 0 to 1; for 'failure ahead' and 'condition' the probability, for an "
        "anomaly how strange it is, for 'sensor or machine' what its model says, 1 for a sensor fault."
    )
    act_before: datetime = Field(description="Later than this is too late to act in time.")
    raised_at: datetime
    condition_begin: datetime
    condition_end: datetime | None
    model: str
    version: str
    evidence: list[Evidence] = Field(description="What speaks for it, strongest first.")
    acknowledged_by: str
    acknowledged_at: datetime | None
    closed_by: str
    closed_at: datetime | None
    verdict: Verdict | None
    note: str
    labels: dict[str, str] = Field(description="By what other systems know it; fixed when it was raised.")
    latches: bool = Field(description="Whether only a reset makes it normal.")
    assignee: str = Field(description="Who is to look after it; empty for nobody.")
    mode: str = Field(description="Failure mode that was found; this and what follows empty where nobody said.")
    mechanism: str = Field(description="What made it fail, such as wear.")
    root_cause: str = Field(description="Why that came about.")
    action: str = Field(description="What was done.")
    visibility: Visibility = Field(description="Whether people are called for it; see 'mutes' for why not.")
    mutes: list[MuteView] = Field(description="What it is shelved, suppressed or out of service by.")
    chance: float | None = Field(
        description="How likely it is right, as measured: the probability, or for an anomaly the lower bound of the "
        "share of its version's alerts that were right in the backtest; null when nobody measured it or it is not open."
    )
    stake_per_hour: float | None = Field(
        description="Money at stake for each hour that is left, in the plant's currency; null where chance is."
    )
    severity: Severity | None = Field(
        description="How bad it is to leave it alone: the stake of each hour on the scale of a missed failure; null "
        "when it is not open."
    )
    phase: Phase | None = Field(
        None,
        description="Whether the condition behind it lasts ('active') or the newest windows are below ('recovering'); "
        "null where none of a model or limit holds it up.",
    )
    phase_words: str = Field("", description="What is missing until it is over; empty unless it is recovering.")
    why_here: str = Field(description="What its place among the open alerts rests on; empty when it is not open.")
    grade: GradeView | None = Field(
        None,
        description="The lowest of the newest grades of the signals that it rests on, each of up to 30 days; null "
        "before the first grading, and for a sensor fault.",
    )


class AlertHistoryView(BaseModel):
    """One line of an alert's history."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    happening: str
    state: AlertState
    by: str
    why: str


class TrackRecordView(BaseModel):
    """How often alerts of the same model and kind were right."""

    model_config = ConfigDict(from_attributes=True)

    right: int = Field(description="Of the alerts with a verdict; prevented ones are right, too.")
    judged: int = Field(description="Alerts that were found right, prevented or wrong; not inspected is none of them.")
    low: float = Field(description="The 95 % Wilson interval of the share by verdict; 0 to 1 where there is none.")
    high: float
    tested_right: int | None = Field(description="Right ones in the backtest of its version; null without one.")
    tested: int | None
    sentence: str

    @classmethod
    def of(cls, record: Record) -> Self:
        """Show a record."""
        fields = {name: getattr(record, name) for name in ("right", "judged", "tested_right", "tested", "sentence")}
        return cls(**fields, low=record.share.low, high=record.share.high)


class AlertDetail(AlertView):
    """One alert, how far it can be trusted, and what happened to it."""

    track_record: TrackRecordView | None = Field(
        description="Null where neither a verdict nor a backtest says anything."
    )

    history: list[AlertHistoryView] = Field(
        max_length=SHOWN, description="The newest lines, oldest first; '/alerts/{number}/history' has all, in pages."
    )


class HistoryPage(Page):
    """Some lines of an alert's history."""

    items: list[AlertHistoryView]


class AlertPage(Page):
    """Some alerts."""

    items: list[AlertView]


def open_view(ranked: Ranked, plant: Plant) -> AlertView:
    """Show an open alert and what its place rests on."""
    per_hour = None if ranked.per_hour is None else round(ranked.per_hour, 2)
    place = {"chance": ranked.chance.share, "stake_per_hour": per_hour, "why_here": ranked.why}
    place["severity"] = severity_of(ranked, plant)
    return AlertView.model_validate(_fields(ranked.alert) | place)


def over_view(alert: Alert) -> AlertView:
    """Show an alert that is over, and so has no place any more."""
    nowhere = {"chance": None, "stake_per_hour": None, "severity": None, "why_here": ""}
    return AlertView.model_validate(_fields(alert) | nowhere)


def _fields(alert: Alert) -> dict[str, object]:
    return {name: getattr(alert, name) for name in AlertView.model_fields if hasattr(alert, name)}
