"""Each degradation moves the signals that the kind's data says, where it says, and no others."""

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.simulation.ambient import ambient_temperature
from ingest.simulation.degradation import Degradation, Fate
from ingest.simulation.kind import Component, MachineKind, Mode
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.life import LifeDay
from ingest.simulation.operation import Conditions
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.sensor_fault import Sensors, sensor_faults
from ingest.simulation.shifts import days_from, planned_spans
from ingest.simulation.signals import SignalModel

MODES = [
    pytest.param(kind, component, mode, id=f"{kind.name}, {component.name}, {mode.name}")
    for kind in KINDS.values()
    for component in kind.components
    for mode in component.modes
]
_DAYS, _STEP = 120, 1800


def steady(begin: int, days: int, ambient: float = 20.0) -> Conditions:
    times = np.arange(begin, begin + days * 86400, _STEP)
    ones = np.ones(len(times))
    return Conditions(times, ones, ones, ones, ambient * ones)


def model_of(kind: MachineKind) -> SignalModel:
    scenario = Scenario(machines={kind.name: 1}, every=timedelta(seconds=_STEP), seed=5)
    return SignalModel(scenario, scenario.plant()[0])


def worn(component: Component, mode: Mode, begin: int, days: int) -> Degradation:
    fate = Fate(mode, 0.0, 3600.0, 1.0, 1.0)
    return Degradation(component.name, fate, begin, track=[(begin, 1.0), (begin + days * 86400, 1.0)])


