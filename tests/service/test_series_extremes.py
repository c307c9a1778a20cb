"""Series of fast signals: no spike is lost over a long span, and where all can be shown nothing is."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ingest.envelope import SECOND
from ingest.reading import Readings
from ingest.store import Store
from service.series import signal_series
from tests.ingest.test_extremes import START, every_second, readings

BINS = 850


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_month_of_readings_a_second_keeps_its_spike_and_is_bounded(store: Store) -> None:
    every_second(store, 30)

    series = signal_series(store, "m", "press", ("speed",), (START, START + timedelta(days=30)), BINS)["speed"]

    assert series.value.max() == 900.0
    assert series.time[series.value.argmax()] == np.datetime64("2026-03-01T11:06:40")
    assert BINS < len(series) <= 2 * BINS
    assert (np.diff(series.time.astype(np.int64)) >= 0).all()
    store.close()


def test_where_all_readings_can_be_shown_none_is_left_out(store: Store) -> None:
    times = np.arange(1_500) * SECOND
    values = np.random.default_rng(1).normal(0, 1, 1_500)
    batch: Readings = readings("m", times, speed=values)
    store.append(batch, source="s", position="1")
    store.seal()
    span = START - timedelta(days=15), START + timedelta(days=15)
    assert store.extremes("press", "m", ("speed",), *span, BINS) is not None

    assert len(signal_series(store, "m", "press", ("speed",), span, BINS)["speed"]) == 1_500
    store.close()
