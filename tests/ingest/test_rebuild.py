"""A span made anew is the same byte for byte, however its readings had come."""

import errno
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.extract import extract
from features.recipe import Recipe
from ingest import lake
from ingest import rebuild as module
from ingest.errors import DiskFullError, StoreError
from ingest.event import Event, events_table
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.rebuild import Rebuilt, rebuild
from ingest.store import Store
from tests.ingest.conftest import START, Row, readings_of

MakeReadings = Callable[..., Readings]
HOUR = timedelta(hours=1)
NAMES = ("m1", "m2", "m10")
PLANT = Plant(
    classes=[MachineClass(name="press", signals=[Signal(name="a"), Signal(name="b")])],
    machines=[Machine(name=name, machine_class="press") for name in NAMES],
)


def files(folder: Path) -> dict[str, bytes]:
    lake = folder / "lake"
    return {str(path.relative_to(lake)): path.read_bytes() for path in sorted(lake.rglob("*.parquet"))}


def events_of(failures: int) -> list[Event]:
    return [
        Event(machine=NAMES[each % 3], kind="failure", time=START + 7 * each * HOUR, code=f"f{each}")
        for each in range(failures)
    ]


keys = st.tuples(st.sampled_from(NAMES), st.integers(0, 14))
values = st.none() | st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 1.25, 9.99, 100.0, 123456.789012])
short = st.none() | st.sampled_from([0.0, 1.25, 9.96, 0.5, 99999.5])
contents = st.dictionaries(keys, st.tuples(values, short), min_size=1, max_size=24)


@settings(max_examples=6, deadline=None)
@given(content=contents, data=st.data(), failures=st.integers(0, 4))
def test_stores_that_got_the_same_readings_in_any_order_and_batches_are_rebuilt_as_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    content: dict[tuple[str, int], tuple[float | None, float | None]],
    data: st.DataObject,
    failures: int,
) -> None:
    cells: list[Row] = [
        (machine, step * 500.0, {name: value})
        for (machine, step), pair in content.items()
        for name, value in zip("ab", pair, strict=True)
    ]
    made: list[tuple[Rebuilt, dict[str, bytes]]] = []
    for order in (cells, data.draw(st.permutations(cells + cells[:5]))):
        folder = tmp_path_factory.mktemp("store")
        store = Store(folder / "one", rows_in_a_segment=4)
        cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)) | {0, len(order)})
        for low, high in pairwise(cuts):
            signals = data.draw(st.sampled_from([("a", "b"), ("b", "a")]))
            store.append(readings_of(order[low:high], signals), source="s", position=f"{low}")
            if data.draw(st.booleans()):
                store.seal()
        store.add_events(events_table(data.draw(st.permutations(events_of(failures)))), source="s")
        made.append((rebuild(store, PLANT, folder / "two"), files(folder / "two")))
        store.close()
    assert made[0] == made[1]


