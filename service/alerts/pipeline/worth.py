"""What a call is worth: the money that it is expected to save, and how severe the alert is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.plant import Plant
from service.alerts.alert import Alert
from service.alerts.chance import Chance
from service.alerts.pipeline.severity import Severity

_HOUR = timedelta(hours=1)
_WEEK_HOURS = 168
CRITICAL_SHARE = 0.1
"""Critical from this share of a missed failure at stake each hour, unless the plant file says how much money."""
STEPS = {Severity.HIGH: 0.2, Severity.MEDIUM: 0.05}
"""Shares of what is critical from which on an alert is high, and medium."""
UNMEASURED = {"limit": Severity.HIGH, "sensor fault": Severity.LOW}
"""How severe a kind is of whose alerts nobody knows how often they are right; others are medium."""
ASSUMED = {"limit": 0.5}
"""How often those are taken to be right until somebody knows; others one time in ten."""
_ASSUMED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a call about an alert is worth.

    Attributes
    ----------
    value : expected money that calling saves, in the plant's currency, 0 or more
    per_hour : money at stake for each hour left; ``None`` where nobody measured how likely the alert is right
    critical_from : when it becomes critical by time alone; ``None`` if it is already, or never does
    words : what the value rests on
    """

    value: float
    per_hour: float | None
    severity: Severity
    critical_from: datetime | None
    words: str


def worth_of(alert: Alert, plant: Plant, now: datetime, chance: Chance, lost: float | None = None) -> Worth:
    """Return what a call about an alert is worth.

    An alert that is right saves a missed failure and costs a planned stop; one that is wrong costs a look. A loss costs
    the same each hour until somebody ends it, and a call ends it a week sooner than a list that is read once a week.

    Parameters
    ----------
    chance : how likely it is right
    lost : what the loss behind it costs an hour; ``None`` where it is no loss, or nobody knows
    """
    if lost is not None:
        value, at_stake, hours = lost * _WEEK_HOURS, lost, 1.0
        words = f"{lost:,.2f} an hour, for a week"
    else:
        costs = plant.costs
        share = ASSUMED.get(alert.kind, _ASSUMED) if chance.share is None else chance.share
        value = share * (costs.missed_failure - costs.planned_stop) - (1 - share) * costs.false_alarm
        at_stake, hours = share * costs.missed_failure, max(abs(alert.act_before - now), _HOUR) / _HOUR
        measured = "taken to be right" if chance.share is None else "right"
        words = f"{measured} with {share:.0%}".replace("%", " %")
    per_hour = None if lost is None and chance.share is None else at_stake / hours
    critical = critical_per_hour(plant)
    severity = _severity(alert, plant, per_hour, critical)
    soon = None
    if per_hour is not None and lost is None and severity < Severity.CRITICAL <= _at_last(at_stake, critical):
        moment = alert.act_before - at_stake / critical * _HOUR
        soon = moment if moment > now else None
    value = max(value, 0.0)
    words = f"a call saves about {value:,.0f} ({words})"
    return Worth(value=value, per_hour=per_hour, severity=severity, critical_from=soon, words=words)


def critical_per_hour(plant: Plant) -> float:
    """Return from how much money at stake each hour an alert is critical."""
    given = plant.alerts.critical_per_hour
    return max(CRITICAL_SHARE * plant.costs.missed_failure, 1e-9) if given is None else given


def _at_last(at_stake: float, critical: float) -> Severity:
    """Return how severe it is when its last hour begins, if that is critical."""
    return Severity.CRITICAL if at_stake >= critical else Severity.LOW


def _severity(alert: Alert, plant: Plant, per_hour: float | None, critical: float) -> Severity:
    if alert.kind in plant.alerts.critical:
        return Severity.CRITICAL
    if per_hour is None:
        return UNMEASURED.get(alert.kind, Severity.MEDIUM)
    if per_hour >= critical:
        return Severity.CRITICAL
    return next((each for each, share in STEPS.items() if per_hour >= share * critical), Severity.LOW)