@pytest.mark.parametrize(("kind", "component", "mode"), MODES)
def test_a_degradation_moves_its_signals_and_no_others(kind: MachineKind, component: Component, mode: Mode) -> None:
    model = model_of(kind)
    later = _DAYS * 86400
    before = model.day(steady(0, _DAYS), ())
    after = model.day(steady(later, _DAYS), (worn(component, mode, later, _DAYS),))
    moved = {effect.signal: effect.shift for effect in mode.effects}

    for column, physics in enumerate(kind.signals):
        settled = slice(len(after) // 10, None)
        difference = float(after[settled, column].mean() - before[settled, column].mean()) / physics.noise
        if physics.name in moved:
            assert difference * np.sign(moved[physics.name]) > 1.0
            assert difference == pytest.approx(moved[physics.name] / physics.noise, rel=0.3, abs=0.8)
        else:
            assert abs(difference) < 0.8


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_healthy_machine_at_rest_in_its_middle_of_duty_stays_well_inside_the_ranges(kind: MachineKind) -> None:
    values = model_of(kind).day(steady(0, 60), ())

    for column, physics in enumerate(kind.signals):
        assert physics.low < values[:, column].min()
        assert values[:, column].max() < physics.high
        assert np.allclose(values[:, column] / physics.resolution, np.round(values[:, column] / physics.resolution))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_runs_by_its_expression_at_its_lightest_duty_and_not_at_rest(kind: MachineKind) -> None:
    told = re.fullmatch(r"(\w+) > (\d+)", kind.running)
    assert told is not None
    column, least = kind.signal_names.index(told[1]), float(told[2])
    lightest = min(kind.products, key=lambda each: each.load + each.speed)
    duty = steady(0, 60)
    light = replace(duty, load=lightest.load * duty.load, speed=lightest.speed * duty.speed)

    assert model_of(kind).day(light, ())[:, column].min() > least
    assert model_of(kind).day(replace(duty, running=0 * duty.running), ())[48:, column].max() < least


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_data_of_a_kind_agree_with_each_other(kind: MachineKind) -> None:
    assert "power" in kind.signal_names
    for component in kind.components:
        assert component.sudden.sudden
        for mode in component.modes:
            assert {effect.signal for effect in mode.effects} <= set(kind.signal_names)
            assert mode.error in kind.errors
            assert 0 < mode.interval_hours[0] < mode.interval_hours[1]


def test_noise_has_a_memory() -> None:
    kind = KINDS["pump"]
    column = kind.signal_names.index("seal_pressure")
    values = model_of(kind).day(steady(0, 60), ())[:, column]

    assert np.corrcoef(values[:-1], values[1:])[0, 1] > 0.6


def test_heat_follows_slowly_and_ends_at_the_surroundings() -> None:
    kind = KINDS["compressor"]
    column = kind.signal_names.index("discharge_temperature")
    model = model_of(kind)
    hot = model.day(steady(0, 1), ())[-1, column]
    now = steady(86400, 1, ambient=18.0)
    cooling = model.day(Conditions(now.times, 0 * now.running, now.load, now.speed, now.ambient), ())[:, column]

    assert hot > 75
    assert cooling[0] > 45
    assert cooling[-1] == pytest.approx(18, abs=1.5)


def test_higher_load_and_warmer_surroundings_move_healthy_signals_too() -> None:
    kind = KINDS["compressor"]
    hotter = model_of(kind).day(steady(0, 30, ambient=30.0), ()).mean(axis=0)
    normal = model_of(kind).day(steady(0, 30), ()).mean(axis=0)
    moved = dict(zip(kind.signal_names, hotter - normal, strict=True))

    assert moved["inlet_temperature"] == pytest.approx(10, abs=0.5)
    assert moved["discharge_temperature"] == pytest.approx(9, abs=0.5)
    assert moved["vibration"] == pytest.approx(0, abs=0.1)


def test_summer_is_warmer_than_winter_and_the_afternoon_than_the_night() -> None:
    def at(day: int, hour: float) -> float:
        begin = day * 86400
        return float(ambient_temperature(np.array([begin + int(hour * 3600)]), begin, begin + 86400, (0, 0))[0])

    assert at(200, 12) - at(15, 12) == pytest.approx(12, abs=0.5)
    assert at(100, 15) - at(100, 3) == pytest.approx(5, abs=0.5)


def faulty(kind: str) -> tuple[NDArray[np.float64], NDArray[np.bool_], float]:
    """Readings of the faulty signal as differences from the truth, which of them, and the fault's size."""
    scenario = Scenario(machines={"pump": 1}, every=timedelta(minutes=10), sensor_faults_per_machine_year=60, seed=3)
    machine: SimulatedMachine = scenario.plant()[0]
    fault = next(each for each in sensor_faults(scenario, machine) if each.kind == kind)
    times = np.arange(scenario.begin, fault.end + 86400, 600)
    truth = np.tile(np.arange(len(times), dtype=float)[:, np.newaxis] % 7, (1, len(machine.kind.signals)))
    sensors = Sensors(scenario, machine)
    cuts = range(0, len(times), 144)
    read = np.vstack([sensors.day(times[at : at + 144], truth[at : at + 144], int(times[at]) + 86400) for at in cuts])
    column = machine.kind.signal_names.index(fault.signal) if fault.signal else 0
    during = fault.during(times)
    assert during.any()
    return (read if kind == "stuck" else read - truth)[:, column], during, fault.size


def test_a_stuck_sensor_says_the_same_for_days() -> None:
    read, during, _ = faulty("stuck")
    assert len(set(read[during])) == 1


def test_an_offset_is_there_from_begin_to_end() -> None:
    difference, during, size = faulty("offset")
    assert np.allclose(difference[during], size, atol=0.5)


def test_a_drift_grows_to_its_size() -> None:
    difference, during, size = faulty("drift")
    grown = difference[during] * np.sign(size)
    assert grown[0] == pytest.approx(0, abs=0.5)
    assert grown[-1] == pytest.approx(abs(size), abs=0.5)


def test_spikes_are_few_and_large() -> None:
    difference, during, _ = faulty("spikes")
    hit = np.abs(difference[during]) > 1
    assert 0.02 < hit.mean() < 0.25


def test_drop_outs_leave_holes_and_silence_leaves_nothing() -> None:
    holes, during, _ = faulty("drop-outs")
    assert 0.4 < np.isnan(holes[during]).mean() < 0.95
    nothing, during, _ = faulty("silence")
    assert np.isnan(nothing[during]).all()


def test_a_day_of_life_is_a_local_day() -> None:
    scenario = Scenario(machines={"pump": 1}, time_zone="Europe/Berlin")
    day = next(days_from(scenario.start))
    spans = planned_spans(scenario.pattern(scenario.plant()[0].kind), day, scenario.zone)
    assert spans == [(scenario.begin, scenario.begin + 86400)]
    assert LifeDay(day, *spans[0], (), (), ()).begin == scenario.begin
