"""What verdicts cost, in the plant's currency."""

from dataclasses import dataclass
from math import inf

from ingest.plant import Costs
from models.evaluate import Verdict


def cost(costs: Costs, *, found: float, missed: float, false: float) -> float:
    """Return what so many found and missed failures and false alarms cost together.

    A found failure becomes a planned stop. A late alert saves nothing: count it as missed.

    Examples
    --------
    >>> cost(Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500), found=3, missed=1, false=4)
    18000.0
    """
    return float(missed * costs.missed_failure + found * costs.planned_stop + false * costs.false_alarm)


def cost_of(verdict: Verdict, costs: Costs) -> float:
    """Return what a model cost with this verdict."""
    return cost(costs, found=verdict.found, missed=verdict.missed, false=verdict.false)


def break_even(costs: Costs) -> float:
    """Return the probability of a failure from which an alert pays.

    An alert that is right saves the missed failure less the planned stop; one that is wrong costs a
    false alarm. Infinity when a planned stop is no cheaper than the failure: then no alert ever pays.

    Examples
    --------
    >>> round(break_even(Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500)), 4)
    0.0588
    """
    saved = costs.missed_failure - costs.planned_stop
    return costs.false_alarm / (costs.false_alarm + saved) if saved > 0 else inf


@dataclass(frozen=True, slots=True)
class Money:
    """What the judged time cost under each way to run the plant, in its currency.

    Attributes
    ----------
    model : with the model
    do_nothing : every judged event missed
    calendar : with replacement at a fixed age, ``None`` where no age can be said
    fixed_limit : with one limit on one signal, ``None`` where no signal has a mean
    """

    model: float
    do_nothing: float
    calendar: float | None
    fixed_limit: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the four amounts."""
        return {
            "model": self.model,
            "do_nothing": self.do_nothing,
            "calendar": self.calendar,
            "fixed_limit": self.fixed_limit,
        }

    @property
    def saved(self) -> float:
        """What the model saved against doing nothing; negative when it cost more."""
        return self.do_nothing - self.model

    @property
    def best_baseline(self) -> float:
        """What the cheapest way without the model cost."""
        return min(amount for amount in (self.do_nothing, self.calendar, self.fixed_limit) if amount is not None)
