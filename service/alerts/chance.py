"""Chances: how likely an alert is right, by what was measured and never by a model's bare level."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.errors import RegistryError
from ingest.plant import Costs
from models.tasks.table import TASKS
from service.alerts.alert import Alert

_UNMEASURED = {
    "sensor fault": "it is about a sensor, not about the machine",
    "limit": "it is a fixed limit, and nobody counted how often it is right",
    "external": "another system says it, and nobody counted how often it is right",
    "energy loss": "it is a change of a meter against its baseline, and no backtest counted how often it is right",
    "time loss": "it is measured against the machine's own usual, and nothing says what time is worth",
    "quality loss": "it is measured against the machine's own usual, and nothing says what pieces are worth",
    "process shift": "its chart seldom signals for nothing, and nobody counted how often it is right",
}

CardOf = Callable[[str, str], Mapping[str, Any]]
"""Returns the card of a model's version; ``RegistryError`` where there is none."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely it is that an alert is right.

    Attributes
    ----------
    share : 0 to 1; ``None`` where nobody measured it
    basis : what the share rests on, or why there is none, in words; empty for a probability
    """

    share: float | None
    basis: str = ""


def chance(alert: Alert, card_of: CardOf) -> Chance:
    """Return how likely an alert is right.

    The level of a failure risk or of a condition is a calibrated probability, whether one signal alone says so or
    several do. The level of an anomaly only says how strange a machine looks, so the backtest of its version speaks
    for it: of the share of its alerts that were right, the lower bound of the 95 % interval. A model that was hardly
    tried promises little.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from service.alerts.alert import AlertState
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> odd = Alert(number=1, machine="m", cause="odd", kind="anomaly", model="a", version="1", level=0.999,
    ...             state=AlertState.UNACKNOWLEDGED, raised_at=now, condition_begin=now, act_before=now)
    >>> chance(odd, lambda model, version: {"judged": {"precision": {"value": 0.5, "low": 0.12, "high": 0.88}}})
    Chance(share=0.12, basis='at least that share of its alerts was right in the backtest')
    """
    if alert.kind in ("failure ahead", "condition"):
        return Chance(alert.level)
    if alert.kind in _UNMEASURED:
        return Chance(None, _UNMEASURED[alert.kind])
    try:
        card = card_of(alert.model, alert.version)
    except RegistryError:
        return Chance(None, "the card of its version cannot be read")
    if alert.kind == "sensor or machine" and (task := TASKS.get(card.get("task", ""))) and task.tells_probability:
        return Chance(alert.level)
    judged = card.get("judged") or {}
    precision = judged.get("precision") or {}
    if precision.get("value") is None:
        return Chance(None, "no backtest of its version says how often its alerts are right")
    return Chance(precision["low"], "at least that share of its alerts was right in the backtest")


def expected_saving(share: float, costs: Costs) -> float:
    """Return what looking after an alert saves on average, in money; below 0 where it costs more than it saves.

    If it is right, a planned stop takes the place of a missed failure; if it is not, the look costs as much as a false
    alarm.

    Parameters
    ----------
    share : how likely it is right, 0 to 1

    Examples
    --------
    >>> expected_saving(0.5, Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500))
    3750.0
    """
    return share * (costs.missed_failure - costs.planned_stop) - (1 - share) * costs.false_alarm
