"""Severity: how bad it is to leave an alert alone, in one of four words; probability × consequence × lead."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from ingest.plant import Costs


class Severity(StrEnum):
    """Four words, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


WITHIN: Mapping[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(days=1),
    Severity.HIGH: timedelta(days=3),
    Severity.MEDIUM: timedelta(days=14),
}
"""At the rate at which money is at stake, a whole missed failure is lost within so long; ``low`` is all else."""

UNPRICED: Mapping[str, Severity] = {
    "sensor fault": Severity.LOW,
    "energy loss": Severity.LOW,
    "time loss": Severity.LOW,
    "quality loss": Severity.LOW,
}
"""Kinds that stop no machine, where nobody measured the money; every other kind is ``medium`` then."""


def severity(kind: str, per_hour: float | None, costs: Costs) -> Severity:
    """Return how bad it is to leave an alert alone.

    Parameters
    ----------
    kind : kind of the alert
    per_hour : money at stake for each hour that is left (``service.alerts.rank.Ranked.per_hour``): the chance that it
        is right, times what a missed failure costs, over the hours to act in; of a loss what it costs an hour;
        ``None`` where nobody measured it
    costs : of the plant; the scale is what a missed failure costs

    Examples
    --------
    >>> costs = Costs(missed_failure=10_000)
    >>> [severity("failure ahead", 10_000 * 0.8 / hours, costs).value for hours in (8, 48, 240, 1000)]
    ['critical', 'high', 'medium', 'low']
    >>> severity("anomaly", None, costs), severity("sensor fault", None, costs)
    (<Severity.MEDIUM: 'medium'>, <Severity.LOW: 'low'>)
    """
    if per_hour is None:
        return UNPRICED.get(kind, Severity.MEDIUM)
    for word, span in WITHIN.items():
        if per_hour > 0 and per_hour * (span / timedelta(hours=1)) >= costs.missed_failure:
            return word
    return Severity.LOW
