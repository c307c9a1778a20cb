"""Panes that are remembered give the windows that were there without, to the bit, and little is read anew."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.extract import extract
from features.recipe import Recipe
from features.remembered_panes import PANES_TOGETHER
from ingest.event import Event
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from tests.features.table_history import TableHistory, after, readings_frame

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RECIPE = Recipe(
    machine_class="pump",
    signals=("pressure", "flow"),
    windows=(HOUR, 30 * HOUR),
    stride=30 * MINUTE,
    features=("mean", "minimum", "last", "slope", "standard_deviation", "median"),
    every=(5 * MINUTE, 5 * MINUTE),
)


class Forgetful(TableHistory):
    """A history that remembers nothing."""

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        return list(work(range(len(keys))))


def _history(kind: type[TableHistory] = TableHistory, *, failure: float = 40.0) -> TableHistory:
    frames = []
    for number, name in enumerate(("a", "b", "c")):
        random = np.random.default_rng(number)
        minutes = np.sort(random.choice(np.arange(0, 100 * 60), 1100, replace=False)).astype(float)
        flow = np.where(random.random(len(minutes)) < 0.3, np.nan, random.normal(5, 1, len(minutes)))
        frames.append(readings_frame(name, minutes, pressure=random.normal(1e6, 1, len(minutes)), flow=flow))
    frames[2] = frames[2][len(frames[2]) // 3 :]
    events = [Event(machine="b", kind="failure", time=after(hours=failure), end=after(hours=failure + 0.7))]
    return kind(pd.concat(frames), events)


@pytest.mark.parametrize("windows", [1, 5, PANES_TOGETHER])
def test_newest_windows_are_those_of_the_whole_history_to_the_bit(windows: int) -> None:
    history = _history()
    whole = extract(RECIPE, _history(Forgetful), ["a", "b", "c"], after(hours=0), after(hours=100))
    for hour in np.arange(31, 99, windows / 2):
        end = after(hours=float(hour))
        newest = extract(RECIPE, history, ["a", "b", "c"], end - windows * 30 * MINUTE, end)
        same = np.isin(whole.time, newest.time)
        assert newest.values.tobytes() == whole.values[same].tobytes()
        assert newest.filled.tobytes() == whole.filled[same].tobytes()


def test_a_window_after_the_other_reads_the_newest_panes_only() -> None:
    history = _history()
    recipe = replace(RECIPE, features=("mean",))
    extract(recipe, history, ["a", "b", "c"], after(hours=89.5), after(hours=90))
    history.most_rows_read = 0
    extract(recipe, history, ["a", "b", "c"], after(hours=90), after(hours=90.5))
    rows = 3 * 1100 * PANES_TOGETHER * 0.5 / 100
    assert 0 < history.most_rows_read < 1.5 * rows


def test_a_failure_that_is_told_of_later_begins_a_new_life_all_the_same() -> None:
    history = _history()
    extract(RECIPE, history, ["b"], after(hours=60), after(hours=60.5))
    later = _history(Forgetful, failure=55.2)
    history.known_events = later.known_events

    found = extract(RECIPE, history, ["b"], after(hours=60), after(hours=60.5))

    assert found.values.tobytes() == extract(RECIPE, later, ["b"], after(hours=60), after(hours=60.5)).values.tobytes()


def test_a_reading_that_comes_late_changes_the_panes_that_it_lies_in(tmp_path: Path) -> None:
    recipe = replace(RECIPE, signals=("pressure",), every=RECIPE.every[:1])
    store = Store(tmp_path)

    def add(hours: Sequence[float], value: float) -> None:
        times = pa.array([after(hours=each) for each in hours], pa.timestamp("us", tz="UTC"))
        columns = [pa.array(["a"] * len(hours)), times, times, pa.array([value] * len(hours))]
        store.append(
            Readings("pump", pa.table(columns, schema=readings_schema(("pressure",)))), source="s", position=""
        )

    add(np.arange(0, 60, 0.25).tolist(), 1.0)
    store.seal()
    before = extract(recipe, store, ["a"], after(hours=59), after(hours=59.5))
    add([40.1], 9.0)
    found = extract(recipe, store, ["a"], after(hours=59), after(hours=59.5))
    place = found.names.index("pressure__mean__30h")
    store.close()

    assert before.values[0, place] == 1.0
    assert found.values[0, place] > 1.0
