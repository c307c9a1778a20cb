"""Periods of one meter, read from a history as the plant file says."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from features.align import max_age
from features.microsecond import HOUR, Times, microseconds, moment, time_of
from features.samples import samples_of
from features.sampling import signal_intervals
from features.timeline import timelines
from ingest.expression import STATE, Given, read_expression
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_energy import Driver, Meter
from ingest.plant_energy_check import ENERGY_UNIT
from ingest.unit import conversion
from models.efficiency.energy.amounts import FILLED, Floats, rates_of
from models.efficiency.energy.periods import EnergyPeriods, bounds_between

MOST_KINDS = 50
"""Kinds of a driver of shares; what has more is no kind but a number."""


def metered(plant: Plant, meter: Meter) -> tuple[str, ...]:
    """Return the machines that a meter of the plant file stands for."""
    return (meter.machine,) if meter.machine else plant.machines_of(meter.machine_class)


def read_periods(
    plant: Plant, meter: Meter, machine: str, history: History, start: datetime, end: datetime
) -> EnergyPeriods:
    """Read what a meter and its drivers said in the whole periods of a span.

    What is read later changes none of those that are known.

    Raises
    ------
    NotEnoughDataError
        When nothing says how often the signals are read.
    UnitError
        When the meter's unit is none of power or energy.
    """
    bounds = bounds_between(start, end, meter.every, plant.zone)
    if len(bounds) < 2:
        bounds = np.array([moment(start)], np.int64)
    reading = _Reading(plant, history, bounds, moment(end))
    power = np.zeros(len(bounds) - 1)
    resets: list[Times] = []
    for name in meter.signal:
        times, values, hold = reading.signal(machine, name)
        unit = next(each.unit for each in plant.class_of(machine).signals if each.name == name)
        rates = rates_of(times, conversion(unit, ENERGY_UNIT[meter.reads])(values), hold, meter.reads)
        power = power + rates.means(bounds)
        resets.append(rates.resets)
    columns: dict[str, Floats] = {}
    produced = np.full(len(power), np.nan)
    for driver in meter.drivers:
        own = reading.driver(driver, machine)
        columns |= own
        if driver.signal == meter.production:
            (produced,) = own.values()
    productive = reading.share(machine, meter.productive) if meter.productive else _above_nothing(produced)
    return EnergyPeriods(
        bounds[:-1],
        np.diff(bounds) / HOUR,
        power,
        pd.DataFrame(columns, index=range(len(power))),
        produced,
        productive,
        plant.zone,
        meter.calendar,
        np.unique(np.concatenate(resets)),
    )


def _above_nothing(produced: Floats) -> Floats:
    return np.where(np.isnan(produced), np.nan, (produced > 0).astype(float))


class _Reading:
    """Reads signals over some periods, and what each says of them."""

    def __init__(self, plant: Plant, history: History, bounds: Times, end: int) -> None:
        self._plant, self._history, self._bounds, self._end = plant, history, bounds, end
        self._intervals: dict[str, Mapping[str, timedelta]] = {}

    def hold(self, machine: str, name: str) -> int:
        """Return how long a reading of a signal holds, in microseconds."""
        machine_class = self._plant.class_of(machine)
        if machine_class.name not in self._intervals:
            self._intervals[machine_class.name] = signal_intervals(self._history, machine_class)
        signal = next(each for each in machine_class.signals if each.name == name)
        return microseconds(max_age(signal, self._intervals[machine_class.name][name]))

    def signal(self, machine: str, name: str) -> tuple[Times, Floats, int]:
        """Return times and values of a signal, from before the first period on, and how long one holds."""
        hold = self.hold(machine, name)
        # The reading before the first one in the span begins the time that it speaks for.
        first = int(self._bounds[0]) - 2 * hold
        kind = self._plant.class_of(machine).name
        found = samples_of(self._history, kind, [name], [machine], first, self._end)
        return found.time, found.values[0], hold

    def driver(self, driver: Driver, machine: str) -> dict[str, Floats]:
        """Return the columns of a driver."""
        machine = driver.machine or machine
        called = f"{driver.machine}/{driver.signal}" if driver.machine else driver.signal
        if driver.signal == STATE and STATE not in [each.name for each in self._plant.class_of(machine).signals]:
            return self._states(machine, called)
        times, values, hold = self.signal(machine, driver.signal)
        if driver.reads != "shares":
            return {called: rates_of(times, values, hold, driver.reads).means(self._bounds)}
        kinds = np.unique(values)[:MOST_KINDS]
        return {
            f"{called}={kind:g}": rates_of(times, (values == kind).astype(float), hold, "mean").means(self._bounds)
            for kind in kinds
        }

    def _states(self, machine: str, called: str) -> dict[str, Floats]:
        start, end = (time_of(int(each)) for each in (self._bounds[0], self._bounds[-1]))
        found = self._history.states([machine], start, end)
        codes = sorted(set(found["code"]) - {""})[:MOST_KINDS]
        return {f"{called}={code}": self.share(machine, f"{STATE} == {code!r}") for code in codes}

    def share(self, machine: str, text: str) -> Floats:
        """Return the share of each period in which an expression is true; NaN where that is not known."""
        machine_class = self._plant.class_of(machine)
        expression = read_expression(text, [each.name for each in machine_class.signals])
        ages = [self.hold(machine, name) for name in expression.signals]
        (known,) = timelines(
            expression.signals,
            ages,
            self._history,
            machine_class.name,
            [machine],
            int(self._bounds[0]),
            int(self._bounds[-1]),
            states=expression.uses_state,
        )
        truth = expression.truth(Given(known.given.signals, known.given.state))
        begins, ends = self._bounds[:-1], self._bounds[1:]
        yes, no = (known.where(each).within(begins, ends) for each in (truth.yes, truth.no))
        sure = yes + no >= FILLED * (ends - begins)
        return np.where(sure, yes / np.where(sure, yes + no, 1), np.nan)


def columns_of(names: Sequence[str]) -> list[str]:
    """Return the drivers that columns are of, each once.

    Examples
    --------
    >>> columns_of(["pieces", "product=1", "product=2"])
    ['pieces', 'product']
    """
    return list(dict.fromkeys(name.split("=")[0] for name in names))
