"""Fast features against the definitions, transcribed window by window, on irregular data with gaps."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.extract import extract
from features.kernels.names import SPECTRUM
from features.recipe import Recipe
from ingest.event import Event
from tests.features.slow_reference import SLOW, Sample
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BASELINE = 2 * HOUR
RECIPE = Recipe(
    machine_class="press",
    signals=("pressure", "oil__temperature"),
    windows=(10 * MINUTE, HOUR, 7 * HOUR),
    stride=5 * MINUTE,
    features=tuple(feature.name for feature in FEATURES if feature.kind not in ("clock", "count")),
    baseline=BASELINE,
    every=(MINUTE, 2 * MINUTE),
)
FAILURES = {"a": [after(hours=5.21)], "b": []}


def _irregular(seed: int) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(seed)
    minutes = np.unique(np.round(64 * np.cumsum(random.exponential(1.0, 700)))) / 64  # whole microseconds
    minutes = minutes[(minutes < 300) | (minutes > 420)]
    walk = 1000 + np.cumsum(random.normal(size=len(minutes)))
    # Eighths are exact in binary, so that a sample on the mean is exactly on it.
    steps = np.round(8 * random.normal(size=len(minutes))) / 8
    walk[random.random(len(minutes)) < 0.1] = np.nan
    steps[random.random(len(minutes)) < 0.5] = np.nan
    return {"minutes": minutes, "pressure": walk, "oil__temperature": steps}


DATA = {"a": _irregular(1), "b": _irregular(2)}


@pytest.fixture(scope="module")
def history() -> TableHistory:
    events = [Event(machine=name, kind="failure", time=time) for name, times in FAILURES.items() for time in times]
    return TableHistory(pd.concat([readings_frame(name, **data) for name, data in DATA.items()]), events)


def _window(machine: str, signal: str, begin: datetime, end: datetime, *, whole: bool = False) -> list[Sample]:
    """Return the samples in (begin, end], as hours before its end; from the last failure on unless ``whole``."""
    begin = max([begin, *(time for time in FAILURES[machine] if time <= end and not whole)])
    first, newest = (begin - START) / MINUTE, (end - START) / MINUTE
    data = DATA[machine]
    inside = (data["minutes"] > first) & (data["minutes"] <= newest) & ~np.isnan(data[signal])
    return list(zip(((data["minutes"] - newest) / 60)[inside].tolist(), data[signal][inside].tolist(), strict=True))


def _enough(window: list[Sample], length: timedelta, signal: str) -> bool:
    every = RECIPE.every[RECIPE.signals.index(signal)]
    return len(window) >= max(3, 0.3 * (length / every))


def _slow(name: str, machine: str, end: datetime) -> float:
    column = RECIPE.column(name)
    length = column.window or timedelta(0)
    window = _window(machine, column.signal, end - length, end)
    if not _enough(window, length, column.signal):
        return math.nan
    if column.feature in SPECTRUM:
        return math.nan  # the data is irregular
    if column.feature in SLOW:
        return SLOW[column.feature](window)
    if column.against:
        length, other = column.against, _window(machine, column.signal, end - column.against, end)
    else:
        known = START + timedelta(minutes=float(DATA[machine]["minutes"][0])) + BASELINE
        if end < known:
            return math.nan
        length, other = BASELINE, _window(machine, column.signal, START - HOUR, known, whole=True)
    if not _enough(other, length, column.signal):
        return math.nan
    if column.feature == "spread_ratio":
        return SLOW["standard_deviation"](window) / SLOW["standard_deviation"](other)
    return SLOW["mean"](window) - SLOW["mean"](other)


def test_features_equal_their_definitions_on_irregular_data_with_gaps_and_a_failure(history: TableHistory) -> None:
    table = extract(RECIPE, history, ["b", "a"], START, after(hours=11))

    chosen = np.random.default_rng(3).choice(len(table), 30, replace=False)
    ends = [time.replace(tzinfo=UTC) for time in table.time[chosen].tolist()]
    machines = table.machine[chosen].tolist()
    slow = [[_slow(name, machine, end) for name in table.names] for machine, end in zip(machines, ends, strict=True)]
    assert np.count_nonzero(~np.isnan(slow)) > 1000
    np.testing.assert_allclose(table.values[chosen], slow, rtol=1e-9, atol=1e-9)


def test_the_order_in_which_rows_arrive_changes_nothing(history: TableHistory) -> None:
    shuffled = TableHistory(history.readings)
    shuffled.known_events = history.known_events
    shuffled.readings = history.readings.sample(frac=1, random_state=4)

    table, again = (extract(RECIPE, each, ["a", "b"], START, after(hours=11)) for each in (history, shuffled))

    assert again.values.tobytes() == table.values.tobytes()
