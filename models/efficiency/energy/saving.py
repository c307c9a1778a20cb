"""Savings against the baseline: expected − actual, their running sum, and the days on which it turned."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.efficiency.energy.baseline import EnergyBaseline
from models.efficiency.energy.change import Noise, changes, limit_for
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.steps import Steps, steps_of

Floats = NDArray[np.float64]
DAYS_TO_A_FALSE_TURN = 3 * 365
"""How many good days pass until the running sum seems to turn, as the CUSUM is set; measured were fewer, see
docs/energy.md."""
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Turn:
    """A day from which on energy was saved, lost, or neither, where it was another of the three before.

    Attributes
    ----------
    day, earliest, latest : the first such day, and its 95 % interval
    seen : the day with whose end it was seen
    before, after : kWh saved a day; below 0 where more was used than expected
    """

    day: date
    earliest: date
    latest: date
    seen: date
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Savings:
    """Savings of some periods.

    Attributes
    ----------
    saving : expected − actual of each period in kWh, NaN where one of them is not known, shape (n,)
    cusum : running sum of it; what is not known adds nothing
    known : share of the time in which both are known
    turns : days on which the running sum turned
    """

    saving: Floats
    cusum: Floats
    known: float
    turns: tuple[Turn, ...]

    @property
    def kwh(self) -> float:
        """All that was saved, in kWh."""
        return float(np.nansum(self.saving))


def savings(baseline: EnergyBaseline, periods: EnergyPeriods) -> Savings:
    """Return what was saved against a baseline, with the days on which that changed.

    A baseline that is not valid gives sums, since they are plain arithmetic, and no turns.
    """
    expected = baseline.expected(periods)
    saving = (expected - periods.power) * periods.hours
    whole = float(periods.hours.sum())
    known = float(periods.hours[~np.isnan(saving)].sum()) / whole if whole else 0.0
    turns = _turns(baseline, periods, periods.power - expected) if baseline.validity.valid else ()
    return Savings(saving, np.cumsum(np.nan_to_num(saving)), known, turns)


def _turns(baseline: EnergyBaseline, periods: EnergyPeriods, excess: Floats) -> tuple[Turn, ...]:
    learnt = baseline.learnt
    good = steps_of(learnt, baseline.residual, np.ones(len(learnt), np.bool_), daily=True)
    days = steps_of(periods, excess, np.ones(len(periods), np.bool_), daily=True)
    if len(good.excess) < _FEWEST or not len(days.excess):
        return ()
    noise, limit = Noise.of(good.excess), limit_for(DAYS_TO_A_FALSE_TURN)
    turns: list[Turn] = []
    sign = 0
    for each in changes(days.excess, noise, limit):
        now = 0 if each.back else int(np.sign(each.after))
        if now == sign:
            continue  # more or less of the same: idle heating costs more at weekends
        sign = now
        first, earliest, latest, seen = (
            _day(periods, days, place) for place in (each.at, each.earliest, each.latest, each.alarm)
        )
        turns.append(Turn(first, earliest, latest, seen, -24 * each.before, -24 * each.after))
    return tuple(turns)


def _day(periods: EnergyPeriods, days: Steps, place: int) -> date:
    at = int(np.searchsorted(periods.begin, days.begin[place]))
    return periods.local[at].date()
