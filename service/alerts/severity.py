"""Severity: how bad it is to leave an alert alone, in one of four words; probability × consequence × lead."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from ingest.plant import AlertSettings, Costs

_HOUR = timedelta(hours=1)


class Severity(StrEnum):
    """Four words, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """The higher, the worse: 0 for ``low``."""
        return len(Severity) - 1 - list(Severity).index(self)


WITHIN: Mapping[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(days=1),
    Severity.HIGH: timedelta(days=3),
    Severity.MEDIUM: timedelta(days=14),
}
"""At the rate at which money is at stake, a whole missed failure is lost within so long; ``low`` is all else. Where the
plant file says from which rate on an alert is critical, the others keep their proportion to it."""

UNPRICED: Mapping[str, Severity] = {
    "limit": Severity.HIGH,
    "sensor fault": Severity.LOW,
    "energy loss": Severity.LOW,
    "time loss": Severity.LOW,
    "quality loss": Severity.LOW,
    "process shift": Severity.LOW,
}
"""Where nobody measured the money: what passed a limit that people set, and what stops no machine; every other kind
is ``medium`` then."""


SAID: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "major": Severity.HIGH,
    "minor": Severity.LOW,
    "low": Severity.LOW,
    "info": Severity.LOW,
    "none": Severity.LOW,
}
"""What other systems call severe in their label; every other word, such as ``warning``, is ``medium``."""


def critical_per_hour(costs: Costs, settings: AlertSettings) -> float:
    """Return from how much money at stake each hour an alert is critical."""
    if settings.critical_per_hour is not None:
        return settings.critical_per_hour
    return costs.missed_failure * (_HOUR / WITHIN[Severity.CRITICAL])


def severity(
    kind: str,
    per_hour: float | None,
    costs: Costs,
    settings: AlertSettings = AlertSettings(),  # noqa: B008 - frozen
    said: str = "",
) -> Severity:
    """Return how bad it is to leave an alert alone.

    Parameters
    ----------
    kind : kind of the alert
    per_hour : money at stake for each hour that is left (``service.alerts.rank.Ranked.per_hour``): the chance that it
        is right, times what a missed failure costs, over the hours to act in; of a loss what it costs an hour;
        ``None`` where nobody measured it
    costs, settings : of the plant; the scale is what a missed failure costs, unless ``critical_per_hour`` says another,
        and a kind in ``critical`` is always critical
    said : how bad another system says that it is, which decides where nobody measured it

    Examples
    --------
    >>> costs = Costs(missed_failure=10_000)
    >>> [severity("failure ahead", 10_000 * 0.8 / hours, costs).value for hours in (8, 48, 240, 1000)]
    ['critical', 'high', 'medium', 'low']
    >>> severity("anomaly", None, costs), severity("sensor fault", None, costs)
    (<Severity.MEDIUM: 'medium'>, <Severity.LOW: 'low'>)
    """
    if kind in settings.critical:
        return Severity.CRITICAL
    if per_hour is None and said:
        return SAID.get(said.lower(), Severity.MEDIUM)
    if per_hour is None:
        return UNPRICED.get(kind, Severity.MEDIUM)
    critical = critical_per_hour(costs, settings)
    for word, span in WITHIN.items():
        if per_hour > 0 and per_hour * (span / WITHIN[Severity.CRITICAL]) >= critical:
            return word
    return Severity.LOW
