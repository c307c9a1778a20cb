"""How often events really come, and how many alerts would then be right: a history may hold far more of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.judging.evaluate import WEEK, Verdict
from models.judging.interval import Interval, poisson_rate
from models.judging.past import Past

YEAR = timedelta(days=365.25)
_WEEKS = YEAR / WEEK


@dataclass(frozen=True, slots=True)
class RealRate:
    """Events per machine-year.

    Attributes
    ----------
    stated : whether the plant file says it; otherwise the history does
    """

    per_machine_year: Interval
    stated: bool

    def to_dict(self, verdict: Verdict) -> dict[str, Any]:
        """Return it and the precision that goes with it, as JSON types."""
        return {
            "events_per_machine_year": self.per_machine_year.to_dict(),
            "stated": self.stated,
            "precision": precision_at(verdict, self.per_machine_year.value).to_dict(),
        }


def real_rate(past: Past, stated: float | None) -> RealRate:
    """Return how often events come: as the plant file says, or over the whole history of the judged machines."""
    if stated is not None:
        return RealRate(Interval(stated, stated, stated), stated=True)
    watched = sum(((last - first) for first, last in past.spans.values()), timedelta(0))
    inside = sum(
        past.spans[machine][0] < begin <= past.spans[machine][1]
        for machine, begin in zip(past.targets["machine"], past.targets["begin"], strict=True)
        if machine in past.spans
    )
    return RealRate(poisson_rate(inside, watched / YEAR), stated=False)


def precision_at(verdict: Verdict, per_machine_year: float | None) -> Interval:
    """Return the share of alerts that would be right if events came so often.

    An event is found as often as here, and a machine raises as many false alarms in a week; so of r·λ right
    and f false alerts a week the share is r·λ / (r·λ + f). Its bounds take those of r and f together,
    the worse and the better ones, and are wider than 95 %.
    """
    recall, false = verdict.recall, verdict.false_alarms_per_machine_week
    if recall.value is None or false.value is None or not per_machine_year:
        return Interval(None, 0.0, 1.0)
    weekly = per_machine_year / _WEEKS
    return Interval(
        _share(recall.value * weekly, false.value),
        _share(recall.low * weekly, false.high) or 0.0,
        _share(recall.high * weekly, false.low) or 1.0,
    )


def _share(right: float, false: float) -> float | None:
    return right / (right + false) if right + false > 0 else None
