"""Health: in which state each machine is, from its alerts, its newest readings and its levels."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ingest.plant import Machine
from models.assessment import Reason
from service.alerts.alert import SEEN_STATES, Alert
from service.alerts.mute import Visibility
from service.freshness import is_stale, patience
from service.levels import Level

ASSESSED_WITHIN = timedelta(days=1)
"""A level that is older, and older than two strides of its version, says nothing of the present state."""
STRIDES_WITHIN = 2


class Health(StrEnum):
    """State of a machine, worst first; only ``NORMAL`` says that all is well."""

    ALERT = "needs attention"
    ACKNOWLEDGED = "being looked into"
    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "alert suppressed"
    SHELVED = "alert shelved"
    SILENT = "no readings yet"
    STALE = "no recent readings"
    WATCH = "above threshold"
    OFF = "off"
    UNWATCHED = "not assessed"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class MachineHealth:
    """One machine, its state and what the state rests on.

    Attributes
    ----------
    newest : time of its newest reading; ``None`` if it never sent one
    stale : whether that is too long ago, whatever ``health`` says
    level : the highest of the models' newest levels in relation to its threshold; ``None`` if no model
        could say one
    said : the newest word of each model that has one of the present: a level, or the reason why there is none
    alerts : its live alerts
    """

    machine: Machine
    health: Health
    newest: datetime | None
    stale: bool
    level: Level | None
    said: tuple[Level, ...]
    alerts: tuple[Alert, ...]

    @property
    def quiet(self) -> bool:
        """Whether a person need not know of it at once; a machine whose readings are missing never is."""
        return self.health in _QUIET and not self.stale

    @property
    def unsaid(self) -> tuple[Level, ...]:
        """The models that cannot say a level now, with their reasons."""
        return tuple(each for each in self.said if each.level is None)

    @property
    def doubted(self) -> tuple[Level, ...]:
        """The models whose level is over the threshold and no alert, since one signal alone makes it."""
        return tuple(each for each in self.said if each.reason is Reason.ONE_SIGNAL)


def machine_healths(
    machines: Sequence[Machine],
    *,
    newest: Mapping[str, datetime],
    sampling: Mapping[str, timedelta],
    levels: Iterable[Level],
    alerts: Iterable[Alert],
    stride_of: Callable[[str, str], timedelta],
    out_of_service: Collection[str] = (),
    now: datetime,
) -> list[MachineHealth]:
    """Return the health of each machine, in their order.

    Parameters
    ----------
    newest : time of each machine's newest reading; machines that never sent one are missing
    sampling : time between two readings, by machine class
    levels : newest levels, any number for each machine
    alerts : live alerts, with what mutes them
    out_of_service : machines that are so as a whole
    stride_of : returns the time between two assessments of a model's version; asked about old levels only
    """
    levels_of, alerts_of = defaultdict(list), defaultdict(list)
    for said in levels:
        levels_of[said.machine].append(said)
    for alert in alerts:
        alerts_of[alert.machine].append(alert)
    healths = []
    for machine in machines:
        every = sampling.get(machine.machine_class, timedelta(0))
        seen = newest.get(machine.name)
        stale = is_stale(seen, every, now)
        fresh = [each for each in levels_of[machine.name] if _of_the_present(each, now, patience(every), stride_of)]
        level = max((each for each in fresh if each.level is not None), key=_nearness, default=None)
        own = tuple(alerts_of[machine.name])
        about = [each for each in own if each.kind != "sensor fault"]
        out = machine.name in out_of_service
        health = Health.OUT_OF_SERVICE if out else _health(about, seen, stale, fresh, level)
        healths.append(MachineHealth(machine, health, seen, stale, level, tuple(fresh), own))
    return healths


def _of_the_present(
    said: Level, now: datetime, patience: timedelta, stride_of: Callable[[str, str], timedelta]
) -> bool:
    """Return whether a level still speaks: the next one may be a stride away, and its readings late."""
    age = now - said.time
    return age <= ASSESSED_WITHIN or age <= STRIDES_WITHIN * stride_of(said.model, said.version) + patience


def _health(
    alerts: Sequence[Alert], seen: datetime | None, stale: bool, said: Sequence[Level], level: Level | None
) -> Health:
    shown = [each for each in alerts if not each.mutes]
    if shown:
        return Health.ACKNOWLEDGED if all(each.state in SEEN_STATES for each in shown) else Health.ALERT
    if alerts:
        return min((_MUTED[each.visibility] for each in alerts), key=list(Health).index)
    if seen is None:
        return Health.SILENT
    if stale:
        return Health.STALE
    if level is None:
        return Health.OFF if any(each.reason is Reason.OFF for each in said) else Health.UNWATCHED
    return Health.WATCH if level.over else Health.NORMAL


_QUIET = frozenset({Health.NORMAL, Health.OFF, Health.UNWATCHED})
_MUTED = {
    Visibility.OUT_OF_SERVICE: Health.OUT_OF_SERVICE,
    Visibility.SUPPRESSED: Health.SUPPRESSED,
    Visibility.SHELVED: Health.SHELVED,
    Visibility.SILENCED: Health.SHELVED,
}


def _nearness(level: Level) -> float:
    return (level.level or 0.0) / max(level.threshold, 1e-9)
