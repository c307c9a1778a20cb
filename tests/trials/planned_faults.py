"""Faults of sensors that trials plan: one of each kind for each signal, of drawn or of given sizes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.sensor_fault import MEDIAN_HOURS, SensorFault, lied

KINDS_OF_FAULT = ("stuck", "spikes", "drop-outs", "drift", "offset")
HEALTHY = timedelta(days=112)
"""From how long after the begin of a plant on a fault may begin."""

LONGEST_FAULT = timedelta(days=8)
SHARES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Sizes of offsets and drifts, of the span of the signal."""

HOURS = (3.0, 6.0, 12.0, 24.0, 48.0)
"""How long a sensor is stuck, spikes or drops out."""

SIZES = {"stuck": HOURS, "spikes": HOURS, "drop-outs": HOURS, "drift": SHARES, "offset": SHARES}
PLAIN = {"stuck": 48.0, "spikes": 48.0, "drop-outs": 48.0, "drift": 1.6, "offset": 0.8}
"""The sizes from which on each fault was found on each sensor (docs/sensors.md)."""

LASTS = {"drift": 168.0, "offset": 72.0}
BEFORE = timedelta(days=28)


def drawn(
    kind: str, seed: int, machine: SimulatedMachine, _own: pd.DataFrame, begin: datetime
) -> Iterator[SensorFault]:
    """Yield one fault of each kind for each signal of a machine, of the size and length that the simulator gives."""
    for fault in KINDS_OF_FAULT:
        for signal in KINDS[kind].signals:
            chance = Scenario(seed=seed).randomness(machine.name, fault, signal.name)
            start = begin + HEALTHY + timedelta(hours=float(chance.uniform(0, 96)))
            hours = MEDIAN_HOURS[fault] * float(np.exp(0.6 * chance.standard_normal()))
            size = signal.noise * float(chance.uniform(4, 12)) * float(chance.choice((-1.0, 1.0)))
            end = start + min(LONGEST_FAULT, timedelta(hours=hours))
            yield SensorFault(signal.name, fault, int(start.timestamp()), int(end.timestamp()), size)


def span_of(own: pd.DataFrame, signal: str, moment: datetime) -> tuple[float, float]:
    """Return the span of a signal in the four weeks before a moment, and how far its days lie apart in it."""
    times = own["time"]
    values = own.loc[(times > pd.Timestamp(moment - BEFORE)) & (times <= pd.Timestamp(moment)), ["time", signal]]
    low, high = values[signal].quantile([0.01, 0.99])
    days = values.groupby(values["time"].dt.floor("D"))[signal].mean()
    return float(high - low), float(days.std() / (high - low))


def sized(
    kind: str,
    seed: int,
    machine: SimulatedMachine,
    own: pd.DataFrame,
    begin: datetime,
    sizes_of: Mapping[str, Sequence[float]] = SIZES,
) -> Iterator[tuple[float, SensorFault]]:
    """Yield faults of each kind and size on each signal of a machine; sides and begins are drawn."""
    for fault, sizes in sizes_of.items():
        for signal in KINDS[kind].signals:
            span, _ = span_of(own, signal.name, begin + HEALTHY)
            for size in sizes:
                chance = Scenario(seed=seed).randomness(machine.name, fault, signal.name, str(size))
                start = begin + HEALTHY + timedelta(hours=float(chance.uniform(0, 168)))
                side = float(chance.choice((-1.0, 1.0)))
                end = start + timedelta(hours=LASTS.get(fault, size))
                far = side * size * span if fault in LASTS else 0.0
                yield size, SensorFault(signal.name, fault, int(start.timestamp()), int(end.timestamp()), far)


def plain(kind: str, seed: int, machine: SimulatedMachine, own: pd.DataFrame, begin: datetime) -> Iterator[SensorFault]:
    """Yield one fault of each kind for each signal, of a size that is plain."""
    for _, fault in sized(kind, seed, machine, own, begin, {fault: (size,) for fault, size in PLAIN.items()}):
        yield fault


def faulty(kind: str, readings: pd.DataFrame, fault: SensorFault, seed: int) -> pd.DataFrame:
    """Return readings of one machine with a fault of one sensor; what it cannot give is not kept."""
    physics = next(each for each in KINDS[kind].signals if each.name == fault.signal)
    times = readings["time"].to_numpy("datetime64[s]").astype(np.int64)
    values = readings[fault.signal].to_numpy(np.float64, copy=True)
    rows = np.flatnonzero(fault.during(times))
    # Drawn anew for each fault: with one pattern for all, many faults are one trial.
    chance = Scenario(seed=seed).randomness(fault.signal, fault.kind, str(fault.begin))
    read = lied(fault, physics, times[rows], values[rows], chance, held=float(values[rows[0]]))
    read = np.round(read / physics.resolution) * physics.resolution
    values[rows] = np.where((read < physics.low) | (read > physics.high), np.nan, read)
    return readings.assign(**{fault.signal: values})
