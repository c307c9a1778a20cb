"""Pumps that wear, in memory: feature tables with a planted signal, and a plant with readings and failures."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from tests.features.table_history import TableHistory, after, readings_frame

START = np.datetime64("2026-01-01T00:00:00", "us")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HORIZON = timedelta(hours=24)
NAMES = (
    "voltage__mean__3h", "voltage__mean__24h", "voltage__standard_deviation__24h",
    "pressure__mean__3h", "pressure__mean__24h", "pressure__standard_deviation__24h",
)  # fmt: skip


def worn_pumps(
    *, machines: int = 6, days: int = 20, failures: int = 2, seed: int = 0
) -> tuple[FeatureTable, pd.DataFrame]:
    """Return hourly features and the failures; the voltage rises in the 36 hours before each failure."""
    random = np.random.default_rng(seed)
    hours = days * 24
    values, events = [], []
    for number in range(machines):
        noise = random.standard_normal((hours, 2)) + random.standard_normal(2) * 0.3
        for turn in range(failures):
            at = int(hours * (turn + 0.3 + 0.5 * random.random()) / failures)
            low = max(0, at - 36)
            noise[low:at, 0] += np.linspace(0, 4, at - low)
            time = BEGIN + timedelta(hours=at)
            events.append(Event(machine=f"pump-{number}", kind="failure", time=time, component="winding"))
        signal = pd.DataFrame({"voltage": 230 + 5 * noise[:, 0], "pressure": 4 + 0.2 * noise[:, 1]})
        short, long = signal.rolling(3, min_periods=1), signal.rolling(24, min_periods=2)
        parts = [(short.mean()[name], long.mean()[name], long.std()[name]) for name in signal]
        values.append(np.column_stack([column for part in parts for column in part]))
    times = np.tile(START + np.arange(1, hours + 1) * np.timedelta64(1, "h"), machines)
    names = np.repeat(np.array([f"pump-{number}" for number in range(machines)], dtype=object), hours)
    table = FeatureTable(names, times, NAMES, np.concatenate(values), np.ones(machines * hours))
    return table, events_table(events)


def quiet_pumps(*, machines: int = 4, days: int = 20, seed: int = 0) -> FeatureTable:
    """Return hourly features of pumps that nothing happens to."""
    return worn_pumps(machines=machines, days=days, failures=0, seed=seed)[0]


MACHINES = tuple(f"pump-{number}" for number in range(6))
HOURS = 24 * 24
FAILURES = {name: (80 + 17 * number, 250 + 17 * number, 420 + 17 * number) for number, name in enumerate(MACHINES)}

PLANT = Plant(
    name="Test plant",
    time_zone="Europe/Berlin",
    classes=[
        MachineClass(
            name="pump",
            components=["seal"],
            signals=[Signal(name="vibration", unit="mm/s", every=timedelta(hours=1))],
        )
    ],
    machines=[Machine(name=name, machine_class="pump") for name in MACHINES],
)


def pump_history(*, until: int = HOURS, failures: bool = True, later: float = 0.0) -> TableHistory:
    """Return pumps whose vibration rises in the last 20 hours of each life; ``later`` is added after hour 500."""
    frames = []
    for number, machine in enumerate(MACHINES):
        hours = np.arange(until)
        vibration = 1 + 0.1 * np.random.default_rng(number).standard_normal(HOURS)[:until]
        for failure in FAILURES[machine] if failures else ():
            ahead = failure - hours
            vibration += np.where((ahead > 0) & (ahead <= 20), 1.0 + (20 - ahead) / 10, 0)
        frames.append(readings_frame(machine, hours * 60.0, vibration=vibration + np.where(hours > 500, later, 0)))
    events = [
        Event(machine=machine, kind="failure", time=after(hours=hour), component="seal")
        for machine, moments in FAILURES.items()
        for hour in moments
        if failures and hour < until
    ]
    return TableHistory(pd.concat(frames), events)


def pump_entry(**fields: object) -> ModelEntry:
    """Return a failure risk of the pumps, with some fields changed."""
    return ModelEntry.model_validate(
        {
            "name": "seal risk", "task": "failure_risk", "class": "pump", "horizon": "24 h", "needed_lead": "2 h",
            "windows": ["4 h"], "stride": "2 h", **fields,
        }
    )  # fmt: skip
