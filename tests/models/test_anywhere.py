"""What is said of machines does not depend on where, with whom and in which pieces they are looked at."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from ingest.errors import NotEnoughDataError
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from models.anywhere import assess
from models.anywhere.assess import Ask, asks, assess_anywhere
from models.anywhere.explain import Said, explain_anywhere
from models.anywhere.health import health_anywhere
from models.anywhere.table import table_anywhere
from models.believed import believed_table, explained
from models.bundle import Bundle
from models.engine.engine import HERE, Engine
from models.engine.processes import Processes
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.moment import instant
from models.sensors.health import sensor_health
from tests.features.table_history import TableHistory
from tests.models.engine_work import Several

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 33
END = BEGIN + DAYS * DAY
SIGNALS = ("flow", "power", "pressure")
PUMP = MachineClass(name="pump", signals=[Signal(name=name, every=HOUR) for name in SIGNALS])
MACHINES = tuple(f"pump-{number}" for number in range(7))
ENTRY = ModelEntry(
    name="strange", task="anomaly", machine_class="pump", horizon=DAY, split="time",
    windows=[4 * HOUR, 12 * HOUR], stride=2 * HOUR,
)  # fmt: skip
PLANT = Plant(classes=[PUMP], machines=[Machine(name=name, machine_class="pump") for name in MACHINES], models=[ENTRY])


@cache
def pumps() -> TableHistory:
    """Pumps of one load each; one begins late, one falls silent, one has a sensor that steps, one wears."""
    frames = []
    for number, name in enumerate(MACHINES):
        random = np.random.default_rng(number)
        count = DAYS * 24
        load = 10 * np.sin(np.arange(count) / 7 + number) + random.normal(0, 1, count)
        late = np.arange(count) >= count - 72
        values = {each: 50 + (1 + at) * load / 2 + random.normal(0, 1, count) for at, each in enumerate(SIGNALS)}
        if number == 1:
            values["power"][late] += 40
        if number == 2:
            for own in values.values():
                own[late] += 15
        times = pd.date_range(BEGIN + HOUR, periods=count, freq="h")
        frame = pd.DataFrame({"machine": name, "time": times, **values})
        if number == 3:
            frame = frame[240:]
        frames.append(frame[:-100] if number == 4 else frame)
    return TableHistory(pd.concat(frames))


@cache
def bundle() -> Bundle:
    until = END - 4 * DAY
    recipe = recipe_until(PLANT, pumps(), ENTRY, until)
    table = believed_table(recipe, PUMP, pumps(), MACHINES, BEGIN, until).table
    return fit_bundle(ENTRY, PLANT, recipe, table, pumps().events(), until)


@pytest.fixture(scope="module", params=["three here", "processes"])
def several(request: pytest.FixtureRequest) -> Engine:
    return Engine(Several(3) if request.param == "three here" else Processes(2))


def test_a_feature_table_is_the_same_bytes_in_one_piece_and_in_groups(several: Engine) -> None:
    recipe = bundle().recipe
    whole = believed_table(recipe, PUMP, pumps(), MACHINES, BEGIN, END)

    found = table_anywhere(several, recipe, PUMP, pumps(), MACHINES, BEGIN, END)

    assert found.table.machine.tolist() == whole.table.machine.tolist()
    for field in ("time", "values", "filled", "filled_by_signal"):
        assert getattr(found.table, field).tobytes() == getattr(whole.table, field).tobytes(), field
    said, same = whole.assessed(bundle(), whole.table), found.assessed(bundle(), found.table)
    assert said.level.tobytes() == same.level.tobytes()
    assert said.reason.tolist() == same.reason.tolist()
    assert len(set(said.reason.tolist())) > 1


@pytest.mark.parametrize("windows_at_once", [1, 40, 100_000])
def test_assessments_are_the_same_bytes_however_they_are_cut(
    several: Engine, windows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, stride = END - 3 * DAY, bundle().recipe.stride
    ends = {name: END - (number % 3) * DAY for number, name in enumerate(MACHINES)}
    (whole,), failed = assess_anywhere(HERE, PLANT, pumps(), bundle(), [Ask(start, ends)])
    monkeypatch.setattr(assess, "WINDOWS_AT_ONCE", windows_at_once)

    cut = asks(several, start, ends, stride)
    found, failed_too = assess_anywhere(several, PLANT, pumps(), bundle(), cut)

    assert len(cut) > 1
    assert failed == failed_too == {}
    assert [str(name) for each in found for name in each.machine] == whole.machine.tolist()
    assert np.concatenate([each.time for each in found]).tobytes() == whole.time.tobytes()
    assert np.concatenate([each.level for each in found]).tobytes() == whole.level.tobytes()
    assert [reason for each in found for reason in each.reason] == whole.reason.tolist()
    last = {name: whole.time[whole.machine == name].max() for name in set(whole.machine)}
    assert all(time <= instant(ends[name]) for name, time in last.items())


def test_an_explanation_is_the_same_wherever_it_is_given(several: Engine) -> None:
    said = {name: Said(END, END - HOUR) for name in MACHINES}

    found = explain_anywhere(several, PLANT, pumps(), bundle(), said)

    assert list(found) == list(MACHINES)
    assert isinstance(found["pump-4"], NotEnoughDataError)
    assert found["pump-2"] == explained(PLANT, pumps(), bundle(), "pump-2", END, began=END - HOUR)


def test_the_health_of_sensors_is_the_same_wherever_it_is_looked_at(several: Engine) -> None:
    whole = sensor_health(pumps(), PUMP, MACHINES, END - DAY, END)

    found, failed = health_anywhere(several, pumps(), PUMP, MACHINES, END - DAY, END)

    assert failed == {}
    assert list(found) == list(MACHINES)
    assert {name: own.fault.tobytes() for name, own in found.items()} == {
        name: own.fault.tobytes() for name, own in whole.items()
    }
    assert whole["pump-1"].now()
