"""Extremes of long spans: as exact as if everything had been read, and read from envelopes that are verified."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue import to_microseconds
from ingest.checksum import metadata_of
from ingest.envelope import GRIDS, SECOND, Cells, cells_of, wider
from ingest.envelope_part import Places, places_in
from ingest.errors import DamagedError
from ingest.reading import TIME, Readings
from ingest.store import Store
from tests.ingest.conftest import Kept

START = datetime(2026, 3, 1, tzinfo=UTC)
ZERO = to_microseconds(START)


class Counting(Store):
    """A store that counts the rows that were read."""

    rows_read = 0

    def read(self, *args: Any, **keys: Any) -> Readings:
        found = super().read(*args, **keys)
        self.rows_read += found.table.num_rows
        return found


def readings(machine: str, times: Any, **signals: Any) -> Readings:
    """Readings of one machine; times in microseconds after the start."""
    stamps = pa.array(np.asarray(times, np.int64) + ZERO).cast(TIME)
    columns = {name: pa.array(values, from_pandas=True) for name, values in signals.items()}
    machines = pa.array([machine] * len(stamps)).dictionary_encode()
    return Readings("press", pa.table({"machine": machines, "time": stamps, "arrived": stamps, **columns}))


def every_second(store: Store, days: int, *, machine: str = "m", seed: int = 1) -> None:
    """Keep a reading a second, with a spike on the first day, and seal it."""
    rng = np.random.default_rng(seed)
    for day in range(days):
        times = (np.arange(86_400) + 86_400 * day) * SECOND
        values = np.round(rng.normal(50, 1, 86_400), 2)
        if day == 0:
            values[40_000] = 900.0
        store.append(readings(machine, times, speed=values), source=machine, position=str(day))
    store.seal()


def brute(store: Store, machine: str, signal: str, start: datetime, end: datetime, width: int) -> dict[str, list[Any]]:
    """What all readings of a span say of each cell, one at a time."""
    table = store.read("press", machines=[machine], signals=[signal], start=start, end=end).table
    cells: dict[int, list[tuple[int, float]]] = {}
    for at, value in zip(table["time"].cast(pa.int64()).to_pylist(), table[signal].to_pylist(), strict=True):
        if value is not None:
            cells.setdefault(at // width, []).append((at, value))
    found: dict[str, list[Any]] = {each: [] for each in ("number", "low", "low_at", "high", "high_at", "count")}
    for number in sorted(cells):
        low = min(value for _, value in cells[number])
        high = max(value for _, value in cells[number])
        found["number"].append(number)
        found["low"].append(low)
        found["low_at"].append(min(at for at, value in cells[number] if value == low))
        found["high"].append(high)
        found["high_at"].append(max(at for at, value in cells[number] if value == high))
        found["count"].append(len(cells[number]))
    return found


def as_lists(cells: Cells) -> dict[str, list[Any]]:
    return {each: getattr(cells, each).tolist() for each in ("number", "low", "low_at", "high", "high_at", "count")}


BATCH = st.fixed_dictionaries(
    {
        "machine": st.sampled_from(["m", "n"]),
        "every": st.sampled_from([SECOND // 20, SECOND // 3, SECOND, 30 * SECOND]),
        "begin": st.integers(0, 40_000),
        "rows": st.integers(50, 6_000),
        "signals": st.sampled_from([("a",), ("a", "b"), ("b",)]),
        "decimals": st.sampled_from([0, 2, 15]),
        "gaps": st.booleans(),
        "seal": st.booleans(),
        "seed": st.integers(0, 9),
    }
)


def append(store: Store, batch: dict[str, Any], position: int) -> None:
    rng = np.random.default_rng(batch["seed"])
    times = batch["begin"] * SECOND + np.arange(batch["rows"]) * batch["every"]
    signals = {}
    for name in batch["signals"]:
        values = np.round(rng.normal(0, 3, batch["rows"]), batch["decimals"])
        if batch["gaps"]:
            values[rng.random(batch["rows"]) < 0.2] = np.nan
            values[: batch["rows"] // 3] = np.nan
        signals[name] = values
    store.append(readings(batch["machine"], times, **signals), source="s", position=str(position))
    if batch["seal"]:
        store.seal()


@settings(max_examples=20, deadline=None)
@given(
    batches=st.lists(BATCH, min_size=1, max_size=4),
    begin=st.integers(-100, 30_000),
    length=st.integers(60, 90_000),
    cells=st.integers(2, 60),
)
def test_extremes_are_those_of_all_readings_however_they_came(
    batches: list[dict[str, Any]], begin: int, length: int, cells: int
) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder), rows_in_a_segment=5_000)
        for position, batch in enumerate(batches):
            append(store, batch, position)
        start = START + timedelta(seconds=begin, microseconds=7)
        end = start + timedelta(seconds=length)
        for machine in ("m", "n"):
            found = store.extremes("press", machine, ("a", "b"), start, end, cells)
            for signal, each in (found or {}).items():
                assert as_lists(each) == brute(store, machine, signal, start, end, each.grid)
                assert len(each) <= cells + 1
        store.close()


def test_a_sealed_week_is_exact_and_hardly_any_of_it_is_read(tmp_path: Path) -> None:
    store = Counting(tmp_path)
    every_second(store, 7)
    start, end = START - timedelta(seconds=1), START + timedelta(days=7) - timedelta(seconds=1)

    found = store.extremes("press", "m", ("speed",), start, end, 300)

    assert found is not None
    assert store.rows_read < 5_000
    assert found["speed"].high.max() == 900.0
    assert found["speed"].high_at[found["speed"].high.argmax()] == ZERO + 40_000 * SECOND
    assert found["speed"].count.sum() == 7 * 86_400
    assert as_lists(found["speed"]) == brute(store, "m", "speed", start, end, found["speed"].grid)
    store.close()


def test_extremes_come_from_wherever_the_files_are(tmp_path: Path, kept_files: Kept) -> None:
    store = kept_files.open(tmp_path)
    every_second(store, 2)
    start, end = START, START + timedelta(days=2)

    found = store.extremes("press", "m", ("speed",), start, end, 100)

    assert found is not None
    assert as_lists(found["speed"]) == brute(store, "m", "speed", start, end, found["speed"].grid)
    store.close()


def test_a_correction_of_an_extreme_counts_before_and_after_it_is_sealed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    every_second(store, 3)
    span = START, START + timedelta(days=3)
    store.append(readings("m", [40_000 * SECOND], speed=[51.0]), source="late", position="1")

    for _ in range(2):
        found = store.extremes("press", "m", ("speed",), *span, 200)
        assert found is not None
        assert found["speed"].high.max() < 60
        store.seal()
    store.close()


def test_slow_signals_have_no_envelope(tmp_path: Path) -> None:
    store = Store(tmp_path)
    times = np.arange(2_000) * 60 * SECOND
    store.append(readings("m", times, speed=np.arange(2_000.0)), source="s", position="1")
    store.seal()

    assert store.extremes("press", "m", ("speed",), START, START + timedelta(days=2), 50) is None
    store.close()


def test_cells_that_are_too_long_for_the_question_are_not_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    every_second(store, 1)

    assert store.extremes("press", "m", ("speed",), START, START + timedelta(hours=12), 1_000) is None
    store.close()


def envelopes_of(path: Path, store: Store) -> tuple[Places, int]:
    with store._lake.place.open(f"press/{path.name}") as file:
        metadata = metadata_of(file)
    places = places_in(metadata)
    assert places is not None
    return places, metadata.num_row_groups


def test_no_flipped_bit_of_an_envelope_is_ever_served(tmp_path: Path) -> None:
    store = Store(tmp_path)
    every_second(store, 1)
    (path,) = (tmp_path / "lake" / "press").glob("*.parquet")
    places, groups = envelopes_of(path, store)
    span = START, START + timedelta(days=1)
    bad = 0
    for group in range(groups):
        offset, length = places.extent(group, 0)
        for place in range(offset, offset + length, 97):
            body = bytearray(path.read_bytes())
            body[place] ^= 1 << (place % 8)
            path.write_bytes(body)
            with pytest.raises(DamagedError):
                store.extremes("press", "m", ("speed",), *span, 100)
            bad += len(store.find_damage()) if bad < 3 else 0
            body[place] ^= 1 << (place % 8)
            path.write_bytes(body)
    assert bad == 3
    assert store.find_damage() == []
    assert store.extremes("press", "m", ("speed",), *span, 100) is not None
    store.close()


def test_a_file_with_envelopes_is_parquet_to_everybody(tmp_path: Path) -> None:
    store = Store(tmp_path)
    every_second(store, 1)
    (path,) = (tmp_path / "lake" / "press").glob("*.parquet")

    table = pq.read_table(path)

    assert table.num_rows == 86_400
    shown = np.array(table["speed"].to_pylist(), float)  # decimals, as Parquet has them
    assert np.array_equal(shown, store.read("press").table["speed"].to_numpy())
    places, groups = envelopes_of(path, store)
    assert sum(places.extent(group, 0)[1] for group in range(groups)) < 0.05 * path.stat().st_size
    store.close()


@given(
    times=st.lists(st.integers(0, 8_000), min_size=1, max_size=60),
    seed=st.integers(0, 99),
    cut=st.integers(0, 60),
)
def test_cells_join_to_wider_ones_whatever_they_were_cut_into(times: list[int], seed: int, cut: int) -> None:
    at = np.array(times) * SECOND
    values = np.random.default_rng(seed).integers(0, 4, len(at)).astype(float)

    parts = [cells_of(at[:cut], values[:cut], GRIDS[0]), cells_of(at[cut:], values[cut:], GRIDS[1])]

    assert as_lists(wider(parts, GRIDS[3])) == as_lists(cells_of(at, values, GRIDS[3]))
