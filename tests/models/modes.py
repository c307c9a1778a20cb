"""Mills whose failures announce themselves, each mode in signals of its own: feature tables, in memory."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.event import Event, events_table
from tests.models.pumps import BEGIN, START

SIGNALS = ("voltage", "pressure", "flow", "heat", "noise", "current")
WEAR_HOURS = 48
SHOWS: Mapping[str, tuple[float, ...]] = {
    "seal": (0.0, -3.5, -2.0, 0.0, 0.0, 0.0),
    "bearing": (0.0, 0.0, 0.0, 2.5, 4.0, 0.0),
    "winding": (4.0, 0.0, 0.0, 2.0, 0.0, 0.0),
    "impeller": (0.0, 2.0, -4.0, 0.0, 0.0, 2.0),
}
"""How far each mode moves each signal just before the failure, in standard deviations of it."""


def mills(
    modes: Sequence[str],
    *,
    machines: int = 12,
    days: int = 60,
    seed: int = 0,
    WEAR_HOURS: int = 48,
    strength: float = 1.0,
    named: str = "mill",
) -> tuple[FeatureTable, pd.DataFrame]:
    """Return hourly features and failures, as many as there are modes, dealt out to machines in turn."""
    random = np.random.default_rng(seed)
    hours = days * 24
    readings = random.standard_normal((machines, hours, len(SIGNALS)))
    # What a machine does lasts: neighbouring hours are alike.
    for hour in range(1, hours):
        readings[:, hour] = 0.7 * readings[:, hour - 1] + 0.71 * readings[:, hour]
    readings += 0.5 * random.standard_normal((machines, 1, len(SIGNALS)))
    events = []
    each = -(-len(modes) // machines)
    for number, mode in enumerate(modes):
        machine, turn = number % machines, number // machines
        at = int(hours * (turn + 0.3 + 0.6 * random.random()) / each)
        low = max(0, at - WEAR_HOURS)
        growth = np.linspace(0, strength * random.uniform(0.7, 1.3), at - low)
        readings[machine, low:at] += growth[:, np.newaxis] * np.array(SHOWS[mode])
        time = BEGIN + timedelta(hours=at)
        events.append(Event(machine=f"{named}-{machine:02}", kind="failure", time=time, component=mode))
    values, names = [], []
    for own in readings:
        frame = pd.DataFrame(own, columns=list(SIGNALS))
        short, long = frame.rolling(4, min_periods=1), frame.rolling(24, min_periods=4)
        parts = {}
        for signal in SIGNALS:
            parts[f"{signal}__mean__4h"] = short.mean()[signal]
            parts[f"{signal}__mean__24h"] = long.mean()[signal]
            parts[f"{signal}__standard_deviation__24h"] = long.std()[signal]
        values.append(pd.DataFrame(parts).to_numpy())
        names = list(parts)
    times = np.tile(START + np.arange(1, hours + 1) * np.timedelta64(1, "h"), machines)
    machine_names = np.repeat(np.array([f"{named}-{number:02}" for number in range(machines)], dtype=object), hours)
    table = FeatureTable(machine_names, times, tuple(names), np.concatenate(values), np.ones(machines * hours))
    return table, events_table(events)
