"""Sensors that lie are told from machines: by their own last fortnight and by what the other signals do."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ingest.plant import MachineClass, Signal
from ingest.rate import Hertz
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.machine import simulate_machine
from ingest.simulation.scenario import Scenario
from models.assess import none_while_unbelieved
from models.assessment import Assessments, Reason
from models.sensors.health import APART, Health, sensor_health
from tests.features.table_history import TableHistory

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
FAULTY_FROM, FAULTY_FOR = 21, 1.0
"""Day on which an injected fault begins, and for how many days it lasts."""

SIGNALS = [(kind, signal.name) for kind in ("pump", "spindle") for signal in KINDS[kind].signals]


@cache
def machine(kind: str, seed: int, failures: float = 0.0, days: int = 24) -> pd.DataFrame:
    """Simulate a machine without any sensor fault."""
    scenario = Scenario(
        machines={kind: 1},
        days=days,
        start=date(2026, 1, 5),
        seed=seed,
        every=timedelta(minutes=30),
        failures_per_machine_year=failures,
        sensor_faults_per_machine_year=0,
    )
    return simulate_machine(scenario, scenario.plant()[0]).readings.table.drop_columns(["arrived"]).to_pandas()


def class_of(kind: str) -> MachineClass:
    signals = [Signal(name=each.name, unit=each.unit, range=(each.low, each.high)) for each in KINDS[kind].signals]
    return MachineClass(name=kind, signals=signals)


def health_of(kind: str, frame: pd.DataFrame, start: datetime, end: datetime) -> Health:
    name = f"{kind}-01"
    return sensor_health(TableHistory(frame), class_of(kind), [name], start, end)[name]


def with_fault(frame: pd.DataFrame, kind: str, signal: str, fault: str, seed: int) -> pd.DataFrame:
    """Return the readings with a fault of one signal; what is out of the sensor's range is not kept."""
    physics = next(each for each in KINDS[kind].signals if each.name == signal)
    random, changed = np.random.default_rng(seed), frame.copy()
    begin = pd.Timestamp(BEGIN + FAULTY_FROM * DAY)
    rows = np.flatnonzero((frame["time"] >= begin) & (frame["time"] < begin + FAULTY_FOR * DAY))
    values: NDArray[np.float64] = changed[signal].to_numpy(copy=True)
    if fault == "stuck":
        values[rows] = values[rows[20]]
    elif fault == "missing":
        values[rows[random.random(len(rows)) < 0.85]] = np.nan
    elif fault == "spikes":
        hit = rows[random.random(len(rows)) < 0.2]
        values[hit] = physics.low + (physics.high - physics.low) * random.uniform(0, 1, len(hit))
    else:
        values[rows] += 12 * physics.noise * random.standard_normal(len(rows))
        values[(values < physics.low) | (values > physics.high)] = np.nan
    changed[signal] = values
    return changed


@pytest.mark.parametrize("fault", ["stuck", "missing", "spikes", "noise"])
def test_a_fault_of_each_signal_is_found_and_rightly_named(fault: str) -> None:
    found, named, blamed = [], 0, 0
    for place, (kind, signal) in enumerate(SIGNALS):
        frame = with_fault(machine(kind, place % 3), kind, signal, fault, place)
        start = BEGIN + FAULTY_FROM * DAY
        health = health_of(kind, frame, start, start + FAULTY_FOR * DAY)
        codes = {name: set(row[row > 0].tolist()) for name, row in zip(health.signals, health.fault, strict=True)}
        found.append(bool(codes[signal]))
        named += {"missing": 1, "stuck": 2, "noise": 3, "spikes": 4}[fault] in codes[signal]
        blamed += sum(bool(codes[name]) for name in health.signals if name != signal)
    assert (sum(found), named, blamed) == (len(SIGNALS), len(SIGNALS), 0), dict(zip(SIGNALS, found, strict=True))


