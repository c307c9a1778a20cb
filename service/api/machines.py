"""Machines: their health, their newest values and what the models said of them."""

import math
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from ingest.duration import format_duration
from ingest.plant import Plant
from models.filled import Filled
from models.life.life import Life
from models.persistence import Phase
from models.risk.outlook import Outlook
from service.api.alert_why import ModeView
from service.api.given import Seen, Span, machine_named
from service.api.grades import GradeView
from service.api.paging import Limit, Offset, Page, cut
from service.grades import Kept, grade_of_model, kept_grades
from service.health import Health, MachineHealth
from service.levels import Level, level_histories
from service.outlooks import outlooks
from service.overview import machine_health, plant_health, signal_states
from service.phases import phases_on
from service.series import thin, utc

router = APIRouter(tags=["machines"])
DEFAULT_SPAN = timedelta(days=7)


class FilledView(BaseModel):
    """How much of the expected readings a level was built from."""

    share: float = Field(description="Mean over the signals of the share that came, 0 to 1.")
    thin: dict[str, float] = Field(description="Share of each signal of which less than half came, thinnest first.")
    says: str = Field(description="Both in one line.")

    @classmethod
    def of(cls, filled: Filled | None) -> "FilledView | None":
        """Show it; ``None`` where nobody knows."""
        return None if filled is None else cls(share=filled.share, thin=dict(filled.thin), says=filled.words())


class LifeView(BaseModel):
    """How many hours a machine has left, at three quantiles."""

    low: float | None = Field(description="Hours at 10 %: nine in ten last longer; null beyond the reach.")
    middle: float | None = Field(description="Hours at 50 %; null beyond the reach.")
    high: float | None = Field(description="Hours at 90 %; null beyond the reach.")
    reach: float = Field(description="Up to how many hours the model tells lives.")

    @classmethod
    def of(cls, life: Life | None) -> "LifeView | None":
        """Show it; ``None`` where none is told."""
        if life is None:
            return None
        low, middle, high = (each if math.isfinite(each) else None for each in (life.low, life.middle, life.high))
        return cls(low=low, middle=middle, high=high, reach=life.reach)


class LevelView(BaseModel):
    """The model's newest word on a machine."""

    model: str
    version: str
    time: datetime
    level: float | None = Field(
        description="0 to 1, higher is worse; null where the reason is not 'ok', 'not degrading' or 'one signal alone'."
    )
    reason: str
    threshold: float
    filled: FilledView | None = Field(
        None, description="How much of the expected readings it was built from; null where nobody knows."
    )
    life: LifeView | None = Field(
        None, description="Remaining life, of a model that tells it; null while nothing degrades."
    )
    grade: GradeView | None = Field(
        None, description="The lowest grade of the signals that the model looks at; null before the first grading."
    )

    @classmethod
    def of(cls, level: Level, plant: Plant, kept: Kept) -> "LevelView":
        """Show a level, and the grade of what it rests on."""
        return cls(
            model=level.model,
            version=level.version,
            time=level.time,
            level=level.level,
            reason=level.reason.value,
            threshold=level.threshold,
            filled=FilledView.of(level.filled),
            life=LifeView.of(level.life),
            grade=GradeView.of(grade_of_model(plant, level.model, kept)),
        )


class MachineView(BaseModel):
    """One machine and its health."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "press-7",
                    "class": "press",
                    "site": "Ulm",
                    "area": "Forming",
                    "line": "Line 2",
                    "health": "needs attention",
                    "newest_reading": "2026-05-03T05:58:00Z",
                    "stale": False,
                    "level": None,
                    "said": [],
                    "alerts": [12],
                }
            ]
        },
    )

    name: str
    machine_class: str = Field(alias="class")
    site: str
    area: str
    line: str
    health: Health
    newest_reading: datetime | None = Field(description="Event time of its newest reading.")
    stale: bool = Field(description="Whether it has been silent for too long, whatever its health says.")
    level: LevelView | None = Field(description="The newest level that is nearest to its threshold, or above it most.")
    said: list[LevelView] = Field(
        description="The newest word of each model: a level, or the reason why there is none."
    )
    alerts: list[int] = Field(description="Numbers of its open alerts.")


class SignalView(BaseModel):
    """A signal and its newest value."""

    name: str
    unit: str
    range: tuple[float, float] | None
    time: datetime | None
    value: float | None
    stale: bool = Field(description="Whether it has been silent for too long; `time` says since when, null: 90 days.")
    grade: GradeView | None = Field(description="How far its readings can be trusted; null before the first grading.")


class LevelsView(BaseModel):
    """What one model said over the span; lowest and highest values are kept where there are many."""

    model: str
    threshold: float
    time: list[datetime]
    level: list[float]


class OutlookView(BaseModel):
    """What a model says beyond its newest level."""

    model: str
    time: datetime
    within: dict[str, float] = Field(
        description="Probability of a failure by horizon, such as `7 d`; it never falls as they get longer."
    )
    modes: list[ModeView] = Field(description="What it would be, likeliest first; empty where no mode was learnt.")
    says: str = Field(description="Both in one line.")

    @classmethod
    def of(cls, outlook: Outlook) -> "OutlookView":
        """Show it."""
        return cls(
            model=outlook.model,
            time=outlook.time,
            within={format_duration(span): each for span, each in outlook.within.items()},
            modes=[ModeView.model_validate(each) for each in outlook.modes],
            says=outlook.words(),
        )


class ConditionView(BaseModel):
    """Where the condition of a model, or of the signal limits, stands on a machine."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    phase: Phase
    words: str = Field(description="What is missing for the next step; empty while it is active.")
    alert: int | None = Field(description="Number of the alert that it holds up; null if it holds up none.")


