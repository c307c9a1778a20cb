"""Lines, bands, velocity, peaks and orders of signals whose answer is known in closed form."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import welch

from features.moments import Floats
from features.order import Speed, order_spectrum
from features.spectrum import (
    Fourier,
    band_rms,
    centroid,
    line_rms,
    octave_bands,
    peaks,
    spectrum,
    spread,
    velocity_rms,
    without_tones,
)

RATE = 25_600.0
SECONDS = np.arange(25_600) / RATE


def _sine(frequency: float, amplitude: float = 1.0, phase: float = 0.3) -> Floats:
    return amplitude * np.sin(2 * np.pi * frequency * SECONDS + phase)


@pytest.mark.parametrize("n", [1000, 1001])
def test_lines_are_those_of_one_segment_of_welch(n: int) -> None:
    values = np.random.default_rng(1).normal(3, 2, size=n)

    found = spectrum(Fourier.of(values, 500.0))

    frequency, density = welch(values, 500.0, "hann", n, detrend="constant", scaling="density")
    np.testing.assert_allclose(found.frequency, frequency, rtol=1e-12)
    np.testing.assert_allclose(found.power, density * found.step, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("frequency", [160.0, 80.5, 333.25])
def test_a_sine_has_its_velocity_whatever_its_frequency(frequency: float) -> None:
    acceleration = _sine(frequency, amplitude=9.0)

    found = velocity_rms(spectrum(Fourier.of(acceleration, RATE)), 1)

    assert found == pytest.approx(9.0 / np.sqrt(2) / (2 * np.pi * frequency), rel=1e-6)


def test_a_velocity_and_a_displacement_have_it_too() -> None:
    found = spectrum(Fourier.of(_sine(50, amplitude=2.0), RATE))

    assert velocity_rms(found, 0) == pytest.approx(np.sqrt(2), rel=1e-9)
    assert velocity_rms(found, -1) == pytest.approx(np.sqrt(2) * 2 * np.pi * 50, rel=1e-9)


def test_velocity_leaves_out_what_is_below_10_and_above_1000_hertz() -> None:
    inside = _sine(20, 0.1) + _sine(100)
    outside = _sine(3, 5.0) + _sine(1010, 50.0)

    both, alone = (velocity_rms(spectrum(Fourier.of(each, RATE)), 1) for each in (inside + outside, inside))

    expected = np.hypot(0.1 / (2 * np.pi * 20), 1 / (2 * np.pi * 100)) / np.sqrt(2)
    assert alone == pytest.approx(expected, rel=1e-4)
    assert both == pytest.approx(alone, rel=1e-9)


def test_a_snapshot_of_less_than_two_periods_of_10_hertz_says_no_velocity() -> None:
    assert np.isnan(velocity_rms(spectrum(Fourier.of(SECONDS[:5_000], RATE)), 1))
    assert np.isfinite(velocity_rms(spectrum(Fourier.of(SECONDS[:5_120], RATE)), 1))


def test_octaves_are_next_to_each_other_and_hold_what_lies_in_them() -> None:
    bands = octave_bands(RATE / 2)
    found = spectrum(Fourier.of(_sine(1000, 3.0) + _sine(63, 4.0), RATE))

    levels = {name: band_rms(found, *band) for name, band in bands.items()}

    assert list(bands) == ["31.5Hz", "63Hz", "125Hz", "250Hz", "500Hz", "1000Hz", "2000Hz", "4000Hz", "8000Hz"]
    edges = list(bands.values())
    assert all(lower[1] == pytest.approx(upper[0]) for lower, upper in pairwise(edges))
    assert levels["1000Hz"] == pytest.approx(3 / np.sqrt(2))
    assert levels["63Hz"] == pytest.approx(4 / np.sqrt(2))
    assert sum(level > 1e-6 for level in levels.values()) == 2


def test_bands_share_no_line_and_lose_none() -> None:
    found = spectrum(Fourier.of(np.random.default_rng(2).normal(size=2000), 1000.0))
    cuts = [0.0, 0.5, 100.0, 333.3, 500.5]

    squares = [band_rms(found, low, high) ** 2 for low, high in pairwise(cuts)]

    assert sum(squares) == pytest.approx(found.power.sum(), rel=1e-12)


def test_two_sines_have_the_centroid_and_spread_of_their_powers() -> None:
    found = spectrum(Fourier.of(_sine(100, 1.0) + _sine(400, np.sqrt(2)), RATE))

    assert centroid(found) == pytest.approx(300, abs=1e-6)
    assert spread(found) == pytest.approx(np.sqrt(100**2 * 2), rel=1e-4)


def test_silence_has_neither() -> None:
    found = spectrum(Fourier.of(np.full(1000, 7.7), 1000.0))

    assert found.power.max() == 0
    assert np.isnan(centroid(found))
    assert np.isnan(spread(found))


@given(frequency=st.floats(50, 5_000), amplitude=st.floats(1e-3, 1e3))
def test_the_strongest_peak_is_found_between_lines(frequency: float, amplitude: float) -> None:
    ((at, height), *_) = peaks(spectrum(Fourier.of(_sine(frequency, amplitude) + 5, RATE)), 1)

    assert at == pytest.approx(frequency, abs=0.01)
    assert height == pytest.approx(amplitude, rel=0.01)


def test_peaks_come_strongest_first() -> None:
    found = peaks(spectrum(Fourier.of(_sine(700, 2.0) + _sine(90, 5.0) + _sine(3000, 1.0), RATE)), 3)

    assert [round(frequency) for frequency, _ in found] == [90, 700, 3000]
    np.testing.assert_allclose([height for _, height in found], [5, 2, 1], rtol=1e-3)


def test_a_harmonic_is_found_near_where_it_should_be_and_not_beyond_the_spectrum() -> None:
    found = spectrum(Fourier.of(_sine(50.4, 3.0), RATE))

    assert line_rms(found, 50, within=1) == pytest.approx(3 / np.sqrt(2), rel=1e-3)
    assert line_rms(found, 70, within=1) < 1e-3
    assert np.isnan(line_rms(found, 12_799, within=1))


@pytest.mark.parametrize("change", [0.0, 0.3])
def test_orders_are_sharp_while_the_speed_changes(change: float) -> None:
    speed = Speed(np.array([-1.0, 0.0, 1.0]), 30 * np.array([1 - change, 1, 1 + change]))
    angle = 30 * (SECONDS + change * SECONDS**2 / 2)
    values = 2 * np.sin(2 * np.pi * angle) + np.sin(2 * np.pi * 3 * angle + 1)

    orders = order_spectrum(values, RATE, speed)

    assert orders is not None
    assert line_rms(orders, 1, within=0.01) == pytest.approx(2 / np.sqrt(2), rel=5e-3)
    assert line_rms(orders, 3, within=0.03) == pytest.approx(1 / np.sqrt(2), rel=5e-3)
    if change:
        assert line_rms(spectrum(Fourier.of(values, RATE)), 30 * 1.15 * 3, within=2) < 0.75 / np.sqrt(2)


def test_the_angle_is_the_integral_of_the_speed() -> None:
    speed = Speed(np.array([0.25, 0.75]), np.array([10.0, 20.0]))

    assert speed.mean(1.0) == pytest.approx(0.25 * 10 + 0.5 * 15 + 0.25 * 20)
    np.testing.assert_allclose(speed.angle(np.array([0.0, 0.25, 0.5, 1.0])), [0, 2.5, 2.5 + 3.125, 15], rtol=1e-12)


def test_a_shaft_that_stands_or_hardly_turns_has_no_orders() -> None:
    assert order_spectrum(_sine(50), RATE, Speed(np.zeros(1), np.array([0.0]))) is None
    assert order_spectrum(_sine(50), RATE, Speed(np.zeros(1), np.array([3.9]))) is None


def test_without_tones_a_hum_is_gone_and_noise_is_as_it_was() -> None:
    noise = np.random.default_rng(3).normal(size=len(SECONDS))

    quiet = without_tones(Fourier.of(noise, RATE))
    hummed = without_tones(Fourier.of(noise + _sine(500.4, 10.0), RATE))

    changed = np.abs(quiet.lines - Fourier.of(noise, RATE).lines) > 1e-9
    assert changed.mean() < 0.002
    assert band_rms(spectrum(hummed), 0, RATE) == pytest.approx(band_rms(spectrum(quiet), 0, RATE), rel=0.1)


def test_a_shaft_that_nearly_stands_for_a_moment_has_no_orders_and_takes_no_memory_for_it() -> None:
    ramp = np.array([0.0, 1.0])
    tracemalloc.start()

    started = order_spectrum(_sine(50), RATE, Speed(ramp, np.array([0.5, 50.0])))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert started is None
    assert most < 10_000_000
    assert order_spectrum(_sine(50), RATE, Speed(ramp, np.array([5.0, 50.0]))) is not None
