"""Ranking: at which open alert to look first."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest.plant import Costs
from service.alerts.alert import Alert, AlertState

_SHORTEST = timedelta(hours=1)


def stake_per_hour(alert: Alert, costs: Costs, now: datetime) -> float:
    """Return the money at stake for each hour that is left to act, in the plant's currency per hour.

    Level × (missed failure − planned stop) / time left, the time being at least one hour: an
    alert whose time is up asks for no less than one whose time is nearly up.
    """
    left = max(alert.act_before - now, _SHORTEST)
    return alert.level * max(0.0, costs.missed_failure - costs.planned_stop) / (left / timedelta(hours=1))


def look_first(alerts: Iterable[Alert], costs: Costs, now: datetime) -> list[Alert]:
    """Return alerts in the order in which somebody should look at them.

    What nobody has looked at comes before what somebody looks into already; then the money at stake
    for each hour left, highest first; equal ones by the time to act before, then by number.
    """
    return sorted(
        alerts,
        key=lambda alert: (
            alert.state is AlertState.ACKNOWLEDGED,
            -stake_per_hour(alert, costs, now),
            alert.act_before,
            alert.number,
        ),
    )