def test_rows_without_any_value_hold_nothing_up(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = Store(tmp_path / "one")
    store.append(make_readings([("m1", 0.0, {"a": None}), ("m1", 500.0, {"a": 0.0})]), source="s", position="1")

    (rebuilt,) = rebuild(store, PLANT, tmp_path / "two").classes

    assert (rebuilt.rows, rebuilt.readings) == (1, 1)
    store.close()


def filled(folder: Path, make_readings: MakeReadings) -> Store:
    store = Store(folder)
    rows = [
        (name, 60.0 * hour, {"a": hour * 1.5, "b": None if hour % 3 else float(hour)})
        for hour in range(120)
        for name in NAMES
    ]
    store.append(make_readings(rows[:200]), source="s", position="1")
    store.seal()
    store.append(make_readings(rows[200:]), source="s", position="2")
    store.add_events(events_table(events_of(4)), source="s")
    return store


RECIPE = Recipe(machine_class="press", signals=("a", "b"), windows=(3 * HOUR, 12 * HOUR), stride=HOUR)


def test_features_of_what_was_rebuilt_are_the_same_bytes(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = filled(tmp_path / "one", make_readings)
    rebuild(store, PLANT, tmp_path / "all")
    rebuild(store, PLANT, tmp_path / "span", start=START + 24 * HOUR, end=START + 96 * HOUR)
    for name, begin in (("all", 0), ("span", 24 + 12)):
        other = Store(tmp_path / name)
        start, end = START + begin * HOUR, START + 96 * HOUR
        one, two = (extract(RECIPE, each, NAMES, start, end) for each in (store, other))
        assert len(one) > 0
        assert (one.machine.tolist(), one.time.tobytes()) == (two.machine.tolist(), two.time.tobytes())
        assert one.values.tobytes() == two.values.tobytes()
        other.close()
    store.close()


def test_a_span_of_a_store_is_that_of_a_store_that_holds_only_the_span(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    store = filled(tmp_path / "one", make_readings)
    span = {"start": START + 30 * HOUR, "end": START + 50 * HOUR}
    first = rebuild(store, PLANT, tmp_path / "two", **span)
    (only,) = first.classes
    assert (only.rows, only.machines) == (60, 3)
    two = Store(tmp_path / "two")
    assert two.read("press", signals=["a", "b"]).table.equals(store.read("press", signals=["a", "b"], **span).table)
    assert two.find_damage() == []
    assert rebuild(two, PLANT, tmp_path / "three").classes == first.classes
    assert files(tmp_path / "two") == files(tmp_path / "three")
    store.close()
    two.close()


def test_one_other_value_is_another_content_hash_and_another_arrival_is_not(tmp_path: Path) -> None:
    hashes = []
    for number, (value, arrived) in enumerate([(1.0, START), (1.5, START), (1.0, START + HOUR)]):
        store = Store(tmp_path / f"{number}")
        columns = {"machine": ["m1"], "time": [START], "arrived": [arrived], "a": [value]}
        store.append(Readings("press", pa.table(columns, schema=readings_schema(("a",)))), source="s", position="1")
        hashes.append(rebuild(store, PLANT, tmp_path / f"{number}" / "again").classes[0].content_hash)
        store.close()
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize("cells", [30, 200, 1_000])
def test_small_parts_give_the_same_content(
    tmp_path: Path, make_readings: MakeReadings, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path / "one", make_readings)
    whole = rebuild(store, PLANT, tmp_path / "whole")
    monkeypatch.setattr(module, "CELLS_AT_ONCE", cells)
    parts = rebuild(store, PLANT, tmp_path / "parts")
    assert parts.classes[0].content_hash == whole.classes[0].content_hash
    assert (parts.classes[0].rows, parts.events_hash) == (360, whole.events_hash)
    store.close()


def test_a_correction_of_more_decimals_that_comes_while_the_span_is_read_is_not_rounded_but_said(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    class Corrected(Store):
        """A store in which a value is corrected once all of it has been looked through."""

        reads = 0

        def read(self, machine_class: str, **span: Any) -> Readings:
            self.reads += 1
            if self.reads == 2:
                self.append(make_readings([("m1", 0.0, {"a": 1.23456})]), source="s", position="3")
            return super().read(machine_class, **span)

    filled(tmp_path / "one", make_readings).close()
    store = Corrected(tmp_path / "one")
    with pytest.raises(StoreError, match="came while they were read; run it again into a new folder"):
        rebuild(store, PLANT, tmp_path / "two")
    assert store.reads > 1
    store.close()


def test_a_full_disk_is_said(tmp_path: Path, make_readings: MakeReadings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = filled(tmp_path / "one", make_readings)
    store.seal()
    monkeypatch.setattr(lake, "write_segment", full)
    with pytest.raises(DiskFullError, match="the disk is full"):
        rebuild(store, PLANT, tmp_path / "two")
    store.close()


def test_a_folder_that_holds_something_is_refused(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = filled(tmp_path / "one", make_readings)
    with pytest.raises(StoreError, match="one: is there already and not empty; name a folder that is not there yet"):
        rebuild(store, PLANT, tmp_path / "one")
    store.close()


def test_a_span_without_readings_gives_an_empty_store(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = filled(tmp_path / "one", make_readings)
    made = rebuild(store, PLANT, tmp_path / "two", start=START + 1_000 * HOUR)
    assert (made.classes, made.events) == ((), 0)
    store.close()


def test_classes_with_readings_of_the_same_days_are_made_anew_beside_each_other(tmp_path: Path) -> None:
    plant = Plant(
        classes=[MachineClass(name=name, signals=[Signal(name="a")]) for name in ("press", "pump")],
        machines=[Machine(name="m1", machine_class="press"), Machine(name="p1", machine_class="pump")],
    )
    store = Store(tmp_path / "store")
    for machine, machine_class in (("m1", "press"), ("p1", "pump")):
        rows = [(machine, float(minute), {"a": 1.5}) for minute in range(5)]
        store.append(readings_of(rows, ("a",), machine_class), source="s", position=machine)

    made = rebuild(store, plant, tmp_path / "again")

    store.close()
    assert [(each.machine_class, each.readings) for each in made.classes] == [("press", 5), ("pump", 5)]
