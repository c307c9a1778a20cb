"""Everything that one meter tells at one time: the function that a round, a report or a notebook calls."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.microsecond import MICROSECOND
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_energy import Meter
from models.efficiency.energy.baseline import EnergyBaseline, fit_energy_baseline
from models.efficiency.energy.figures import EnergyFigures, energy_figures
from models.efficiency.energy.loss import EnergyLoss, MeterDoubt
from models.efficiency.energy.meter import read_periods
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.price import Price
from models.efficiency.energy.saving import Savings, savings
from models.efficiency.energy.watch import watch
from models.finding import Finding

_DEMAND = timedelta(minutes=15)
_NEXT = MICROSECOND


@dataclass(frozen=True)
class EnergyReview:
    """What one meter tells at one time.

    Attributes
    ----------
    machine, meter : which
    begin : of the baseline period; the newest change of a static factor, where there is one
    reason : why there can be no findings; empty where there can
    baseline : ``None`` where too little is known to learn one
    periods : after the baseline period
    savings : against the baseline; ``None`` without one
    losses, doubts : oldest first
    figures : of the periods after the baseline period, or of all while that lasts
    """

    machine: str
    meter: Meter
    begin: datetime
    reason: str
    baseline: EnergyBaseline | None
    periods: EnergyPeriods
    savings: Savings | None
    losses: tuple[EnergyLoss, ...]
    doubts: tuple[MeterDoubt, ...]
    figures: EnergyFigures

    def findings(self, *, lasting: bool = True) -> tuple[Finding, ...]:
        """Return losses and doubts as findings.

        Parameters
        ----------
        lasting : whether only those that are not over
        """
        zone = self.periods.zone
        some: list[EnergyLoss | MeterDoubt] = [*self.losses, *self.doubts]
        return tuple(each.finding(zone) for each in some if each.until is None or not lasting)


def review_energy(plant: Plant, meter: Meter, machine: str, history: History, end: datetime) -> EnergyReview:
    """Review one meter of one machine with what was read until ``end``.

    Raises
    ------
    NotEnoughDataError
        When nothing was read of the machine until then.
    """
    begin = _begin(plant, meter, machine, history, end)
    until = begin + meter.baseline
    price = Price.of(plant, meter)
    demand = _demand(plant, meter, machine, history, max(min(until, end), begin), end)
    if until >= end:
        whole = read_periods(plant, meter, machine, history, begin, end)
        why = f"the baseline period lasts until {until.astimezone(plant.zone):%Y-%m-%d %H:%M}"
        figures = energy_figures(whole, price)
        return EnergyReview(machine, meter, begin, why, None, whole, None, (), (), figures)
    periods = read_periods(plant, meter, machine, history, until, end)
    figures = energy_figures(periods, price, demand)
    try:
        baseline = fit_energy_baseline(read_periods(plant, meter, machine, history, begin, until))
    except NotEnoughDataError as error:
        return EnergyReview(machine, meter, begin, str(error), None, periods, None, (), (), figures)
    found = watch(baseline, periods, price, machine=machine, meter=meter.name, signal=meter.signal[0])
    reason = baseline.validity.reason
    saved = savings(baseline, periods)
    return EnergyReview(machine, meter, begin, reason, baseline, periods, saved, found.losses, found.doubts, figures)


def _begin(plant: Plant, meter: Meter, machine: str, history: History, end: datetime) -> datetime:
    """Return where the baseline period begins: with the newest change of a static factor, or with the history."""
    spans = history.spans(plant.class_of(machine).name)
    if machine not in spans or spans[machine][0] >= end:
        raise NotEnoughDataError(f"nothing was read of {machine!r} until {end:%Y-%m-%d %H:%M} UTC")
    first = meter.baseline_from or spans[machine][0]
    if not meter.static_factors:
        return first
    events = history.events(machines=[machine], start=first - _NEXT, end=end)
    changed = events[events["code"].isin(meter.static_factors)]["time"]
    return first if changed.empty else changed.max().to_pydatetime()


def _demand(
    plant: Plant, meter: Meter, machine: str, history: History, start: datetime, end: datetime
) -> EnergyPeriods | None:
    """Return quarters of an hour of the meter alone; ``None`` where it is not read that often."""
    if meter.every <= _DEMAND:
        return None
    alone = meter.model_copy(update={"every": _DEMAND, "drivers": [], "production": "", "productive": None})
    quarters = read_periods(plant, alone, machine, history, start, end)
    return quarters if (quarters.power == quarters.power).any() else None
