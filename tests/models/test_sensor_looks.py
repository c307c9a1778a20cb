"""Looks at signals together say what looks at each of them alone say, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sensors import looks
from models.sensors.block import HOUR, Block
from models.sensors.looks import LOOKS, Around
from models.sensors.medians import median, medians_of_five
from models.sensors.usual import Usual
from tests.models.slow_looks import SlowLooks

BEGIN = np.datetime64("2026-01-05T00:00", "us")
MINUTE = np.timedelta64(60_000_000, "us")


def readings(seed: int, signals: int) -> Block:
    """Make up three days of readings: some signals read at the same rows, some with gaps; runs, jumps and a pause."""
    random = np.random.default_rng(seed)
    row = np.arange(430)
    time = BEGIN + 10 * MINUTE * row + np.where(row > 300, 16, 0) * HOUR
    values = np.round(random.normal(0, 1, (signals, len(row))).cumsum(axis=1), 1)
    values += np.where(random.random(values.shape) < 0.02, 20.0, 0.0)
    values[0, 100:140] = 3.0
    values[signals // 2 :, random.random(len(row)) < 0.1] = np.nan
    values[-1, random.random(len(row)) < 0.3] = np.nan
    return Block(time, values)


def usual_of_all(signals: int) -> list[Usual]:
    return [Usual(12 if each % 3 else 9, 1.0 + each / 7, -8.0, 8.0, {3.0: 5}, {}) for each in range(signals)]


@pytest.mark.parametrize("code", LOOKS)
@pytest.mark.parametrize("signals", [1, 2, 7])
@pytest.mark.parametrize("cells", [1, 500_000])
def test_signals_that_are_looked_at_together_look_as_each_does_alone(
    code: str, signals: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_CELLS_AT_ONCE", cells)
    block, usual = readings(signals, signals), usual_of_all(signals)
    hours = BEGIN + HOUR * np.arange(-2, 95)
    around, seen = Around(block, usual, hours), []
    for together in around.alike():
        found = LOOKS[code](around, together)
        for signal, own in zip(together.tolist(), found, strict=True):
            seen.append(signal)
            assert own.tobytes() == getattr(SlowLooks(block, usual, hours, signal), code)().tobytes()
    assert sorted(seen) == list(range(signals))


def test_only_signals_that_are_read_at_the_same_rows_are_alike() -> None:
    block = readings(1, 7)
    around = Around(block, [None, *usual_of_all(7)[1:]], BEGIN + HOUR * np.arange(9))
    assert sorted(each.tolist() for each in around.alike()) == [[1, 2], [3], [4, 5], [6]]


def test_too_few_readings_look_like_nothing_that_is_known() -> None:
    block = Block(BEGIN + MINUTE * np.arange(4), np.ones((2, 4)))
    around = Around(block, usual_of_all(2), BEGIN + HOUR * np.arange(3))
    (first, *_) = around.alike()
    assert all(np.isnan(LOOKS[code](around, first)).all() for code in ("noise", "spikes"))


@given(st.lists(st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1.0, -1.0]), min_size=5, max_size=40))
def test_medians_are_those_of_numpy(values: list[float]) -> None:
    series = np.array(values)
    windows = np.lib.stride_tricks.sliding_window_view(series, 5)
    np.testing.assert_array_equal(medians_of_five(series), np.median(windows, axis=1))
    np.testing.assert_array_equal(median(series.copy()), np.median(series))


def test_a_median_of_something_that_is_not_known_is_not_known() -> None:
    assert np.isnan(median(np.array([1.0, np.nan, 2.0])))
