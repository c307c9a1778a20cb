"""Calendar maintenance: replace at a fixed age, the age chosen on training data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.duration import format_duration
from ingest.plant import Costs
from models.judging.money import Charge
from models.moment import instants, span
from models.rows import by_machine

Spans = Mapping[str, tuple[np.datetime64, np.datetime64]]
"""First and last moment at which each machine was watched."""

AGES = 200
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A replacement age.

    Attributes
    ----------
    age : replace when a machine has run so long since its last failure or replacement; ``None``: never
    """

    age: timedelta | None

    def describe(self) -> str:
        """Return the rule in words."""
        if self.age is None:
            return "never replace by the calendar"
        return f"replace every {format_duration(timedelta(hours=round(self.age / timedelta(hours=1))))}"


def choose_calendar(targets: pd.DataFrame, spans: Spans, costs: Costs) -> Calendar:
    """Choose the age at which replacing costs least per time, from the lives in the training part.

    A life runs from the machine's first reading, or the end of a failure, to the next failure;
    lives that still last are used as what they are, lives of at least so long (Kaplan–Meier). The cost
    rate of age τ is (missed · F(τ) + planned · S(τ)) / ∫₀^τ S, that of never
    missed · F / ∫ S up to the longest life seen.

    Parameters
    ----------
    targets : table of ``target_events`` of the training part
    spans : the training part of each machine

    References
    ----------
    Barlow, Hunter: Optimum preventive maintenance policies, Operations Research 8 (1960).
    """
    length, failed = _lives(targets, spans)
    if not failed.any():
        return Calendar(None)
    order = np.lexsort((~failed, length))
    length, failed = length[order], failed[order]
    alive = np.cumprod(np.where(failed, 1 - 1 / (len(length) - np.arange(len(length))), 1.0))
    ages = length[-1] * np.geomspace(1 / AGES, 1, AGES)
    grid = np.r_[0.0, length]
    survival = np.r_[1.0, alive]
    steps = survival[np.searchsorted(grid, ages, side="right") - 1]
    area = np.array([_area(grid, survival, age) for age in ages])
    rate = (costs.missed_failure * (1 - steps) + costs.planned_stop * steps) / area
    never = costs.missed_failure * (1 - survival[-1]) / area[-1]
    best = int(np.argmin(rate))
    return Calendar(timedelta(hours=float(ages[best])) if rate[best] < never else None)


def calendar_charges(
    calendar: Calendar,
    targets: pd.DataFrame,
    judged: pd.DataFrame,
    spans: Spans,
    new: Mapping[str, np.datetime64],
    costs: Costs,
) -> list[Charge]:
    """Return what the test part would have cost under a replacement age, stop by stop and failure by failure.

    Counterfactual: the rule comes into force at the begin of each machine's span, at which a machine
    already overdue is stopped at once; from then on it is stopped at its age and every age after. A
    failure is prevented if there was a stop before it in the same life: a replaced machine would not
    have failed then. After a failure the clock starts anew, prevented or not.

    Parameters
    ----------
    targets : table of ``target_events``, of the training and the test part: they tell the ages
    judged : those that count, with ``machine`` and ``begin``
    spans : the test part of each machine
    new : when each machine's history began; it is taken to have been new then
    """
    counted = {(machine, begin) for machine, begin in zip(judged["machine"], instants(judged["begin"]), strict=True)}
    if calendar.age is None:
        return [Charge(machine, begin, costs.missed_failure) for machine, begin in sorted(counted)]
    events = by_machine(targets)
    charges: list[Charge] = []
    for machine, (start, end) in spans.items():
        mine = events.get(machine, targets[:0])
        begins, ends = instants(mine["begin"]), instants(mine["end"])
        past = ends <= start
        born = ends[past].max() if past.any() else min(new.get(machine, start), start)
        inside = (begins > start) & (begins <= end)
        for begin, over in zip(begins[inside], ends[inside], strict=True):
            stops = _stops(born, start, begin, calendar.age)
            charges += [Charge(machine, stop, costs.planned_stop) for stop in stops]
            if not len(stops) and (machine, begin) in counted:
                charges.append(Charge(machine, begin, costs.missed_failure))
            born = over
        charges += [Charge(machine, stop, costs.planned_stop) for stop in _stops(born, start, end, calendar.age)]
    return charges


def _stops(born: np.datetime64, start: np.datetime64, end: np.datetime64, age: timedelta) -> NDArray[np.datetime64]:
    """Return the stops in [start, end) of a life that began at ``born``."""
    due = max(born + span(age), start)
    return np.arange(due, max(due, end), span(age))


def _lives(targets: pd.DataFrame, spans: Spans) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the lengths of lives in hours and whether each ended in a failure."""
    length, failed = [], []
    events = by_machine(targets)
    for machine, (start, end) in spans.items():
        born = start
        mine = events.get(machine, targets[:0])
        for begin, over in zip(instants(mine["begin"]), instants(mine["end"]), strict=True):
            if start < begin <= end:
                length.append((begin - born) / _HOUR)
                failed.append(True)
                born = min(over, end)
        length.append((end - born) / _HOUR)
        failed.append(False)
    hours, ended = np.array(length, dtype=np.float64), np.array(failed, dtype=bool)
    return hours[hours > 0], ended[hours > 0]


def _area(grid: NDArray[np.float64], survival: NDArray[np.float64], age: float) -> float:
    """Return the integral of a step function from 0 to an age."""
    edges = np.minimum(np.r_[grid, np.inf], age)
    return float((np.diff(edges) * survival).sum())
