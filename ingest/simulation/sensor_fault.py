"""Sensors that lie while the machine is fine: stuck, drifting, spiking, dropping out, off by a constant."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.kind import SignalPhysics
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.signals import rounded

MEDIAN_HOURS = {"stuck": 14.0, "drift": 90.0, "spikes": 18.0, "drop-outs": 20.0, "offset": 40.0, "silence": 4.0}
"""How long each kind of fault lasts, as the median of a log-normal distribution."""

_KINDS = tuple(MEDIAN_HOURS)
_YEAR = 365.25 * 86400


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One fault of one sensor, or of all sensors of a machine at once.

    Attributes
    ----------
    signal : name of the signal; empty for "silence", when the whole machine sends nothing
    kind : stuck, drift, spikes, drop-outs, offset or silence
    begin, end : seconds since 1970 UTC
    size : offset, or what the drift reaches at its end, in the signal's unit, with its sign
    """

    signal: str
    kind: str
    begin: int
    end: int
    size: float

    def during(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """At which times it lasts."""
        return (times >= self.begin) & (times < self.end)


def sensor_faults(scenario: Scenario, machine: SimulatedMachine) -> Iterator[SensorFault]:
    """Yield the sensor faults of a machine in order of time, for ever; one at a time. Of a spared machine, none."""
    rate = scenario.sensor_faults_per_machine_year
    if scenario.randomness(machine.name, "faulty sensors at all").random() >= scenario.sensor_fault_share:
        return
    chance = scenario.randomness(machine.name, "sensor faults")
    moment = float(scenario.begin)
    while rate:
        moment += float(chance.exponential(_YEAR / rate))
        kind = _KINDS[int(chance.integers(len(_KINDS)))]
        physics = machine.kind.signals[int(chance.integers(len(machine.kind.signals)))]
        hours = MEDIAN_HOURS[kind] * math.exp(0.6 * float(chance.standard_normal()))
        size = physics.noise * float(chance.uniform(4, 12)) * float(chance.choice((-1.0, 1.0)))
        end = moment + hours * 3600
        yield SensorFault("" if kind == "silence" else physics.name, kind, int(moment), int(end), size)
        moment = end


class Sensors:
    """What the sensors of one machine make of the truth, day by day."""

    def __init__(self, scenario: Scenario, machine: SimulatedMachine) -> None:
        self._signals = machine.kind.signals
        self._column = {each.name: position for position, each in enumerate(self._signals)}
        self._chance = scenario.randomness(machine.name, "sensors")
        self._coming = sensor_faults(scenario, machine)
        self._next = next(self._coming, None)
        self._held = math.nan

    def day(self, times: NDArray[np.int64], truth: NDArray[np.float64], day_end: int) -> NDArray[np.float64]:
        """Return what is read; NaN where nothing is.

        Parameters
        ----------
        truth : array of shape (n_times, n_signals)

        Returns
        -------
        array of the same shape
            Outside the range of a sensor only where a fault puts it there.
        """
        read = truth.copy()
        while self._next is not None and self._next.begin < day_end:
            self._apply(self._next, times, read)
            if self._next.end > day_end:
                break
            self._next, self._held = next(self._coming, None), math.nan
        return rounded(read, self._signals)

    def _apply(self, fault: SensorFault, times: NDArray[np.int64], read: NDArray[np.float64]) -> None:
        rows = np.flatnonzero(fault.during(times))
        if not len(rows):
            return
        if fault.kind == "silence":
            read[rows] = np.nan
            return
        column = self._column[fault.signal]
        self._held = float(read[rows[0], column]) if math.isnan(self._held) else self._held
        physics = self._signals[column]
        read[rows, column] = lied(fault, physics, times[rows], read[rows, column], self._chance, held=self._held)


def lied(
    fault: SensorFault,
    physics: SignalPhysics,
    times: NDArray[np.int64],
    truth: NDArray[np.float64],
    chance: np.random.Generator,
    *,
    held: float,
) -> NDArray[np.float64]:
    """Return what a faulty sensor says during its fault.

    Parameters
    ----------
    times : seconds since 1970 UTC, all of them during the fault, shape (n,)
    truth : shape (n,)
    held : what a stuck sensor says

    Returns
    -------
    array of shape (n,), NaN where it says nothing; not rounded
    """
    read = truth.copy()
    if fault.kind == "stuck":
        read[:] = held
    elif fault.kind == "offset":
        read += fault.size
    elif fault.kind == "drift":
        read += fault.size * (times - fault.begin) / (fault.end - fault.begin)
    elif fault.kind == "spikes":
        hit = np.flatnonzero(chance.random(len(read)) < 0.1)
        width = physics.high - physics.low
        read[hit] = physics.low + width * chance.uniform(-0.2, 1.2, len(hit))
    else:
        read[chance.random(len(read)) < 0.7] = np.nan
    return read
