"""Signals every second, every minute, on change only and irregular with gaps, in one class (ING-07)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.extract import extract
from features.recipe import Recipe
from features.recipe_for import recipe_for
from features.stream import Stream
from features.table import FeatureTable
from ingest.plant import MachineClass, ModelEntry, Signal
from ingest.store import Store
from models.assess import reasons
from models.assessment import Reason
from tests.features.table_history import START, TableHistory, after, readings_frame
from tests.features.test_stream import Copy, content

MINUTE = timedelta(minutes=1)
SAMPLING = {"vibration": MINUTE / 60, "pressure": MINUTE, "valve": 15 * MINUTE, "level": MINUTE / 2}
MINUTES = 150.0
LATE = 8.0
SECONDS = np.arange(1, int(60 * MINUTES) + 1)
CHANGES = np.array([2, 17, 25, 41, 58, 83, 84, 85, 130], np.float64)
READ = np.cumsum(np.random.default_rng(4).uniform(10, 50, 1000)) / 60
READ = READ[(READ < MINUTES) & ~((READ > 40) & (READ < 75)) & ~((READ > 100) & (READ < 104))].round(4)
FEATURES = ["mean", "minimum", "maximum", "slope", "last", "median"]


def recipe_of(**fields: object) -> Recipe:
    tank = MachineClass(name="tank", signals=[Signal(name=name, every=every) for name, every in SAMPLING.items()])
    entry = {"name": "strange", "task": "anomaly", "class": "tank", "horizon": "1 h", "windows": ["10 min", "1 h"]}
    asked = ModelEntry.model_validate(entry | {"stride": "5 min", "features": FEATURES} | fields)
    return recipe_for(asked, tank, sampling=SAMPLING)


def frames() -> dict[str, pd.DataFrame]:
    """Return the readings of each signal; all but the valve are straight lines."""
    minutes = np.arange(1, MINUTES + 1)
    return {
        "vibration": readings_frame("m", SECONDS / 60, vibration=3 + SECONDS / 1000),
        "pressure": readings_frame("m", minutes, pressure=100 - minutes / 50),
        "valve": readings_frame("m", CHANGES, valve=np.arange(len(CHANGES)) % 2),
        "level": readings_frame("m", READ, level=2 * READ),
    }


def together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one row for each time."""
    return pd.concat(parts).groupby(["machine", "time"], as_index=False).first()


@pytest.fixture(scope="module")
def table() -> FeatureTable:
    history = TableHistory(together(list(frames().values())))
    return extract(recipe_of(), history, ["m"], START, after(minutes=MINUTES))


def ends_of(table: FeatureTable) -> NDArray[np.float64]:
    """Return the window ends in minutes."""
    return (table.time - np.datetime64(START.replace(tzinfo=None), "us")) / np.timedelta64(1, "m")


def column(table: FeatureTable, name: str) -> NDArray[np.float64]:
    return table.values[:, table.names.index(name)]


def counts(times: NDArray[np.float64], ends: NDArray[np.float64], length: float) -> NDArray[np.int64]:
    """Count times in (end − length, end]."""
    return ((times > ends[:, np.newaxis] - length) & (times <= ends[:, np.newaxis])).sum(axis=1)


def test_a_fast_and_a_slow_signal_have_the_features_of_their_own_readings(table: FeatureTable) -> None:
    ends = ends_of(table)
    full = ends >= 10

    of_line = {"mean": 60 * ends - 299.5, "median": 60 * ends - 299.5, "minimum": 60 * ends - 599, "last": 60 * ends}
    for name, seconds in of_line.items():
        found = column(table, f"vibration__{name}__10min")[full]
        np.testing.assert_allclose(found, (3 + seconds / 1000)[full], rtol=1e-12)
    np.testing.assert_allclose(column(table, "pressure__mean__10min")[full], (100 - (ends - 4.5) / 50)[full])
    np.testing.assert_allclose(column(table, "vibration__slope__10min")[full], 3.6)
    np.testing.assert_allclose(column(table, "pressure__slope__1h")[ends >= 60], -1.2)


def test_a_signal_that_comes_on_change_only_counts_its_changes_in_the_window_that_holds_enough(
    table: FeatureTable,
) -> None:
    ends = ends_of(table)
    count = counts(CHANGES, ends, 60)
    last = (np.searchsorted(CHANGES, ends, side="right") - 1) % 2

    expected = np.where(count >= 3, last, np.nan)
    np.testing.assert_array_equal(column(table, "valve__maximum__1h")[count >= 3], 1)
    np.testing.assert_array_equal(np.isnan(column(table, "valve__mean__1h")), count < 3)
    # Three changes within ten minutes, once.
    np.testing.assert_array_equal(ends[np.isfinite(column(table, "valve__last__10min"))], [85, 90])
    np.testing.assert_array_equal(column(table, "valve__last__10min")[ends == 85], expected[ends == 85])


