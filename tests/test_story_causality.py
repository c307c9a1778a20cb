"""The whole chain looks back only: nothing that comes later changes what was said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.extract import extract
from ingest.event import Event, events_table
from ingest.plant import AlertSettings, Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.believed import believed
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.persistence import episodes

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CUT = FIRST + timedelta(days=16)
MACHINES = tuple(f"pump-{number}" for number in range(6))
PLANT = Plant(
    classes=[MachineClass(name="pump", signals=[Signal(name="vibration"), Signal(name="flow")])],
    machines=[Machine(name=name, machine_class="pump") for name in MACHINES],
    models=[
        ModelEntry(
            name="pump fails", task="failure_risk", machine_class="pump", horizon=timedelta(hours=24), split="time"
        ),
        ModelEntry(
            name="pump is strange", task="anomaly", machine_class="pump", horizon=timedelta(hours=24), split="time"
        ),
    ],
)


def batch(machine: str, begin: datetime, hours: int, vibration: np.ndarray, flow: np.ndarray) -> Readings:
    times = [begin + timedelta(hours=hour) for hour in range(hours)]
    table = pa.table(
        {"machine": [machine] * hours, "time": times, "arrived": times, "vibration": vibration, "flow": flow},
        schema=readings_schema(("vibration", "flow")),
    )
    return Readings("pump", table)


def fill(store: Store) -> None:
    """Sixteen days of six pumps that fail every few days, with vibration rising before."""
    random = np.random.default_rng(3)
    events = []
    for place, name in enumerate(MACHINES):
        hours = 16 * 24
        vibration, flow = random.normal(2, 0.2, hours), random.normal(50, 1, hours)
        for failure in range(60 + 11 * place, hours, 100):
            vibration[failure - 20 : failure] += np.linspace(0, 3, 20)
            events.append(Event(machine=name, kind="failure", time=FIRST + timedelta(hours=failure)))
        store.append(batch(name, FIRST, hours, vibration, flow), source="test", position=name)
    store.add_events(events_table(events), source="test")


def fitted_until_cut(store: Store, entry: ModelEntry) -> Bundle:
    recipe = recipe_until(PLANT, store, entry, CUT)
    table = extract(recipe, store, MACHINES, FIRST - timedelta(hours=1), CUT)
    return fit_bundle(entry, PLANT, recipe, table, store.events(end=CUT), CUT)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    store = Store(tmp_path_factory.mktemp("learnt"))
    fill(store)
    fitted = [fitted_until_cut(store, entry) for entry in PLANT.models]
    store.close()
    return fitted


later = st.tuples(
    st.sampled_from(MACHINES),
    st.integers(min_value=1, max_value=200),
    st.floats(min_value=-1e6, max_value=1e6),
    st.sampled_from(["failure", "maintenance", "error", None]),
)


@pytest.mark.slow(seconds=12)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(additions=st.lists(later, min_size=1, max_size=5), sealed=st.booleans())
def test_nothing_that_comes_after_a_moment_changes_what_was_said_of_it(
    additions: list[tuple[str, int, float, str | None]],
    sealed: bool,
    bundles: list[Bundle],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder: Path = tmp_path_factory.mktemp("later")
    store = Store(folder)
    fill(store)
    before = [believed(PLANT, store, bundle, MACHINES, FIRST, CUT) for bundle in bundles]

    for number, (machine, hours, value, kind) in enumerate(additions):
        time = CUT + timedelta(hours=hours, microseconds=number)
        store.append(
            batch(machine, time, 1, np.array([value]), np.array([value])), source="later", position=str(number)
        )
        if kind is not None:
            store.add_events(events_table([Event(machine=machine, kind=kind, time=time)]), source="later")  # type: ignore[arg-type]
    if sealed:
        store.seal()
    after = [believed(PLANT, store, bundle, MACHINES, FIRST, CUT) for bundle in bundles]
    store.close()

    for old, new in zip(before, after, strict=True):
        assert old.machine.tolist() == new.machine.tolist()
        assert old.time.tolist() == new.time.tolist()
        assert old.level.tobytes() == new.level.tobytes()
        assert old.reason.tolist() == new.reason.tolist()
        assert episodes(old, AlertSettings()) == episodes(new, AlertSettings())
