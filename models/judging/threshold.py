"""Choose the level from which a machine is worth somebody's time: by money or by a budget, never 0.5 by default."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from math import exp, isinf, log
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.event import events_table
from ingest.plant import Costs, Target
from models.anomaly.alarm_rate import COUNTED, LONGEST_EXTRAPOLATION, AlarmRate
from models.judging.ground import Ground, Rules, Tally
from models.judging.money import break_even
from models.labels.label import target_events

CANDIDATES = 100
EVENTS_FOR_TRUST = 10
"""Held-out events at which the simulated optimum weighs as much as the break-even probability."""

YEAR = timedelta(days=365.25)
EPISODES_TO_FIT = COUNTED


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and why.

    Attributes
    ----------
    value : an assessment at or above it is over; above 1 means that no alert ever pays
    method : ``money``, ``break-even``, ``budget`` or ``extrapolated budget``
    why : one sentence for the model card
    events : held-out events that it was chosen on
    cost : what the held-out part cost at ``value``; ``None`` for a budget
    rate : how often a healthy machine would raise an alarm at any level; ``None`` where that is not asked
    """

    value: float
    method: str
    why: str
    events: int
    cost: float | None = None
    rate: AlarmRate | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what the model card holds."""
        return {
            "value": self.value,
            "method": self.method,
            "why": self.why,
            "events": self.events,
            "cost": self.cost,
            **({} if self.rate is None else {"false_alarms_per_machine_year": self.rate.to_list()}),
        }


def by_money(
    costs: Costs,
    table: FeatureTable,
    levels: NDArray[np.float64],
    targets: pd.DataFrame,
    failures: pd.DataFrame | None,
    rules: Rules,
    most_false: float | None = None,
    least: float = 0.0,
) -> Choice:
    """Choose the threshold at which found, missed and false together cost least.

    Every candidate is simulated through persistence and judged by events. The cheapest need not be
    the best: with few events it owes much to luck. So all neighbours count as equals that are dearer
    by no more than one standard error (of the paired difference, over machines), and among them the
    choice is the middle of the cheapest plateau, in log-odds, drawn towards the break-even
    probability of the costs, the more the fewer events there are.

    Parameters
    ----------
    levels : held-out level of each row, shape (n_rows,); NaN where there is none
    most_false : false alarms per machine-year that no threshold may exceed on the held-out rows; the costs alone
        decide when left out
    least : the lowest threshold that may be chosen
    """
    fair = break_even(costs)
    if isinf(fair):
        return Choice(1.0, "break-even", "a planned stop costs no less than a failure: no alert ever pays", 0)
    valued = ~np.isnan(levels)
    ground = Ground.of(table.machine[valued], table.time[valued], targets, failures, rules)
    known = levels[valued]
    if not ground.events:
        why = "no failure could be held out: alerts from the probability at which they pay on average"
        return Choice(min(max(fair, _FLOOR), 1 - _FLOOR), "break-even", why, 0)
    candidates = _candidates(known)
    candidates = candidates[np.minimum(np.searchsorted(candidates, least), len(candidates) - 1) :]
    tallies = [ground.tally(known, candidate) for candidate in candidates]
    spent = np.stack([_spent(costs, tally) for tally in tallies])
    if most_false is not None:
        years = int(np.count_nonzero(ground.known)) * (stride_of(table) / YEAR)
        # The last one is above all levels and raises nothing, so some are always left.
        allowed = len(tallies) - _leading(tally.false.sum() <= most_false * years for tally in reversed(tallies))
        candidates, spent = candidates[allowed:], spent[allowed:]
    low, high = _cheapest(spent.sum(axis=1), candidates)
    middle = (_log_odds(candidates[low]) + _log_odds(candidates[high])) / 2
    # Break-even comes from the costs alone: where a limit lies above it, it says nothing of what is best within that.
    free = most_false is None or fair >= candidates[0]
    trust = ground.events / (ground.events + EVENTS_FOR_TRUST) if free else 1.0
    wanted = trust * middle + (1 - trust) * _log_odds(fair)
    least, most = _equals(spent, low, high)
    value = _share(min(max(wanted, _log_odds(candidates[least])), _log_odds(candidates[most])))
    total = float(_spent(costs, ground.tally(known, value)).sum())
    why = (
        f"cheapest on {ground.events} held-out events between {candidates[low]:.3g} and {candidates[high]:.3g},"
        f" drawn {1 - trust:.0%} towards {fair:.3g}, where an alert pays on average"
        if free
        else f"cheapest on {ground.events} held-out events between {candidates[low]:.3g} and {candidates[high]:.3g}"
    )
    if most_false is not None:
        why += f"; no more than {most_false:.3g} false alarms per machine-year are allowed"
    return Choice(value, "money", why, ground.events, total)


def by_budget(
    per_machine_year: float,
    table: FeatureTable,
    levels: NDArray[np.float64],
    failures: pd.DataFrame | None,
    rules: Rules,
) -> Choice:
    """Choose the threshold at which healthy machines raise no more alerts than the budget allows.

    Where the healthy history is long enough for the budget to allow ``EPISODES_TO_FIT`` alerts, they
    are counted. A shorter history cannot show alerts that rare: there the strangeness share p at
    which it raises that many is scaled down in proportion, since far out in the tail separate runs of
    strange values come as often as p says (the extremal index is constant). That errs towards fewer
    alerts where runs get shorter further out. It goes no further than one alert in
    ``LONGEST_EXTRAPOLATION`` times the history: hours of readings say nothing about once a year, and a
    budget that they cannot support would only make the model mute. As history grows the budget holds.

    Parameters
    ----------
    levels : held-out level of each healthy row, shape (n_rows,); NaN for all others

    Raises
    ------
    NotEnoughDataError
        When no row is healthy.
    """
    valued = ~np.isnan(levels)
    if not valued.any():
        raise NotEnoughDataError(
            "no healthy time is left to set an anomaly threshold on: give more history, or a shorter horizon"
        )
    ground = Ground.of(table.machine[valued], table.time[valued], _NO_EVENTS, failures, rules)
    known = levels[valued]
    years = len(known) * (stride_of(table) / YEAR)
    asked = per_machine_year * years
    allowed = max(asked, 1 / LONGEST_EXTRAPOLATION)
    candidates = _candidates(known)[::-1]
    raised = np.array([len(ground.begins(known, candidate)) for candidate in candidates])
    rate = AlarmRate.learn(candidates, raised, years)
    if allowed >= EPISODES_TO_FIT:
        # The highest candidate raises nothing, so one always fits.
        fits = int(np.argmax(np.r_[raised > allowed, True])) - 1
        why = f"raises {raised[fits]} alerts in {years:.2g} healthy machine-years; {allowed:.3g} are allowed"
        return Choice(float(candidates[fits]), "budget", why, 0, rate=rate)
    most = min(EPISODES_TO_FIT, int(raised.max()))
    anchor = int(np.argmax(raised >= most)) if most else len(candidates) - 1
    share = (1 - candidates[anchor]) * allowed / max(int(raised[anchor]), 1)
    why = (
        f"raises {raised[anchor]} alerts at {candidates[anchor]:.4g} in {years:.2g} healthy machine-years;"
        f" {allowed:.2g} are allowed, so the share of strange time is scaled down in proportion"
    )
    if allowed > asked:
        why += (
            f"; so short a history can hold no budget below {allowed / years:.2g} false alarms per machine-year,"
            f" {per_machine_year:.2g} were asked for"
        )
    return Choice(float(1 - share), "extrapolated budget", why, 0, rate=rate)


def stride_of(table: FeatureTable) -> timedelta:
    """Return the usual time between two rows of a machine; nothing if no machine has two rows."""
    steps = np.diff(table.time)[table.machine[1:] == table.machine[:-1]]
    return timedelta(microseconds=int(np.median(steps.astype(np.int64)))) if len(steps) else timedelta(0)


_FLOOR = 1e-12
_NO_EVENTS = target_events(events_table(), Target())


def _candidates(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds to try, ascending; the last one is above all levels.

    Half are quantiles of the levels, dense in the upper tail; the others are evenly spaced in
    log-odds, so that a wide gap between quiet and alarming levels is seen to be wide.
    """
    tail = np.geomspace(1 / len(levels), 0.5, CANDIDATES // 2)
    chosen = np.quantile(levels, 1 - tail, method="higher")
    lowest, highest = _log_odds(float(chosen.min())), _log_odds(float(levels.max())) + 1
    even = 1 / (1 + np.exp(-np.linspace(lowest, highest, CANDIDATES // 2)))
    return np.unique(np.concatenate([chosen, even]))


def _spent(costs: Costs, tally: Tally) -> NDArray[np.float64]:
    """Return what each machine cost, shape (n_machines,)."""
    return (
        tally.found * costs.planned_stop + tally.missed * costs.missed_failure + tally.false * costs.false_alarm
    ).astype(np.float64)


def _leading(facts: Iterable[np.bool_]) -> int:
    """Count how many hold before the first that does not."""
    return sum(1 for _ in takewhile(bool, facts))


def _cheapest(total: NDArray[np.float64], candidates: NDArray[np.float64]) -> tuple[int, int]:
    """Return first and last candidate of the widest run of cheapest ones."""
    least = np.r_[False, total == total.min(), False]
    first = np.flatnonzero(least[1:] & ~least[:-1])
    last = np.flatnonzero(least[:-1] & ~least[1:]) - 1
    widest = int(
        np.argmax(
            [_log_odds(candidates[high]) - _log_odds(candidates[low]) for low, high in zip(first, last, strict=True)]
        )
    )
    return int(first[widest]), int(last[widest])


def _equals(spent: NDArray[np.float64], low: int, high: int) -> tuple[int, int]:
    """Widen a plateau over neighbours that are dearer by no more than one standard error."""
    dearer = spent - spent[low]
    machines = spent.shape[1]
    error = np.sqrt(machines) * dearer.std(axis=1, ddof=1) if machines > 1 else np.zeros(len(spent))
    equal = dearer.sum(axis=1) <= error
    while low > 0 and equal[low - 1]:
        low -= 1
    while high + 1 < len(spent) and equal[high + 1]:
        high += 1
    return low, high


def _log_odds(share: float) -> float:
    bounded = min(max(float(share), _FLOOR), 1 - _FLOOR)
    return log(bounded / (1 - bounded))


def _share(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))