@pytest.mark.parametrize("kind", ["pump", "spindle", "compressor"])
def test_sensors_of_machines_that_wear_stop_and_fail_are_believed(kind: str) -> None:
    bad, apart, hours = 0, 0, 0
    for seed in range(2):
        health = health_of(kind, machine(kind, seed, failures=20.0, days=30), BEGIN + 6 * DAY, BEGIN + 30 * DAY)
        bad += int(((health.fault > 0) & (health.fault != APART)).sum())
        apart += int((health.fault == APART).sum())
        hours += health.fault.size
    assert bad / hours < 0.002, "less than one hour in five hundred"
    assert apart / hours < 0.01, "wear that shows itself in one signal alone is the same readings as a drift"


def test_readings_to_come_change_nothing_and_whoever_asks_later_is_told_the_same() -> None:
    frame = with_fault(machine("pump", 0), "pump", "flow", "stuck", 0)
    start = BEGIN + FAULTY_FROM * DAY
    whole = health_of("pump", frame, start - 2 * DAY, start + 2 * DAY)
    for hours in (31, 50, 56, 71):
        until = start - 2 * DAY + timedelta(hours=hours)
        known = frame[frame["time"] <= pd.Timestamp(until)]
        alone = health_of("pump", known, until - timedelta(hours=5), until)
        assert np.array_equal(alone.fault, whole.fault[:, hours - 5 : hours])
    assert (whole.fault > 0).any()


def test_a_sensor_is_bad_within_hours_and_believed_again_after_six() -> None:
    frame = with_fault(machine("pump", 0), "pump", "flow", "missing", 0)
    start = BEGIN + FAULTY_FROM * DAY
    health = health_of("pump", frame, start, start + 2 * DAY)
    bad = np.flatnonzero(health.bad(["flow"])) + 1
    assert 2 <= bad[0] <= 6
    assert 24 + 5 <= bad[-1] <= 24 + 10


def test_the_readings_of_many_machines_are_never_in_memory_together() -> None:
    one = machine("pump", 0)[:100]
    names = [f"pump-{number:02}" for number in range(45)]
    history = TableHistory(pd.concat([one.assign(machine=name) for name in names]))
    found = sensor_health(history, class_of("pump"), names, BEGIN, BEGIN + 2 * DAY)
    assert list(found) == names
    assert history.most_rows_read <= 20 * len(one)


def test_a_sensor_of_which_little_is_known_is_not_judged() -> None:
    frame = with_fault(machine("pump", 0), "pump", "flow", "stuck", 0)
    start = BEGIN + FAULTY_FROM * DAY
    young = frame[frame["time"] >= pd.Timestamp(start - 3 * DAY)]
    assert not health_of("pump", young, start, start + DAY).fault.any()


def test_what_rests_on_a_bad_sensor_is_a_reason_and_no_number() -> None:
    hours = np.datetime64("2026-01-01T00:00", "us") + np.arange(1, 11) * np.timedelta64(1, "h")
    fault = np.zeros((2, 10), np.int8)
    fault[0, 3] = 2
    said = Assessments(
        model="a",
        version="1",
        machine=np.array(["m"] * 10, dtype=object),
        time=hours,
        level=np.full(10, 0.5),
        reason=np.array([Reason.OK.value] * 10, dtype=object),
        threshold=0.4,
    )
    health = {"m": Health(("flow", "power"), hours, fault)}
    told = none_while_unbelieved(said, health, ["flow"], timedelta(hours=2))
    assert np.flatnonzero(np.isnan(told.level)).tolist() == [3, 4], "while the shortest window reaches back to it"
    assert set(told.reason[3:5]) == {Reason.SENSOR_FAULT.value}
    assert not np.isnan(none_while_unbelieved(said, health, ["power"], timedelta(hours=2)).level).any()


def test_of_a_machine_with_waveforms_alone_no_sensor_is_doubted_and_none_is_read() -> None:
    waveform = Signal(name="vibration", unit="g", rate=Hertz(1000), every=timedelta(minutes=10))
    history = TableHistory(machine("pump", seed=1))
    (name,) = history.spans("pump")

    health = sensor_health(
        history, MachineClass(name="pump", signals=[waveform]), [name], BEGIN + 20 * DAY, BEGIN + 21 * DAY
    )

    assert len(health[name].hours) == 24
    assert not health[name].bad(()).any()
    assert health[name].now() == {}
    assert history.most_rows_read == 0
