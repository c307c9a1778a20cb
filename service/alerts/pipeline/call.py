"""◆ Call: one alert on one route, on its way to people; and what each stage of the pipeline makes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ingest.plant_route import Route
from service.alerts.alert import Alert
from service.alerts.pipeline.match import Places
from service.alerts.pipeline.worth import Worth
from service.delivery.outbox import NoticeKind

if TYPE_CHECKING:
    from service.alerts.pipeline.scene import Scene


class CallState(StrEnum):
    """How far a call is."""

    GROUPING = "grouping"
    HELD = "held"
    CALLED = "called"
    RETURNING = "returning"
    OVER = "over"


class Reason(StrEnum):
    """Why people were called, or not."""

    NO_ROUTE = "no route"
    GROUP_WAIT = "waits for its group"
    FLOOD = "many messages lately"
    LINE_STOPPED = "line stopped"
    SENSOR_FAULT = "its sensor cannot be believed"
    WORSE_KNOWN = "something worse is known"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out of service"
    SHELVED = "shelved"
    SILENCED = "silenced"
    BELOW_FLOOR = "almost never right"
    LESS_WORTH = "worth less than what is to be expected"
    BUDGET_SPENT = "budget spent"
    NOBODY_ON_DUTY = "nobody on duty"
    TOLD_BEFORE = "told before"
    ACKNOWLEDGED = "acknowledged"
    OVER = "over before anybody was called"
    NO_NEWS = "no news"
    CALLED = "called"
    BACK = "called: it is back"
    REPEATED = "called again"
    ESCALATED = "escalated"
    RESOLVED = "told that it is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a call between two looks at it.

    Attributes
    ----------
    key : its group on the route
    since : when it began to wait as it does; of one that was called: when that was
    due : when to look at it again; ``None`` where its group has the timer, or nothing has
    asked, worth : when it first asked for a token of the budget, and what it was worth then
    critical : whether it was critical when people were first called
    first, newest : when people were first and last called; ``None`` while they were not
    rung : how many rungs of the ladder were called
    lead : the alert whose messages its own are kept in order with
    told : targets that believe that it lasts
    stage, reason : of its newest decision
    """

    alert: int
    route: str
    key: str
    state: CallState = CallState.GROUPING
    since: datetime
    due: datetime | None = None
    asked: datetime | None = None
    worth: float = 0.0
    critical: bool = False
    first: datetime | None = None
    newest: datetime | None = None
    rung: int = 0
    lead: int | None = None
    told: tuple[str, ...] = ()
    stage: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One alert on one route, and what the stages before made of it.

    Attributes
    ----------
    alert : with the mutes that reach it now
    kind : what people would be told
    targets : whom, as far as that is known
    rungs : how many rungs of the ladder will have been called
    """

    alert: Alert
    route: Route
    places: Places
    worth: Worth
    kept: Kept
    kind: NoticeKind = NoticeKind.RAISED
    targets: tuple[str, ...] = ()
    rungs: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A call that a stage holds back.

    Attributes
    ----------
    until : when to look again if nothing happens before; ``None``: only when something happens
    stage : name of the stage; filled in by the pipeline
    """

    call: Call
    reason: Reason
    words: str
    until: datetime | None = None
    stage: str = ""


@dataclass(slots=True)
class Sieved:
    """What a stage lets pass, and what it holds back."""

    passed: list[Call] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


Stage = Callable[[Sequence[Call], "Scene"], Sieved]
"""Looks at calls, writes nothing, and says of each that it passes or why not."""
