"""The last arrival of a reading wins, and the value before it is kept."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue import CORRECTIONS
from ingest.errors import DamagedError
from ingest.reading import Readings
from ingest.sqlite import SqliteDatabase
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, START, readings_of

MakeReadings = Callable[..., Readings]


KEPT = EVERYWHERE


def corrected(store: Store, **asked: object) -> list[tuple[str, str, float, float, float]]:
    """Return (machine, signal, minute, earlier value, value) of all corrections."""
    rows = [row for each in store.corrections.read("press", **asked) for row in each.table.to_pylist()]  # type: ignore[arg-type]
    return [
        (row["machine"], row["signal"], (row["time"] - START) / timedelta(minutes=1), row["earlier"], row["value"])
        for row in rows
    ]


def test_a_corrected_value_is_kept_whether_it_had_been_sealed_or_not(store: Store, make_readings: MakeReadings) -> None:
    store.append(make_readings([("m1", 1, {"a": 1, "b": 7}), ("m1", 2, {"a": 1})]), source="s", position="1")
    store.seal()
    store.append(make_readings([("m1", 1, {"a": 2}), ("m1", 2, {"a": 1, "b": 3})]), source="s", position="2")
    store.append(make_readings([("m1", 1, {"a": 3})]), source="s", position="3")
    store.seal()
    assert corrected(store) == [("m1", "a", 1, 1, 2), ("m1", "a", 1, 2, 3)]
    assert store.corrections.counts() == {"press": 2}
    store.seal()
    assert store.corrections.counts() == {"press": 2}


def test_a_correction_is_listed_once_however_often_its_row_is_touched_again(
    store: Store, make_readings: MakeReadings
) -> None:
    for number, values in enumerate([{"a": 1}, {"a": 2}, {"b": 3}, {"a": 2}]):
        store.append(make_readings([("m1", 1, values)]), source="s", position=f"{number}")
        store.seal()
    assert corrected(store) == [("m1", "a", 1, 1, 2)]


def test_corrections_are_found_by_machine_and_time(store: Store, make_readings: MakeReadings) -> None:
    for value in (1, 2):
        rows = [(machine, minute, {"a": value}) for machine in ("m1", "m2") for minute in (1, 2, 3)]
        store.append(make_readings(rows), source="s", position=f"{value}")
    store.seal()
    assert len(corrected(store)) == 6
    asked = {"start": START + timedelta(minutes=1), "end": START + timedelta(minutes=2)}
    assert corrected(store, machines=["m2"], **asked) == [("m2", "a", 2, 1, 2)]
    assert corrected(store, after=1) == []


def test_a_damaged_part_is_named_and_not_served(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = Store(tmp_path)
    for value in (1, 2):
        store.append(make_readings([("m1", 1, {"a": value})]), source="s", position=f"{value}")
    store.seal()
    database = SqliteDatabase(tmp_path / "readings.db")
    with database.write() as connection:
        connection.execute(CORRECTIONS.update().values(rows=7))
    database.close()
    with pytest.raises(DamagedError, match="corrections 1 of class 'press': damaged"):
        corrected(store)
    store.close()


values = st.sampled_from([None, 1.0, 2.0, 3.0])
steps = st.lists(st.none() | st.lists(st.tuples(st.sampled_from([1, 2]), values), max_size=4), max_size=10)


@settings(max_examples=20, deadline=None)
@given(steps)
def test_with_its_corrections_every_value_that_a_reading_ever_had_is_known(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[tuple[int, float | None]] | None]
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    had: dict[int, list[float]] = {1: [], 2: []}
    for number, step in enumerate(steps):
        if step is None:
            store.seal()
            continue
        store.append(
            readings_of([("m1", time, {"a": value}) for time, value in step]), source="s", position=f"{number}"
        )
        for time, value in step:
            if value is not None and had[time][-1:] != [value]:
                had[time].append(value)
    store.seal()
    now = store.read("press", signals=["a"]).table
    assert isinstance(now, pa.Table)
    known: dict[int, list[float]] = {1: [], 2: []}
    for _, _, minute, earlier, value in corrected(store):
        known[int(minute)] = [*(known[int(minute)] or [earlier]), value]
    for row in now.to_pylist():
        minute = round((row["time"] - START) / timedelta(minutes=1))
        if row["a"] is not None:
            known[minute] = known[minute] or [row["a"]]
    assert known == had
    store.close()
