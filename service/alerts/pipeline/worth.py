"""What a call is worth: the money that it is expected to save, and how severe the alert is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.plant import Plant
from service.alerts.alert import Alert
from service.alerts.chance import Chance, expected_saving
from service.alerts.severity import Severity, critical_per_hour, severity

_HOUR = timedelta(hours=1)
_WEEK_HOURS = 168
ASSUMED = {"limit": 0.5, "external": 0.5}
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
        value = expected_saving(share, costs)
        at_stake, hours = share * costs.missed_failure, max(abs(alert.act_before - now), _HOUR) / _HOUR
        measured = "taken to be right" if chance.share is None else "right"
        words = f"{measured} with {share:.0%}".replace("%", " %")
    per_hour = None if lost is None and chance.share is None else at_stake / hours
    critical = critical_per_hour(plant.costs, plant.alerts)
    word = severity(alert.kind, per_hour, plant.costs, plant.alerts, alert.said_severity)
    soon = None
    if per_hour is not None and lost is None and word is not Severity.CRITICAL and 0 < critical <= at_stake:
        moment = alert.act_before - at_stake / critical * _HOUR
        soon = moment if moment > now else None
    value = max(value, 0.0)
    words = f"a call saves about {value:,.0f} ({words})"
    return Worth(value=value, per_hour=per_hour, severity=word, critical_from=soon, words=words)
