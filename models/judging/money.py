"""What verdicts cost, in the plant's currency, and how sure a saving is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.plant import Costs
from models.judging.evaluate import AlertVerdict, EventVerdict, Verdict
from models.judging.interval import Interval
from models.judging.resample import sum_interval
from models.moment import instants

MODEL, DO_NOTHING, CALENDAR = "model", "do_nothing", "calendar"
MACHINES_TO_DRAW = 10
"""Machines from which on they are what is drawn anew; of fewer it is their lives, from one event to the next."""


def cost(costs: Costs, *, found: float, missed: float, false: float) -> float:
    """Return what so many found and missed failures and false alarms cost together.

    A found failure becomes a planned stop. A late alert saves nothing: count it as missed.

    Examples
    --------
    >>> cost(Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500), found=3, missed=1, false=4)
    18000.0
    """
    return float(missed * costs.missed_failure + found * costs.planned_stop + false * costs.false_alarm)


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


class Charge(NamedTuple):
    """An amount that one machine cost at one moment."""

    machine: str
    time: np.datetime64
    amount: float


def charges_of(verdict: Verdict, costs: Costs, counted: pd.DataFrame) -> list[Charge]:
    """Return what alerts with this verdict cost on the events that count, and on none besides.

    Parameters
    ----------
    counted : table with ``machine`` and ``begin``
    """
    found = {(each.machine, each.begin) for each in verdict.events if each.verdict == EventVerdict.FOUND}
    return [
        *(
            Charge(machine, begin, costs.planned_stop if (machine, begin) in found else costs.missed_failure)
            for machine, begin in zip(counted["machine"], instants(counted["begin"]), strict=True)
        ),
        *(
            Charge(alert.machine, alert.begin, costs.false_alarm)
            for alert in verdict.alerts
            if alert.verdict == AlertVerdict.FALSE
        ),
    ]


def counted_events(verdict: Verdict) -> pd.DataFrame:
    """Return the judged events of a verdict as a table with ``machine`` and ``begin``."""
    events = [event for event in verdict.events if event.verdict != EventVerdict.NOT_JUDGED]
    begin = pd.to_datetime(pd.Series([event.begin for event in events], dtype="datetime64[us]"), utc=True)
    return pd.DataFrame({"machine": [event.machine for event in events], "begin": begin})


@dataclass(frozen=True, slots=True)
class Money:
    """What the judged time cost under each way to run the plant, in its currency.

    Attributes
    ----------
    spent : of each way what each unit cost, shape (n_units,), in one order of units for all; ``None`` for a way
        that cannot be said. Units are machines, or their lives where machines are few. The first way
        is ``model``; ``do_nothing`` is every judged event missed
    best_possible : what one would have spent who knew every judged event beforehand
    """

    spent: Mapping[str, NDArray[np.float64] | None]
    best_possible: float = 0.0

    @classmethod
    def of(
        cls,
        ways: Mapping[str, Sequence[Charge] | None],
        machines: Iterable[str],
        counted: pd.DataFrame,
        best_possible: float = 0.0,
    ) -> Self:
        """Sum up charges unit by unit.

        Parameters
        ----------
        machines : all that were judged, also those that cost nothing
        counted : judged events, with ``machine`` and ``begin``; each ends a life
        """
        named = sorted(set(machines))
        ends = {name: np.empty(0, dtype="datetime64[us]") for name in named}
        if len(named) < MACHINES_TO_DRAW:
            for name, group in counted.groupby("machine", sort=True):
                ends[str(name)] = np.sort(instants(group["begin"]))
        first, total = {}, 0
        for name, own in ends.items():
            first[name] = total
            total += len(own) + 1
        spent: dict[str, NDArray[np.float64] | None] = {}
        for way, charges in ways.items():
            if charges is None:
                spent[way] = None
                continue
            units = np.zeros(total)
            for machine, time, amount in charges:
                units[first[machine] + np.searchsorted(ends[machine], time, side="left")] += amount
            spent[way] = units
        return cls(spent, best_possible)

    def total(self, way: str) -> float | None:
        """Return what one way cost; ``None`` where that cannot be said."""
        units = self.spent.get(way)
        return None if units is None else float(units.sum())

    @property
    def model(self) -> float:
        """What it cost with the model."""
        return self.total(MODEL) or 0.0

    @property
    def do_nothing(self) -> float:
        """What it would have cost to do nothing."""
        return self.total(DO_NOTHING) or 0.0

    @property
    def saved(self) -> float:
        """What the model saved against doing nothing; negative when it cost more."""
        return self.do_nothing - self.model

    def saved_against(self, way: str) -> Interval | None:
        """Return what the model saved against another way, with its interval; ``None`` where that is not known."""
        model, other = self.spent.get(MODEL), self.spent.get(way)
        return None if model is None or other is None or not len(model) else sum_interval(other - model)

    @property
    def others(self) -> dict[str, float]:
        """What each way without the model cost, of those that can be said."""
        return {way: float(units.sum()) for way, units in self.spent.items() if way != MODEL and units is not None}

    @property
    def best_way(self) -> str:
        """The cheapest way without the model."""
        return min(self.others, key=lambda way: self.others[way])

    @property
    def best_baseline(self) -> float:
        """What the cheapest way without the model cost."""
        return self.others[self.best_way]

    @property
    def share_of_possible(self) -> float | None:
        """Saving against doing nothing, as a share of what one would have saved who knew every event beforehand."""
        possible = self.do_nothing - self.best_possible
        return self.saved / possible if possible > 0 else None

    def to_dict(self) -> dict[str, float | None]:
        """Return the amount of each way."""
        return {way: self.total(way) for way in self.spent}

    def savings(self) -> dict[str, Any]:
        """Return what the model saved against each way, with intervals."""
        found = {way: self.saved_against(way) for way in self.spent if way != MODEL}
        return {way: None if each is None else each.to_dict() for way, each in found.items()}