class MachineDetail(MachineView):
    """One machine with its signals and what the models said of it."""

    signals: list[SignalView]
    levels: list[LevelsView]
    conditions: list[ConditionView] = Field(description="Those that are pending, active or recovering.")
    outlooks: list[OutlookView] = Field(description="Of each model that tells more than a level.")


class MachinePage(Page):
    """Some machines."""

    items: list[MachineView]


@router.get("/machines")
def list_machines(
    request: Request,
    seen: Seen,
    health: Annotated[Health | None, Query(description="Only machines in this state.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> MachinePage:
    """Return the machines and their health, in the order of the plant file."""
    healths = [each for each in plant_health(seen.room, seen.sampling, seen.now) if health in (None, each.health)]
    page, next_page = cut(request, healths, limit, offset)
    plant = seen.room.plant
    kept = kept_grades(seen.room.state, plant, [each.machine.name for each in page])
    items = [MachineView.model_validate(_fields(each, plant, kept[each.machine.name])) for each in page]
    return MachinePage(items=items, next=next_page)


@router.get("/machines/{machine:path}")
def show_machine(
    machine: str,
    seen: Seen,
    span: Span,
    points: Annotated[int, Query(ge=10, le=10_000, description="About how many levels of each model.")] = 500,
) -> MachineDetail:
    """Return one machine: its health, the newest value of each signal, the models' levels over a span.

    The span is the last 7 days when it is left out.
    """
    found, _ = machine_named(seen.room.plant, machine)
    start, end = span.closed(seen.now, DEFAULT_SPAN)
    health = machine_health(seen.room, seen.sampling, seen.now, found.name)
    kept = kept_grades(seen.room.state, seen.room.plant, [found.name])[found.name]
    signals = [
        SignalView(
            name=each.signal.name,
            unit=each.signal.unit,
            range=each.signal.range,
            time=each.time,
            value=each.value,
            stale=each.stale,
            grade=GradeView.of(kept.get(each.signal.name)),
        )
        for each in signal_states(seen.room, seen.sampling, seen.now, found.name, health.newest)
    ]
    with seen.room.state.read() as connection:
        conditions = phases_on(connection, found.name, seen.room.plant.alerts)
    levels = []
    for history in level_histories(seen.room.state, found.name, start, end):
        shown = thin(history.series, start, end, points // 2)
        levels.append(
            LevelsView(
                model=history.model, threshold=history.threshold, time=utc(shown.time), level=shown.value.tolist()
            )
        )
    return MachineDetail.model_validate(
        {
            **_fields(health, seen.room.plant, kept),
            "signals": signals,
            "levels": levels,
            "conditions": [ConditionView.model_validate(each) for each in conditions],
            "outlooks": [OutlookView.of(each) for each in outlooks(seen.room, health.said)],
        }
    )


def _fields(health: MachineHealth, plant: Plant, kept: Kept) -> dict[str, object]:
    return {
        "name": health.machine.name,
        "class": health.machine.machine_class,
        "site": health.machine.site,
        "area": health.machine.area,
        "line": health.machine.line,
        "health": health.health,
        "newest_reading": health.newest,
        "stale": health.stale,
        "level": None if health.level is None else LevelView.of(health.level, plant, kept),
        "said": [LevelView.of(each, plant, kept) for each in health.said],
        "alerts": [each.number for each in health.alerts],
    }
