"""Where to look first: open alerts in the order of what it costs to leave them alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.duration import format_duration
from ingest.plant import Costs
from service.alerts.alert import Alert, AlertState

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An open alert and its place.

    Attributes
    ----------
    severity : money at stake, in the plant's currency: level × cost of a missed failure
    per_hour : severity for each hour to or since ``act_before``, at least one hour
    why : what the place rests on, in words
    """

    alert: Alert
    severity: float
    per_hour: float
    why: str


def where_to_look_first(alerts: Iterable[Alert], costs: Costs, now: datetime) -> list[Ranked]:
    """Return alerts in the order in which somebody should look at them.

    What nobody has looked at comes before what somebody answers for already. Within both, the money
    at stake per hour left decides; an alert whose time is up loses urgency as fast as it gained it,
    because its failure has not come. Equal ones (to one unit of money) stand in the order of their
    act-before times, then of their numbers, and say so.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> def alert(number, level, hours):
    ...     return Alert(number=number, machine=f"m{number}", cause="wear", kind="failure ahead", model="a",
    ...                  version="1", state=AlertState.UNACKNOWLEDGED, raised_at=now, condition_begin=now,
    ...                  act_before=now + hours * _HOUR, level=level)
    >>> ranked = where_to_look_first([alert(1, 0.9, 48), alert(2, 0.5, 5), alert(3, 0.5, 5)], Costs(), now)
    >>> [(each.alert.number, each.per_hour) for each in ranked]
    [(2, 1000.0), (3, 1000.0), (1, 187.5)]
    >>> print(ranked[1].why)
    5,000 at stake (50 % of 10,000), 5 h left; as urgent as alert 2, which was raised first
    """
    ordered = sorted((_rated(alert, costs, now) for alert in alerts), key=_place)
    return [ordered[0], *map(_tie_told, ordered, ordered[1:])] if ordered else []


def _rated(alert: Alert, costs: Costs, now: datetime) -> Ranked:
    left = alert.act_before - now
    severity = alert.level * costs.missed_failure
    hours = max(abs(left), _HOUR) / _HOUR
    time = f"{_about(left)} left" if left >= timedelta(0) else f"its time was up {_about(-left)} ago"
    why = f"{severity:,.0f} at stake ({alert.level:.0%} of {costs.missed_failure:,.0f}), {time}".replace("%", " %")
    return Ranked(alert, severity, severity / hours, why)


def _place(ranked: Ranked) -> tuple[bool, int, datetime, int]:
    alert = ranked.alert
    return alert.state is AlertState.ACKNOWLEDGED, -round(ranked.per_hour), alert.act_before, alert.number


def _tie_told(above: Ranked, ranked: Ranked) -> Ranked:
    if _place(above)[:2] != _place(ranked)[:2]:
        return ranked
    first = "has less time" if above.alert.act_before < ranked.alert.act_before else "was raised first"
    why = f"{ranked.why}; as urgent as alert {above.alert.number}, which {first}"
    return Ranked(ranked.alert, ranked.severity, ranked.per_hour, why)


def _about(span: timedelta) -> str:
    unit = timedelta(hours=1) if span >= timedelta(hours=1) else timedelta(minutes=1)
    return format_duration(span - span % unit) if span >= unit else "0 min"
