"""The course of a signal through a window, held against sums written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.tenths import TENTHS, tenth, tenth_deviation


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=45), st.integers(0, 3))
def test_each_tenth_is_what_its_samples_say(samples: list[float], padding: int) -> None:
    rows = np.array([samples + [np.nan] * padding])

    for number in range(1, TENTHS + 1):
        own = [each for place, each in enumerate(samples) if TENTHS * place // len(samples) == number - 1]
        mean, deviation = tenth(number)(rows)[0], tenth_deviation(number)(rows)[0]
        if own:
            np.testing.assert_allclose(mean, np.mean(own), rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(deviation, np.std(own), rtol=1e-6, atol=1e-6)
        else:
            assert np.isnan(mean)
            assert np.isnan(deviation)


def test_the_tenths_of_a_full_window_have_its_mean() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 60))

    parts = np.stack([tenth(number)(rows) for number in range(1, TENTHS + 1)])

    np.testing.assert_allclose(parts.mean(axis=0), rows.mean(axis=1))


def test_a_row_is_read_alone() -> None:
    rows = np.random.default_rng(1).normal(size=(3, 25))
    rows[1, 7:] = np.nan

    for number in range(1, TENTHS + 1):
        alone = [tenth(number)(rows[[place]])[0] for place in range(3)]
        np.testing.assert_array_equal(tenth(number)(rows), alone)
