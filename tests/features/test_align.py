"""What several signals say at one moment: the newest reading of each that is not too old (ING-07)."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.align import aligned, max_age
from ingest.plant import Signal

MINUTE = timedelta(minutes=1)
NUMBER = st.none() | st.sampled_from([0.0, -0.0, 1.5, -2e9, float("inf")])


@st.composite
def readings(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Draw ascending times, and two signals of which some readings are missing, as one of the float types."""
    times = sorted(draw(st.sets(st.integers(-50, 50), max_size=12)))
    values = [[draw(NUMBER) for _ in times] for _ in range(2)]
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64, np.longdouble]))
    with np.errstate(over="ignore"):
        return np.array(times, np.int64), np.array(values, np.float64).reshape(2, len(times)).astype(dtype)


def walked(times: NDArray[np.int64], values: NDArray[Any], moments: list[int], ages: list[int]) -> list[list[float]]:
    """Look back from each moment, reading by reading."""
    found = []
    for own, age in zip(values, ages, strict=True):
        said = []
        for moment in moments:
            value = float("nan")
            for time, each in sorted(zip(times.tolist(), own.tolist(), strict=True), reverse=True):
                if time <= moment and each == each:
                    value = each if moment - time <= age else value
                    break
            said.append(value)
        found.append(said)
    return found


@given(
    read=readings(),
    moments=st.lists(st.integers(-60, 110), max_size=8),
    ages=st.lists(st.integers(-1, 60), min_size=2, max_size=2),
)
def test_it_is_what_a_look_back_from_each_moment_finds(
    read: tuple[NDArray[np.int64], NDArray[Any]], moments: list[int], ages: list[int]
) -> None:
    found = aligned(*read, np.array(moments, np.int64), ages)

    assert found.dtype == read[1].dtype
    np.testing.assert_array_equal(found, np.array(walked(*read, moments, ages)).reshape(2, -1).astype(found.dtype))


@given(read=readings(), cut=st.integers(-50, 50), ages=st.lists(st.integers(0, 60), min_size=2, max_size=2))
def test_readings_that_come_later_change_nothing(
    read: tuple[NDArray[np.int64], NDArray[Any]], cut: int, ages: list[int]
) -> None:
    times, values = read
    before = times <= cut

    known = aligned(times[before], values[:, before], np.arange(-60, cut + 1), ages)

    assert aligned(times, values, np.arange(-60, cut + 1), ages).tobytes() == known.tobytes()


@pytest.mark.parametrize(("declared", "expected"), [(None, 5 * MINUTE), (90 * MINUTE, 90 * MINUTE)])
def test_a_signal_holds_for_what_it_declares_or_for_five_of_its_own_intervals(
    declared: timedelta | None, expected: timedelta
) -> None:
    assert max_age(Signal(name="speed", max_age=declared), MINUTE) == expected
