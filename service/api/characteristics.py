"""Characteristics: signals on control charts, what was signalled, and how well a tolerance is kept."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from models.efficiency.standing import Standing
from models.judging.interval import Interval
from service.api.given import Now, Room, Span, machine_named
from service.characteristics import look_at, standing

if TYPE_CHECKING:
    from models.efficiency.capability import Capability
    from models.efficiency.characteristic import Watched
    from models.efficiency.charted import Charted, Signal

router = APIRouter(tags=["control charts"])
MOST_POINTS = 10_000


class StandingView(BaseModel):
    """How one characteristic of one machine stood when it was looked at last."""

    machine: str
    signal: str
    state: Standing | None = Field(description="Null where it was not looked at yet.")
    says: str
    until: datetime | None = Field(description="Up to when it was looked at.")


class StandingList(BaseModel):
    """All of them, in the order of the plant file."""

    items: list[StandingView]


class PhaseOneView(BaseModel):
    """What normal was learnt from."""

    begin: datetime
    end: datetime
    verdict: str
    why: list[str] = Field(description="What makes it unstable.")
    cautions: list[str]
    left_out: list[str] = Field(description="Values that were left out, and why.")


class ChartSignalView(BaseModel):
    """One matter that the chart signalled."""

    at: datetime
    rule: str = Field(description="`jump` of one point, or `shift` that lasts.")
    direction: str
    since: datetime = Field(description="When the level most likely stepped ...")
    earliest: datetime = Field(description="... and from when on ...")
    latest: datetime = Field(description="... to when it may have, as sure as 95 %.")
    size: float = Field(description="In the unit of the signal.")
    over: datetime | None = Field(description="When the level was back; null while it lasts.")
    last: datetime = Field(description="The last point of the same matter that signalled.")
    count: int
    sentence: str

    @classmethod
    def of(cls, signal: "Signal") -> "ChartSignalView":
        """Show it."""
        return cls(
            at=signal.at,
            rule=signal.rule,
            direction=signal.direction,
            since=signal.since.at,
            earliest=signal.since.earliest,
            latest=signal.since.latest,
            size=signal.size,
            over=signal.over,
            last=signal.last,
            count=signal.count,
            sentence=signal.sentence,
        )


class IntervalView(BaseModel):
    """A number with its interval of 95 %."""

    value: float | None
    low: float
    high: float | None

    @classmethod
    def of(cls, interval: Interval | None) -> "IntervalView | None":
        """Show it, if there is one."""
        return None if interval is None else cls.model_validate(interval.to_dict())


class CapabilityView(BaseModel):
    """How well single readings keep the tolerance; an index that is null has a reason."""

    cp: IntervalView | None
    cpk: IntervalView | None
    pp: IntervalView | None
    ppk: IntervalView | None
    beyond: IntervalView | None = Field(description="Share of readings beyond a limit.")
    mean: float
    sigma_within: float
    sigma_overall: float
    effective_points: float = Field(description="Independent readings that tell as much.")
    why: dict[str, str] = Field(description="Why an index is null, and what to know of those that are not.")

    @classmethod
    def of(cls, found: "Capability") -> "CapabilityView":
        """Show it."""
        indices: dict[str, Any] = {
            name: IntervalView.of(getattr(found, name)) for name in ("cp", "cpk", "pp", "ppk", "beyond")
        }
        return cls(
            **indices,
            mean=found.mean,
            sigma_within=found.sigma_within,
            sigma_overall=found.sigma_overall,
            effective_points=found.effective_points,
            why=found.why,
        )


class PointsView(BaseModel):
    """The points of a span, as columns; null where there is none."""

    time: list[datetime]
    value: list[float | None]
    expected: list[float | None] = Field(description="From the values before.")
    low: list[float | None] = Field(description="Limits of a jump.")
    high: list[float | None]


class ChartView(BaseModel):
    """A characteristic of one machine on its control chart."""

    machine: str
    signal: str
    unit: str
    state: Standing
    says: str
    requested_run_length: float = Field(description="Points to a false signal, on average, that were asked for.")
    phase_one: PhaseOneView | None = Field(description="Null while there are too few points for a chart.")
    centre: float | None
    sigma: float | None = Field(description="Of single points in control.")
    autocorrelation: list[float]
    signals: list[ChartSignalView]
    capability: CapabilityView | None = Field(description="Of the newest single readings.")
    no_capability: str = Field(description="Why there is none; empty where there is one.")
    points: PointsView


@router.get("/characteristics")
def list_characteristics(
    room: Room, machine: Annotated[str | None, Query(description="Only of this machine.")] = None
) -> StandingList:
    """Return how every characteristic stood when the job that watches losses looked at it last."""
    if machine is not None:
        machine_named(room.plant, machine)
    return StandingList(
        items=[
            StandingView(
                machine=name,
                signal=each.signal,
                state=None if kept is None else kept.state,
                says="it was not looked at yet" if kept is None else kept.says,
                until=None if kept is None else kept.until,
            )
            for name, each, kept in standing(room.plant, room.state, machine)
        ]
    )


@router.get("/characteristics/chart")
def show_chart(
    room: Room,
    now: Now,
    span: Span,
    machine: Annotated[str, Query(description="The machine.")],
    signal: Annotated[str, Query(description="Its signal.")],
) -> ChartView:
    """Return a control chart with its newest 10,000 points of the span; all since phase I when it is left out.

    A chart that the job which watches losses has not learnt yet is learnt for the answer, which takes seconds.
    """
    machine_named(room.plant, machine)
    until = min(span.end or now, now)
    found = look_at(room.plant, room.store, room.state, machine, signal, until)
    return chart_view(found, span.start)


def chart_view(found: "Watched", start: datetime | None = None) -> ChartView:
    """Show a chart with its newest points after ``start``."""
    charted = found.charted
    return ChartView(
        machine=found.machine,
        signal=found.characteristic.signal,
        unit=found.unit,
        state=found.state,
        says=found.says,
        requested_run_length=found.characteristic.run_length,
        phase_one=_phase_one(found),
        centre=None if charted is None else charted.centre,
        sigma=None if charted is None else charted.sigma,
        autocorrelation=[] if charted is None else list(charted.autocorrelation),
        signals=[] if charted is None else [ChartSignalView.of(each) for each in charted.signals],
        capability=None if found.capability is None else CapabilityView.of(found.capability),
        no_capability=found.no_capability,
        points=_points(charted, start),
    )


def _phase_one(found: "Watched") -> PhaseOneView | None:
    if found.learnt is None:
        return None
    phase, times = found.learnt.chart.phase_one, found.phase_one.means.index
    return PhaseOneView(
        begin=times[0],
        end=times[-1],
        verdict=phase.verdict,
        why=list(phase.why),
        cautions=list(phase.cautions),
        left_out=[f"{times[each.begin]:%Y-%m-%d %H:%M}: {each.reason}" for each in phase.left_out],
    )


def _points(charted: "Charted | None", start: datetime | None) -> PointsView:
    if charted is None:
        return PointsView(time=[], value=[], expected=[], low=[], high=[])
    shown = charted.points if start is None else charted.points[charted.points.index > start]
    shown = shown.iloc[-MOST_POINTS:]
    columns = {
        name: [float(each) if np.isfinite(each) else None for each in shown[name]]
        for name in ("value", "expected", "low", "high")
    }
    return PointsView(time=list(shown.index), **columns)
