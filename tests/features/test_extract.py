"""Which rows a table has, what a failure and silence do to them, and how much is read."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.extract import extract
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.event import Event
from ingest.reading import Readings
from ingest.store import Store
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RECIPE = Recipe(
    machine_class="pump",
    signals=("pressure", "flow"),
    windows=(HOUR, 4 * HOUR),
    stride=30 * MINUTE,
    features=("mean", "minimum", "last", "median"),
    every=(5 * MINUTE, 5 * MINUTE),
)


def _readings(machine: str, begin: int, end: int, every: int = 5) -> pd.DataFrame:
    """Return readings whose pressure is the minute at which they were taken."""
    minutes = np.arange(begin, end + 1, every)
    return readings_frame(machine, minutes, pressure=minutes.astype(float), flow=-minutes.astype(float))


def _column(table: FeatureTable, name: str) -> NDArray[np.float64]:
    return table.values[:, table.names.index(name)]


def _minutes(table: FeatureTable) -> list[float]:
    return ((table.time - np.datetime64(START.replace(tzinfo=None))) / np.timedelta64(1, "m")).tolist()


def test_rows_stand_on_the_grid_of_the_stride_in_the_half_open_span() -> None:
    history = TableHistory(_readings("m", 0, 600))

    table = extract(RECIPE, history, ["m"], after(minutes=60), after(minutes=179))

    assert _minutes(table) == [90, 120, 150]
    assert list(table.machine) == ["m"] * 3
    assert table.time.dtype == np.dtype("datetime64[us]")
    assert table.names == RECIPE.names


def test_a_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    table = extract(RECIPE, TableHistory(_readings("m", 0, 600)), ["m"], after(minutes=299), after(minutes=300))

    assert _column(table, "pressure__minimum__1h").item() == 245
    assert _column(table, "pressure__last__1h").item() == 300


def test_a_stride_that_does_not_divide_the_windows_is_followed() -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure",),
        windows=(HOUR,),
        stride=25 * MINUTE,
        features=("minimum", "last"),
        every=(MINUTE,),
    )
    table = extract(recipe, TableHistory(_readings("m", 0, 600, every=1)), ["m"], after(hours=2), after(hours=5))

    ends = np.array(_minutes(table))
    assert set(np.diff(ends)) == {25.0}
    assert _column(table, "pressure__minimum__1h").tolist() == (ends - 59).tolist()
    assert _column(table, "pressure__last__1h").tolist() == ends.tolist()


def test_rows_begin_with_the_first_reading_and_are_sorted_by_machine_and_time() -> None:
    history = TableHistory(pd.concat([_readings("b", 0, 600), _readings("a", 95, 600)]))

    table = extract(RECIPE, history, ["b", "a", "b", "unknown"], START, after(minutes=180))

    assert list(table.machine) == ["a"] * 3 + ["b"] * 6
    assert _minutes(table) == [120, 150, 180, 30, 60, 90, 120, 150, 180]


def test_a_silent_machine_has_rows_that_say_so_until_its_longest_window_is_empty() -> None:
    table = extract(RECIPE, TableHistory(_readings("m", 0, 120)), ["m"], after(hours=2), after(hours=8))

    assert table.filled.round(3).tolist() == [0.5] + [0.0] * 6
    assert np.isnan(table.values[-1]).all()
    assert _column(table, "pressure__mean__4h")[0] == pytest.approx(60)


def test_a_window_with_too_few_samples_says_nothing() -> None:
    history = TableHistory(_readings("m", 0, 600))

    table = extract(RECIPE, history, ["m"], START, after(minutes=120))

    assert table.filled.round(3).tolist() == [round(7 / 12, 3), 1, 1, 1]
    assert np.isnan(_column(table, "pressure__mean__4h")).tolist() == [True, True, False, False]
    assert np.isfinite(_column(table, "pressure__mean__1h")).all()


def test_two_samples_are_too_few_even_when_nothing_more_is_expected() -> None:
    recipe = Recipe(machine_class="pump", signals=("pressure",), windows=(HOUR,), stride=HOUR, features=("mean",))

    table = extract(recipe, TableHistory(_readings("m", 10, 200, every=30)), ["m"], START, after(hours=3))
    often = extract(recipe, TableHistory(_readings("m", 10, 200, every=20)), ["m"], START, after(hours=3))

    assert np.isnan(table.values).all()
    assert table.filled.round(3).tolist() == [0.667] * 3
    assert np.isfinite(often.values).all()


def test_windows_do_not_reach_back_over_a_failure() -> None:
    failure = Event(machine="m", kind="failure", time=after(minutes=272))
    history = TableHistory(_readings("m", 0, 600), [failure])

    table = extract(RECIPE, history, ["m"], after(minutes=240), after(minutes=390))

    assert _minutes(table) == [270, 300, 330, 360, 390]
    assert _column(table, "pressure__minimum__1h").tolist() == [215, 275, 275, 305, 335]
    np.testing.assert_equal(_column(table, "pressure__minimum__4h"), [35, np.nan, np.nan, 275, 275])
    np.testing.assert_equal(_column(table, "pressure__median__4h"), [152.5, np.nan, np.nan, 317.5, 332.5])


def test_at_the_moment_of_a_failure_the_new_life_has_no_reading_and_no_row_yet() -> None:
    failure = Event(machine="m", kind="failure", time=after(minutes=300))

    table = extract(
        RECIPE, TableHistory(_readings("m", 0, 600), [failure]), ["m"], after(minutes=240), after(minutes=330)
    )

    assert table.filled.round(3).tolist() == [1, 0.5]


def test_a_failure_that_lasts_begins_the_new_life_at_its_end() -> None:
    failure = Event(machine="m", kind="failure", time=after(minutes=200), end=after(minutes=325))

    table = extract(
        RECIPE, TableHistory(_readings("m", 0, 600), [failure]), ["m"], after(minutes=240), after(minutes=390)
    )

    np.testing.assert_equal(_column(table, "pressure__minimum__1h"), [215, 245, np.nan, 330, 335])


def test_the_failure_of_one_machine_leaves_others_alone() -> None:
    readings = pd.concat([_readings("a", 0, 600), _readings("b", 0, 600)])
    failure = Event(machine="a", kind="failure", time=after(minutes=400))

    table = extract(RECIPE, TableHistory(readings, [failure]), ["a", "b"], START, after(hours=10))
    calm = extract(RECIPE, TableHistory(readings), ["a", "b"], START, after(hours=10))

    of_b = table.machine == "b"
    assert table.values[of_b].tobytes() == calm.values[of_b].tobytes()


def test_a_signal_that_was_never_read_is_nan_and_disturbs_nothing() -> None:
    readings = _readings("m", 0, 600).drop(columns="flow")

    table = extract(RECIPE, TableHistory(readings), ["m"], START, after(hours=10))

    assert np.isnan(_column(table, "flow__mean__1h")).all()
    assert np.isfinite(_column(table, "pressure__mean__1h")).all()


def test_a_silent_signal_beside_a_spoken_one_hides_no_row_however_long_the_window() -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure", "flow"),
        windows=(5 * MINUTE, 9000 * MINUTE),
        stride=MINUTE,
        features=("mean",),
        every=(MINUTE, MINUTE),
    )
    readings = _readings("m", 0, 30, every=1).drop(columns="flow")

    table = extract(recipe, TableHistory(readings), ["m"], after(minutes=10), after(minutes=30))

    assert table.filled.tolist() == [1.0] * 20


def test_times_before_1970_work() -> None:
    readings = _readings("m", 0, 600)
    readings["time"] -= pd.Timedelta(days=365 * 80)
    start = START - timedelta(days=365 * 80)

    table = extract(RECIPE, TableHistory(readings), ["m"], start, start + 2 * HOUR)

    assert table.time[0] == np.datetime64(start.replace(tzinfo=None), "us") + np.timedelta64(30, "m")
    assert _column(table, "pressure__last__1h").tolist() == [30, 60, 90, 120]


@pytest.mark.parametrize("machines", [[], ["unknown"]])
def test_no_machine_gives_an_empty_table_with_all_columns(machines: list[str]) -> None:
    table = extract(RECIPE, TableHistory(_readings("m", 0, 600)), machines, START, after(hours=10))

    assert len(table) == 0
    assert table.values.shape == (0, len(RECIPE.names))
    assert table.time.dtype == np.dtype("datetime64[us]")


def test_an_empty_span_gives_an_empty_table() -> None:
    assert len(extract(RECIPE, TableHistory(_readings("m", 0, 600)), ["m"], after(hours=1), after(hours=1))) == 0


def test_no_more_is_held_at_once_than_was_asked_for() -> None:
    history = TableHistory(pd.concat([_readings(f"m{each}", 0, 3000) for each in range(6)]))

    extract(RECIPE, history, [f"m{each}" for each in range(6)], START, after(hours=50), cells=400)

    assert history.most_rows_read <= 200


def test_samples_that_are_looked_at_one_by_one_are_not_all_held_at_once() -> None:
    minutes = np.arange(100_000)
    signals = {name: np.sin(minutes / 7) for name in ("a", "b", "c", "d")}
    recipe = Recipe(
        machine_class="pump",
        signals=tuple(signals),
        windows=(HOUR,),
        stride=HOUR,
        features=("median", "mean_crossing_rate"),
        every=(MINUTE,) * 4,
    )
    history = TableHistory(readings_frame("m", minutes, **signals))

    tracemalloc.start()
    table = extract(recipe, history, ["m"], START, after(minutes=len(minutes)), cells=20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert np.isfinite(table.values).all()
    assert peak < 4 * len(minutes) * 8


def test_the_one_reading_that_a_slow_signal_promises_does_not_fill_a_short_window() -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure", "flow"),
        windows=(HOUR, 4 * HOUR),
        stride=HOUR,
        features=("mean",),
        every=(5 * MINUTE, HOUR),
    )
    readings = readings_frame("m", np.arange(60, 601, 60), pressure=np.full(10, np.nan), flow=np.ones(10))

    table = extract(recipe, TableHistory(readings), ["m"], after(hours=4), after(hours=6))

    assert table.filled.round(3).tolist() == [0.333] * 2


def test_own_normal_is_known_once_its_time_is_over() -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure",),
        windows=(HOUR,),
        stride=HOUR,
        features=("mean", "mean_shift", "spread_ratio"),
        baseline=3 * HOUR,
        every=(5 * MINUTE,),
    )
    readings = pd.concat([_readings("a", 0, 600), _readings("b", 120, 600), _readings("c", 0, 100)])

    table = extract(recipe, TableHistory(readings), ["a", "b", "c"], START, after(hours=6))

    shift = _column(table, "pressure__mean_shift__1h")
    np.testing.assert_allclose(shift[:6], [np.nan, np.nan, 62.5, 122.5, 182.5, 242.5])
    np.testing.assert_allclose(shift[6:11], [np.nan, np.nan, np.nan, 62.5, 122.5])
    ratio = np.arange(12).std() / np.arange(37).std()
    np.testing.assert_allclose(_column(table, "pressure__spread_ratio__1h")[2:6], ratio)
    assert np.isnan(shift[11:]).all()


def test_own_normal_is_read_once_and_again_when_its_readings_change(tmp_path: Path) -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure",),
        windows=(HOUR,),
        stride=HOUR,
        features=("mean", "mean_shift", "spread_ratio"),
        baseline=3 * HOUR,
        every=(5 * MINUTE,),
    )
    store, apart = (_Store(tmp_path / name) for name in ("kept", "apart"))

    def both(minutes: NDArray[np.int64], value: float) -> None:
        frame = pd.concat([readings_frame(name, minutes, pressure=np.sin(minutes) + value) for name in ("a", "b")])
        for each in (store, apart):
            each.append(TableHistory(frame).read("pump"), source="s", position="")

    def rows(begin: int, end: int) -> tuple[bytes, bytes]:
        """Return the same rows from the store that remembers and, opened anew, from one that cannot."""
        span = after(hours=begin), after(hours=end)
        anew = _Store(apart.folder)
        found = [extract(recipe, each, ["a", "b"], *span).values for each in (store, anew)]
        anew.close()
        assert np.isfinite(found[0]).all()
        return found[0].tobytes(), found[1].tobytes()

    both(np.arange(0, 600, 5), 1.0)
    kept, fresh = rows(6, 8)
    assert kept == fresh
    assert store.spans_read == [(0, 3), (6, 8)]

    both(np.arange(600, 700, 5), 1.0)
    kept, fresh = rows(8, 9)
    assert kept == fresh
    assert store.spans_read == [(0, 3), (6, 8), (8, 9)]

    both(np.arange(61, 80, 5), 7.0)
    kept, fresh = rows(9, 10)
    assert kept == fresh
    assert store.spans_read == [(0, 3), (6, 8), (8, 9), (0, 3), (9, 10)]
    store.seal()
    assert rows(9, 10) == (kept, fresh)
    for each in (store, apart):
        each.close()


class _Store(Store):
    """Remembers which hours were read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spans_read: list[tuple[int, int]] = []

    def read(self, machine_class: str, **asked: Any) -> Readings:
        self.spans_read.append(tuple(round((asked[side] - START) / HOUR) for side in ("start", "end")))
        return super().read(machine_class, **asked)


def test_before_any_machine_is_old_enough_its_own_normal_is_nan() -> None:
    recipe = Recipe(
        machine_class="pump",
        signals=("pressure",),
        windows=(HOUR,),
        stride=HOUR,
        features=("mean", "mean_shift", "spread_ratio"),
        baseline=30 * 24 * HOUR,
        every=(5 * MINUTE,),
    )

    table = extract(recipe, TableHistory(_readings("m", 0, 600)), ["m"], START, after(hours=10))

    assert np.isfinite(_column(table, "pressure__mean__1h")).all()
    assert np.isnan(_column(table, "pressure__mean_shift__1h")).all()
    assert np.isnan(_column(table, "pressure__spread_ratio__1h")).all()


def test_extract_accepts_times_of_any_zone() -> None:
    assert datetime(2026, 1, 5, tzinfo=UTC) == START
    zone = after(hours=1).astimezone().tzinfo
    history = TableHistory(_readings("m", 0, 600))

    here = extract(RECIPE, history, ["m"], START.astimezone(zone), after(hours=5).astimezone(zone))

    assert here.values.tobytes() == extract(RECIPE, history, ["m"], START, after(hours=5)).values.tobytes()