def test_an_irregular_signal_is_right_between_its_gaps_and_says_nothing_in_them(table: FeatureTable) -> None:
    ends = ends_of(table)
    count = counts(READ, ends, 10)
    enough = count >= 0.3 * 20

    slope, last = column(table, "level__slope__10min"), column(table, "level__last__10min")
    assert 3 < np.count_nonzero(~enough) < len(ends) / 2
    np.testing.assert_array_equal(np.isnan(slope), ~enough)
    np.testing.assert_allclose(slope[enough], 120, rtol=1e-6)
    newest = READ[np.searchsorted(READ, ends[enough], side="right") - 1]
    np.testing.assert_allclose(last[enough], 2 * newest)
    assert np.isfinite(column(table, "vibration__mean__10min")).all()


def test_each_signal_has_its_own_filled_share_over_the_shortest_window_that_promises_enough(
    table: FeatureTable,
) -> None:
    ends = ends_of(table)
    assert table.signals == tuple(SAMPLING)
    assert table.filled_by_signal is not None

    full = ends >= 10
    assert (table.filled_by_signal[full, :2] == 1).all()
    by_count = [np.minimum(counts(CHANGES, ends, 60) / 4, 1), np.minimum(counts(READ, ends, 10) / 20, 1)]
    np.testing.assert_allclose(table.filled_by_signal[:, 2:].T, by_count, rtol=1e-6)
    assert (table.filled[full] == 1).all()


def test_minimum_fill_takes_the_features_of_thin_windows_and_no_others(table: FeatureTable) -> None:
    history = TableHistory(together(list(frames().values())))
    strict = extract(recipe_of(min_fill=0.8), history, ["m"], START, after(minutes=MINUTES))
    ends = ends_of(table)

    thin = counts(READ, ends, 10) < 0.8 * 20
    np.testing.assert_array_equal(np.isnan(column(strict, "level__mean__10min")), thin)
    kept = np.isfinite(strict.values)
    assert strict.values[kept].tobytes() == table.values[kept].tobytes()
    assert np.isfinite(table.values).sum() > kept.sum()
    assert strict.filled_by_signal is not None
    assert table.filled_by_signal is not None
    assert strict.filled_by_signal.tobytes() == table.filled_by_signal.tobytes()


def test_a_slow_signal_that_comes_late_silences_no_fast_one_and_has_its_say_when_it_comes(tmp_path: Path) -> None:
    recipe, store, copy = recipe_of(), Store(tmp_path), Copy()
    read = frames()
    pressure = read.pop("pressure")
    fast, late = together(list(read.values())), arrivals_of(pressure, LATE)
    stream = Stream(recipe, store, since=START, late_within=15 * MINUTE)
    silent = 0
    for end in np.arange(5, MINUTES + LATE + 5, 5):
        for frame, arrived in ((fast, fast["time"]), (pressure, late)):
            now = (arrived > after(minutes=end - 5)) & (arrived <= after(minutes=end))
            part = TableHistory(frame[now]).read("tank")
            if not now.any():
                continue
            store.append(part, source="test", position=f"{end} {frame is fast}")
            streamed = stream.take(part)
            copy.take(streamed)
            newest = streamed.table.where(ends_of(streamed.table) == end)
            if frame is fast and end >= 10 and len(newest):
                assert np.isfinite(column(newest, "vibration__mean__10min")).all()
                assert np.isnan(column(newest, "pressure__mean__10min")).all()
                assert reasons(newest, recipe.windows[0]).tolist() == [Reason.OK]
                assert newest.filled_by_signal is not None
                silent += int(newest.filled_by_signal[0, 1] < 0.5)
    assert silent > 20
    whole = extract(recipe, store, ["m"], START, after(minutes=MINUTES))
    assert copy.rows == content(whole)
    assert np.isfinite(column(whole, "pressure__mean__10min")).all()
    store.close()


def arrivals_of(frame: pd.DataFrame, minutes: float) -> "pd.Series[pd.Timestamp]":
    """Return when readings arrive that come so late."""
    return frame["time"] + pd.Timedelta(minutes=minutes)


def test_a_reading_stands_for_as_long_as_the_signal_declares() -> None:
    signal = Signal(name="valve", every=MINUTE, limits=(-np.inf, 0.5), max_age=30 * MINUTE)
    tank = MachineClass(name="tank", signals=[signal])
    entry = ModelEntry.model_validate(
        {"name": "strange", "task": "anomaly", "class": "tank", "horizon": "1 h", "windows": ["1 h"], "min_fill": 0}
        | {"features": ["share_above_limit"], "stride": "1 h"}
    )
    declared = recipe_for(entry, tank, sampling={"valve": MINUTE})
    plain = replace(declared, max_ages=())
    # Above its limit from minute 20 on: for 30 of the 10 + 30 minutes that its readings stand for, or 5 of 20.
    history = TableHistory(readings_frame("m", [5.0, 10.0, 15.0, 20.0], valve=[0.0, 0.0, 0.0, 1.0]))

    shares = [extract(each, history, ["m"], START, after(hours=1)).values.item() for each in (declared, plain)]

    assert shares == pytest.approx([30 / 45, 5 / 20])
    assert Recipe.from_dict(declared.to_dict()) == declared
    assert declared.hash != plain.hash
