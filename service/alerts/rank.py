"""Where to look first: open alerts in the order of what it costs to leave them alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType

from ingest.duration import format_duration
from ingest.plant import Costs, Plant
from service.alerts.alert import SEEN_STATES, Alert
from service.alerts.chance import CardOf, Chance, chance
from service.alerts.severity import Severity, severity

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An open alert and its place.

    Attributes
    ----------
    chance : how likely it is right
    hours : to or since ``act_before``, at least one
    severity : money at stake, in the plant's currency: chance × cost of a missed failure; ``None``
        where the chance was not measured, and for a loss
    per_hour : severity for each of the hours, or what a loss costs an hour; ``None`` where neither is known
    why : what the place rests on, in words
    """

    alert: Alert
    chance: Chance
    hours: float
    severity: float | None
    per_hour: float | None
    why: str = ""


def where_to_look_first(
    alerts: Iterable[Alert],
    costs: Costs,
    now: datetime,
    card_of: CardOf,
    lost: Mapping[int, float] = MappingProxyType({}),
    *,
    places: slice = slice(None),
) -> list[Ranked]:
    """Return alerts in the order in which somebody should look at them.

    What people are called for comes before what is shelved, suppressed or out of service, and what nobody
    has looked at before what somebody answers for already. Within each, the money
    at stake per hour left decides; an alert whose time is up loses urgency as fast as it gained it,
    because its failure has not come. A loss costs the same in each hour that it lasts, and stands by that among the
    failures. Where nobody measured how likely an alert is right, there is no
    money to say: it stands below those that were measured, by its hours. Equal ones (to one unit of
    money, or one hour) stand in the order of their act-before times, then of their numbers, and say so.

    Parameters
    ----------
    card_of : returns the card of a model's version; asked once for each version
    lost : what an hour of the loss behind an alert costs, by its number; see ``service.alerts.kept_money``
    places : of all places only these

    Examples
    --------
    >>> from datetime import UTC
    >>> from service.alerts.alert import AlertState
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> def alert(number, level, hours):
    ...     return Alert(number=number, machine=f"m{number}", cause="wear", kind="failure ahead", model="a",
    ...                  version="1", state=AlertState.UNACKNOWLEDGED, raised_at=now, condition_begin=now,
    ...                  act_before=now + hours * _HOUR, level=level)
    >>> alerts = [alert(1, 0.9, 48), alert(2, 0.5, 5), alert(3, 0.5, 5)]
    >>> ranked = where_to_look_first(alerts, Costs(), now, lambda model, version: {})
    >>> [(each.alert.number, each.per_hour) for each in ranked]
    [(2, 1000.0), (3, 1000.0), (1, 187.5)]
    >>> print(ranked[1].why)
    5,000 at stake (50 % of 10,000), 5 h left; as urgent as alert 2, which was raised first
    """
    cards = cache(card_of)
    rated = (_rated(each, chance(each, cards), costs, now, lost.get(each.number)) for each in alerts)
    ordered = sorted(rated, key=_place)
    wanted = range(len(ordered))[places]
    return [_told(ordered[at], ordered[at - 1] if at else None, costs, now) for at in wanted]


def severity_of(ranked: Ranked, plant: Plant) -> Severity:
    """Return how bad it is to leave an alert alone."""
    alert = ranked.alert
    return severity(alert.kind, ranked.per_hour, plant.costs, plant.alerts, alert.said_severity)


def _rated(alert: Alert, measured: Chance, costs: Costs, now: datetime, lost: float | None) -> Ranked:
    hours = max(abs(alert.act_before - now), _HOUR) / _HOUR
    if lost is not None or measured.share is None:
        return Ranked(alert, measured, hours, None, lost)
    severity = measured.share * costs.missed_failure
    return Ranked(alert, measured, hours, severity, severity / hours)


def _place(ranked: Ranked) -> tuple[bool, bool, bool, int, datetime, int]:
    alert, per_hour = ranked.alert, ranked.per_hour
    urgency = round(ranked.hours) if per_hour is None else -round(per_hour)
    seen = alert.state in SEEN_STATES
    return bool(alert.mutes), seen, per_hour is None, urgency, alert.act_before, alert.number


def _told(ranked: Ranked, above: Ranked | None, costs: Costs, now: datetime) -> Ranked:
    """Say in words what a place rests on."""
    why = _why(ranked, costs, now)
    if above is not None and _place(above)[:4] == _place(ranked)[:4]:
        first = "has less time" if above.alert.act_before < ranked.alert.act_before else "was raised first"
        why += f"; as urgent as alert {above.alert.number}, which {first}"
    return replace(ranked, why=why)


def _why(ranked: Ranked, costs: Costs, now: datetime) -> str:
    measured, left = ranked.chance, ranked.alert.act_before - now
    time = f"{_about(left)} left" if left >= timedelta(0) else f"its time was up {_about(-left)} ago"
    if ranked.severity is not None:
        basis = f": {measured.basis}" if measured.basis else ""
        share = f"{measured.share:.0%}".replace("%", " %")
        return f"{ranked.severity:,.0f} at stake ({share} of {costs.missed_failure:,.0f}{basis}), {time}"
    if ranked.per_hour is not None:
        return f"{ranked.per_hour:,.2f} lost each hour while it lasts"
    return f"money at stake not known ({measured.basis}), {time}"


def _about(span: timedelta) -> str:
    unit = timedelta(hours=1) if span >= timedelta(hours=1) else timedelta(minutes=1)
    return format_duration(span - span % unit) if span >= unit else "0 min"
