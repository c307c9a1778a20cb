"""One machine, day by day: what its sensors said, what happened, what it produced."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ingest.reading import TIME, Readings
from ingest.simulation.ambient import ambient_temperature, weather
from ingest.simulation.degradation import Fate
from ingest.simulation.floor import Floor, Read
from ingest.simulation.happening import Happening, happened
from ingest.simulation.life import Life, LifeDay
from ingest.simulation.minor_error import minor_errors
from ingest.simulation.operation import OrderBook, conditions
from ingest.simulation.production import Output, outputs, production_table
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.sensor_fault import Sensors
from ingest.simulation.signals import SignalModel
from ingest.simulation.truth import truth_table


@dataclass(frozen=True, slots=True)
class MachineDay:
    """One local day of one machine.

    Attributes
    ----------
    times : array of shape (n_times,), seconds since 1970 UTC
    values : array of shape (n_times, n_signals); NaN where the sensor said nothing
    happenings : what began on this day, sorted by time; with a floor also what its line computer told
    produced : runs of orders; none with a floor, whose counts are among the happenings
    lost : what planted losses took, see ``FloorDay.lost``
    """

    machine: SimulatedMachine
    end: int
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    happenings: tuple[Happening, ...]
    produced: tuple[Output, ...]
    lost: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """All that a scenario says of one machine, and the truth about it (see ``truth_table``)."""

    machine: SimulatedMachine
    readings: Readings
    events: pd.DataFrame
    production: pd.DataFrame
    truth: pd.DataFrame


def machine_days(
    scenario: Scenario, machine: SimulatedMachine, fates: Mapping[str, Fate] = MappingProxyType({})
) -> Iterator[MachineDay]:
    """Yield the days of one machine from the start of the scenario, for ever.

    Every day continues the one before, so the numbers depend neither on how many days are asked
    for nor on other machines; one day is in memory at a time.

    Parameters
    ----------
    fates : what is to happen to its components first, by their names; see ``Life``
    """
    orders = OrderBook(scenario, machine)
    model = SignalModel(scenario, machine)
    sensors = Sensors(scenario, machine)
    floor = Floor(scenario, machine) if scenario.floor else None
    chance = scenario.randomness(machine.name, "errors and pieces")
    power = machine.kind.signal_names.index("power")
    for life, warmer in zip(Life(scenario, machine, fates).days(), weather(scenario), strict=False):
        times = _sampling(life, int(scenario.every.total_seconds()))
        ambient = ambient_temperature(times, life.begin, life.end, warmer)
        runs = orders.runs(life)
        now = conditions(machine.kind, times, life.begin, runs, ambient)
        true = model.day(now, life.degradations)
        errors = minor_errors(machine.kind, now, runs, life.degradations, chance)
        produced = outputs(runs, life.degradations, times, true[:, power], chance)
        read = sensors.day(times, true, life.end)
        told = None if floor is None else floor.day(runs, _reading(machine, times, true))
        happenings = (*life.happenings, *errors, *(told.happenings if told else ()))
        yield MachineDay(
            machine,
            life.end,
            times,
            read,
            tuple(sorted(happenings, key=lambda each: each.time)),
            () if told else tuple(produced),
            told.lost if told else {},
        )


def _reading(machine: SimulatedMachine, times: NDArray[np.int64], true: NDArray[np.float64]) -> Read:
    """Return what tells the mean of a signal between two seconds of the day, as it truly was."""
    names = machine.kind.signal_names

    def mean(signal: str, begin: int, end: int) -> float:
        inside = slice(*np.searchsorted(times, (begin, end)))
        return float(true[inside, names.index(signal)].mean()) if len(times[inside]) else float("nan")

    return mean


def scenario_days(scenario: Scenario, machine: SimulatedMachine) -> Iterator[MachineDay]:
    """Yield the days of one machine that belong to the scenario."""
    return takewhile(lambda day: day.end <= scenario.end, machine_days(scenario, machine))


def simulate_machine(scenario: Scenario, machine: SimulatedMachine) -> MachineHistory:
    """Return the whole history of one machine."""
    days = list(scenario_days(scenario, machine))
    return MachineHistory(
        machine,
        readings(days),
        happened(machine.name, (each for day in days for each in day.happenings), scenario.end),
        production_table(machine.name, [each for day in days for each in day.produced]),
        truth_table(scenario, machine),
    )


def simulate(scenario: Scenario) -> Iterator[MachineHistory]:
    """Yield the histories of all machines, one machine in memory at a time."""
    for machine in scenario.plant():
        yield simulate_machine(scenario, machine)


def readings(days: Iterable[MachineDay]) -> Readings:
    """Return days of machines of one kind as readings, in the given order; they arrived at once.

    Moments at which no sensor said anything have no row.
    """
    days = list(days)
    kind = days[0].machine.kind
    times, values = (np.concatenate([getattr(day, part) for day in days]) for part in ("times", "values"))
    names = np.repeat([day.machine.name for day in days], [len(day.times) for day in days])
    said = ~np.isnan(values).all(axis=1)
    stamps = pa.array(times[said] * 1_000_000, TIME)
    columns = {
        "machine": pa.array(names[said], pa.string()),
        "time": stamps,
        "arrived": stamps,
        **{name: pa.array(values[said, at], from_pandas=True) for at, name in enumerate(kind.signal_names)},
    }
    return Readings(kind.name, pa.table(columns))


def _sampling(life: LifeDay, every: int) -> NDArray[np.int64]:
    first = -(-life.begin // every) * every
    return np.arange(first, life.end, every, dtype=np.int64)
