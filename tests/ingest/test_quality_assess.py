"""Signals of one machine, graded together: what most of them show is the machine's."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.quality.assess import SignalGrade, assess
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from tests.ingest.conftest import START
from tests.ingest.quality_signals import CLEAN, DAY, MINUTE

DAYS = 30
NAMES = tuple(f"s{number}" for number in range(6))


def graded(folder: Path, machines: dict[str, dict[str, np.ndarray]]) -> dict[tuple[str, str], SignalGrade]:
    plant = Plant(
        classes=[MachineClass(name="press", signals=[Signal(name=name, every="1 min") for name in NAMES])],  # type: ignore[arg-type]
        machines=[Machine(name=name, machine_class="press") for name in machines],
    )
    store = Store(folder)
    for machine, signals in machines.items():
        count = DAYS * DAY // MINUTE
        times = np.arange(count) * MINUTE + round(START.timestamp() * 1e6)
        columns = {"machine": [machine] * count, "time": times, "arrived": np.full(count, times[-1] + DAY)}
        columns |= {name: pa.array(values, from_pandas=True) for name, values in signals.items()}
        store.append(Readings("press", pa.table(columns, schema=readings_schema(NAMES))), source="s", position=machine)
    found = {(each.machine, each.signal): each for each in assess(store, plant, plant.classes[0])}
    store.close()
    return found


def clean(seed: int) -> dict[str, np.ndarray]:
    return {name: CLEAN["white"](np.random.default_rng(10 * seed + number)).values for number, name in enumerate(NAMES)}


@pytest.fixture
def ramp() -> np.ndarray:
    return np.linspace(0, 1, DAYS * DAY // MINUTE)


def test_one_sensor_that_drifts_is_named_and_a_machine_that_wears_is_not(tmp_path: Path, ramp: np.ndarray) -> None:
    one, wearing = clean(1), clean(2)
    one["s2"] = one["s2"] + 8 * np.std(one["s2"]) * ramp
    for name in NAMES[:3]:
        wearing[name] = wearing[name] + 8 * np.std(wearing[name]) * ramp

    found = graded(tmp_path, {"one": one, "wearing": wearing})

    assert found["one", "s2"].grade.reasons == ("drift",)
    assert all(each.grade.faults == () for key, each in found.items() if key != ("one", "s2"))


def test_what_drifts_on_every_machine_is_no_sensor(tmp_path: Path, ramp: np.ndarray) -> None:
    machines = {f"m{number}": clean(number) for number in range(4)}
    for signals in machines.values():
        signals["s0"] = signals["s0"] + 8 * np.std(signals["s0"]) * ramp

    assert all(each.grade.faults == () for each in graded(tmp_path, machines).values())


def test_a_signal_that_never_came_has_grade_nothing(tmp_path: Path) -> None:
    signals = clean(1)
    signals["s1"] = np.full_like(signals["s1"], np.nan)

    found = graded(tmp_path, {"m": signals})["m", "s1"]

    assert (found.grade.level, found.grade.reasons) == ("low", ("missing",))
    assert "no reading at all" in found.grade.sentence()
