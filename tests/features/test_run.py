"""Which samples are a snapshot."""

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from features.run import runs

RATE = 25_600.0
SECOND = 1_000_000


def _times(start: int, samples: int, rate: float = RATE) -> NDArray[np.int64]:
    """Return stamps rounded to microseconds, as a file has them."""
    return start + np.rint(np.arange(samples) * 1e6 / rate).astype(np.int64)


@pytest.mark.parametrize("rate", [25_600.0, 50_000.0, 48_000.0, 250_000.0, 1000.0, 100.0])
def test_rounded_stamps_are_one_run(rate: float) -> None:
    for start in (0, 1, 1_769_904_000_000_123):
        assert list(runs(_times(start, 5_000, rate), rate)) == [(0, 5_000)]


def test_a_sample_that_is_missing_parts_two_runs() -> None:
    times = np.delete(_times(0, 2_000), 1_000)

    assert list(runs(times, RATE)) == [(0, 1_000), (1_000, 1_999)]


def test_what_is_too_short_too_long_or_of_another_rate_is_no_snapshot() -> None:
    hour = 3600 * SECOND
    parts = [
        _times(0, 255),
        _times(hour, 256),
        _times(2 * hour, 1_000, 2 * RATE),
        _times(3 * hour, 1_000, RATE * 1.02),
        _times(4 * hour, 1_000, RATE * 1.005),
    ]
    times = np.concatenate(parts)

    assert list(runs(times, RATE)) == [(255, 511), (2_511, 3_511)]
    assert list(runs(_times(0, 61_000, 1000.0), 1000.0)) == []
    assert list(runs(times[:0], RATE)) == []


def test_a_waveform_that_never_pauses_is_cut_into_whole_pieces_wherever_it_begins() -> None:
    times = _times(300_000, 100_000)

    found = list(runs(times, RATE, timedelta(seconds=1)))

    assert [stop - first for first, stop in found] == [25_600, 25_600, 25_600]
    assert [int(times[first]) // SECOND for first, _ in found] == [1, 2, 3]
    later = list(runs(times[20_000:], RATE, timedelta(seconds=1)))
    assert [(first + 20_000, stop + 20_000) for first, stop in later] == found[1:] or later[0][0] == 0
