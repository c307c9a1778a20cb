"""The scene: everything that the stages may know, as of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.plant import Plant
from service.alerts.pipeline.duty import Roster
from service.alerts.pipeline.purse import Purse
from service.alerts.pipeline.sources import Sources


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of a route that come in one message.

    Attributes
    ----------
    since : when its timer was set
    due : when those that wait are told; ``None`` while none does
    told : when its newest message was written; ``None`` before the first
    """

    since: datetime
    due: datetime | None = None
    told: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoppedLine:
    """A production line that stands, and what says so."""

    since: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the stages may know.

    Attributes
    ----------
    groups : by route and key
    sources : open alerts that may make others needless
    stopped : lines that stand, by name
    purses : the budget of each route
    lately : when each route was called within the last minutes
    roster : who is on duty
    """

    plant: Plant
    now: datetime
    roster: Roster
    groups: Mapping[tuple[str, str], Group] = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources)
    stopped: Mapping[str, StoppedLine] = field(default_factory=dict)
    purses: Mapping[str, Purse] = field(default_factory=dict)
    lately: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
