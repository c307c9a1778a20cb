"""Both paths of the kernels against a slow transcription, against each other, and cut in every way."""

import math
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.kernels import windows
from features.kernels.names import KERNELS, MOMENTS, ORDERED, SPECTRUM
from features.kernels.plain import FORMULAS
from features.kernels.windows import Engine, Even, Spans, window_features
from tests.features.slow_reference import SLOW, bins_of

Floats = NDArray[np.float64]
SECOND = 1_000_000
both = pytest.mark.parametrize(
    "engine",
    [
        "plain",
        pytest.param("compiled", marks=pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")),
    ],
)
shapes = st.tuples(st.integers(1, 70), st.integers(1, 40), st.integers(0, 200))
"""Length and stride of windows, and how many samples there are beyond the first window."""


def _series(seed: int, samples: int, level: float, spread: float, *, gaps: float = 0.0, ties: bool = False) -> Floats:
    random = np.random.default_rng(seed)
    noise = random.normal(size=(2, samples))
    values = level + spread * (np.round(4 * noise) / 4 if ties else noise)
    values[random.random(values.shape) < gaps] = np.nan
    return values


def _slow(name: str, own: Floats, hours: Floats, *, steady: bool) -> float:
    """Return a feature of one window by its definition; ``hours`` as ``own``, after the end of the window."""
    known = ~np.isnan(own)
    window = list(zip(hours[known].tolist(), own[known].tolist(), strict=True))
    if not window:
        return math.nan
    values = [value for _, value in window]
    equal = min(values) == max(values)
    if (equal and name in ("skewness", "kurtosis", "autocorrelation", "dominant_frequency")) or (
        len(window) < 2 and name in ("slope", "zero_crossing_rate", "mean_crossing_rate")
    ):
        return math.nan
    if name in SPECTRUM and (len(window) < 8 or not steady):
        return math.nan
    if name == "crest_factor" and not any(values):
        return math.nan
    return SLOW[name](window)


def _near(found: float, slow: float, name: str, own: Floats, hours: Floats) -> bool:
    """Return whether a feature is right to about 1e-12 of the scale of what it is made of."""
    if math.isnan(found) or math.isnan(slow):
        return math.isnan(found) and math.isnan(slow)
    values = own[~np.isnan(own)]
    if name == "dominant_frequency":
        window = list(zip(hours.tolist(), own.tolist(), strict=True))
        powers = bins_of(window)
        bin_ = round(found * len(own) / (len(own) - 1) * (hours[-1] - hours[0]) * 3600)
        return powers[bin_ - 1] >= (1 - 1e-9) * max(powers)
    largest, apart = float(np.abs(values).max()), float(np.ptp(values))
    span = float(np.ptp(hours[~np.isnan(own)])) or 1.0
    scale = {
        "energy": len(values) * largest**2,
        "slope": apart / span * 100,
        **dict.fromkeys(("skewness", "kurtosis"), max(abs(slow), 1.0) * 100),
        **dict.fromkeys(SPECTRUM, apart**2),
        **dict.fromkeys(("crest_factor", "autocorrelation", "zero_crossing_rate", "mean_crossing_rate"), 10.0),
    }.get(name, largest)
    # What is made of distances from the mean can be no more exact than the samples themselves.
    conditioned = 1 + (largest / apart * 1e-4 if apart else 0)
    return abs(found - slow) <= 1e-12 * scale * conditioned


@both
@pytest.mark.parametrize("length", [12, 16, 64])
def test_of_lines_that_are_equally_strong_the_lowest_is_the_dominant_one(engine: Engine, length: int) -> None:
    pulse = np.zeros(2 * length)
    pulse[length] = 1.0  # all lines but the first are as strong, wherever it stands, but for the weight
    found = window_features(pulse, Even(length, 1), ["dominant_frequency"], engine=engine)[0, 0]
    hours = np.arange(length) / 3600
    for begin in (1, length // 4, length // 3, length // 2):
        powers = np.array(bins_of(list(zip(hours.tolist(), pulse[begin : begin + length].tolist(), strict=True))))
        assert round(found[begin] * length) == 1 + np.flatnonzero(powers > (1 - 1e-9) * powers.max())[0]


def test_both_paths_know_every_feature() -> None:
    assert set(FORMULAS) == set(KERNELS) <= set(SLOW)
    assert len(KERNELS) == 22


@pytest.mark.slow(seconds=15)
@both
@settings(max_examples=40, deadline=None)
@given(
    shape=shapes,
    seed=st.integers(0, 2**32),
    level=st.sampled_from([0.0, -3.0, 1e6]),
    spread=st.sampled_from([1.0, 1e-3, 1e4]),
    gaps=st.sampled_from([0.0, 0.0, 0.05, 0.6]),
    ties=st.booleans(),
)
def test_even_windows_equal_their_definitions(
    engine: Engine, shape: tuple[int, int, int], seed: int, level: float, spread: float, gaps: float, ties: bool
) -> None:
    length, stride, more = shape
    spread = 1.0 if ties else spread  # so that means of quarters are exact and may lie on a sample
    values = _series(seed, length + more, level, spread, gaps=gaps, ties=ties)
    found = window_features(values, Even(length, stride, 60.0), KERNELS, engine=engine)

    hours = (np.arange(length) - (length - 1.0)) / 60
    for window in {0, found.shape[2] // 2, found.shape[2] - 1}:
        for series in range(2):
            own = values[series, window * stride : window * stride + length]
            for place, name in enumerate(KERNELS):
                slow = _slow(name, own, hours, steady=not np.isnan(own).any())
                assert _near(found[place, series, window], slow, name, own, hours), (name, window)


@both
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 90),
    stride=st.integers(1, 60),
    gaps=st.sampled_from([0.0, 0.3]),
    steady=st.booleans(),
)
def test_windows_by_time_equal_their_definitions(
    engine: Engine, seed: int, length: int, stride: int, gaps: float, steady: bool
) -> None:
    steps = np.full(150, 1) if steady else np.random.default_rng(seed).integers(0, 5, 150)
    times = np.cumsum(steps) * SECOND
    values = _series(seed, len(times), 5.0, 2.0, gaps=gaps)
    ends = np.arange(0, times[-1] + 10 * SECOND, stride * SECOND)
    begins = np.maximum(ends - length * SECOND, times[70])
    found = window_features(values, Spans(times, begins, ends), KERNELS, engine=engine)

    for window in {0, len(ends) // 2, len(ends) - 1}:
        inside = (times > begins[window]) & (times <= ends[window])
        for series in range(2):
            known = inside & ~np.isnan(values[series])
            own, hours = values[series, known], (times[known] - ends[window]) / (3600 * SECOND)
            if len(own) > 1 and np.ptp(hours) == 0:
                continue  # all at one moment: no slope
            paced = len(own) > 1 and np.ptp(np.diff(times[known])) == 0
            for place, name in enumerate(KERNELS):
                slow = _slow(name, own, hours, steady=bool(paced))
                assert _near(found[place, series, window], slow, name, own, hours), (name, window)


@both
@settings(max_examples=25, deadline=None)
@given(
    shape=shapes,
    seed=st.integers(0, 2**32),
    gaps=st.sampled_from([0.0, 0.01, 0.3]),
    threads=st.integers(1, 3),
    cells=st.integers(1, 2000),
)
def test_neither_threads_nor_pieces_nor_neighbours_change_a_bit(
    engine: Engine, shape: tuple[int, int, int], seed: int, gaps: float, threads: int, cells: int
) -> None:
    length, stride, more = shape
    values = _series(seed, length + more, 100.0, 1.0, gaps=gaps)
    windows = Even(length, stride, 0.1)
    whole = window_features(values, windows, KERNELS, engine=engine)

    cut = window_features(values, windows, KERNELS, engine=engine, threads=threads, cells=cells)
    later = window_features(values[1, stride:], windows, KERNELS, engine=engine)
    times = np.arange(values.shape[1]) * SECOND
    ends = times[length - 1 :: stride]
    spans = Spans(times, ends - length * SECOND, ends)
    by_time = window_features(values, spans, KERNELS, engine=engine)
    by_time_cut = window_features(values, spans, KERNELS, engine=engine, threads=threads, cells=cells)

    assert cut.tobytes() == whole.tobytes()
    assert later.tobytes() == whole[:, 1:, 1:].tobytes()
    assert by_time_cut.tobytes() == by_time.tobytes()


@both
@pytest.mark.parametrize(("length", "stride"), [(256, 64), (256, 1), (250, 100), (2048, 100), (1100, 1)])
def test_long_windows_have_the_same_numbers_however_they_are_counted(engine: Engine, length: int, stride: int) -> None:
    values = _series(7, 3000, 10.0, 1.0)
    values[1, [500, 501, 1900]] = np.nan
    names = (*MOMENTS, *ORDERED, "mean_crossing_rate")

    even = window_features(values, Even(length, stride), names, engine=engine)
    times = np.arange(3000) * SECOND
    ends = times[length - 1 :: stride]
    by_time = window_features(values, Spans(times, ends - length * SECOND, ends), names, engine=engine)
    other = window_features(values, Even(length, stride), names, engine="plain")

    for place, name in enumerate(names):
        np.testing.assert_allclose(even[place], by_time[place], rtol=1e-11, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(even[place], other[place], rtol=1e-11, atol=1e-12, err_msg=name)
    of_order = [names.index(name) for name in ORDERED]
    assert even[of_order].tobytes() == by_time[of_order].tobytes() == other[of_order].tobytes()


@both
def test_a_spike_that_has_left_leaves_nothing_behind(engine: Engine) -> None:
    clean = _series(1, 2000, 0.0, 1.0)
    spiked = clean.copy()
    spiked[:, 700] = 1e9

    without, having = (window_features(each, Even(256, 64), KERNELS, engine=engine) for each in (clean, spiked))

    begins = np.arange(without.shape[2]) * 64
    left = (begins > 700) | (begins + 256 <= 700)
    assert having[:, :, left].tobytes() == without[:, :, left].tobytes()
    assert (having[KERNELS.index("maximum")][:, ~left] == 1e9).all()


@both
@pytest.mark.parametrize("stride", [1, 64])
def test_a_deviation_of_a_thousandth_on_a_mean_of_a_million_is_right_to_a_trillionth(
    engine: Engine, stride: int
) -> None:
    values = _series(2, 1200, 1e6, 1e-3)
    found = window_features(values, Even(256, stride), ["mean", "standard_deviation", "slope"], engine=engine)

    truth = np.lib.stride_tricks.sliding_window_view(values.astype(np.longdouble), 256, axis=1)[:, ::stride]
    np.testing.assert_allclose(found[0], truth.mean(axis=2).astype(float), rtol=1e-15)
    np.testing.assert_allclose(found[1], truth.std(axis=2).astype(float), rtol=1e-12)
    clock = np.arange(256) - 127.5
    distance = truth - truth.mean(axis=2, keepdims=True)
    slope = (distance * clock).sum(axis=2) / (clock**2).sum() * 3600
    np.testing.assert_allclose(found[2], slope.astype(float), atol=1e-12 * float(np.abs(slope).max()))


@both
@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_what_is_missing_touches_its_own_windows_only(engine: Engine, missing: float) -> None:
    clean = _series(3, 1000, 5.0, 1.0)
    holed = clean.copy()
    holed[0, 500] = missing

    whole, found = (window_features(each, Even(128, 32), KERNELS, engine=engine) for each in (clean, holed))

    begins = np.arange(whole.shape[2]) * 32
    touched = (begins <= 500) & (begins + 128 > 500)
    assert found[:, 0, ~touched].tobytes() == whole[:, 0, ~touched].tobytes()
    assert found[:, 1].tobytes() == whole[:, 1].tobytes()
    of_spectrum = [KERNELS.index(name) for name in SPECTRUM]
    assert np.isnan(found[of_spectrum][:, 0, touched]).all()
    rest = np.delete(found, of_spectrum, axis=0)[:, 0, touched]
    assert np.isfinite(rest).all()


@both
@pytest.mark.parametrize("value", [0.1, -1e15 / 3, 0.0, -0.0])
def test_equal_samples_have_no_spread_and_no_shape(engine: Engine, value: float) -> None:
    found = dict(zip(KERNELS, window_features(np.full(64, value), Even(32, 8), KERNELS, engine=engine), strict=True))

    for name in ("mean", "minimum", "maximum", *ORDERED):
        assert (found[name] == value).all(), name
        assert not np.signbit(found[name]).any() or value < 0, name
    for name in ("standard_deviation", "range", "slope", "mean_crossing_rate", "zero_crossing_rate", *SPECTRUM[1:]):
        assert (found[name] == 0).all(), name
    for name in ("skewness", "kurtosis", "autocorrelation", "dominant_frequency"):
        assert np.isnan(found[name]).all(), name
    assert np.isnan(found["crest_factor"]).all() == (value == 0)


@both
def test_a_sine_is_found_at_its_frequency_and_in_its_band(engine: Engine) -> None:
    seconds = 0.01
    values = 3 + 2 * np.sin(2 * np.pi * 20.3125 * seconds * np.arange(1024))

    frequency, *bands = window_features(values, Even(256, 64, seconds), SPECTRUM, engine=engine)[:, 0]

    assert frequency == pytest.approx(20.3125)
    assert bands[1] == pytest.approx(2.0, rel=1e-9)  # its variance, between 12.5 and 25 Hz
    assert max(bands[0].max(), bands[2].max(), bands[3].max()) < 1e-9


@pytest.mark.compiles
@both
def test_single_precision_gives_what_the_same_numbers_give_in_double(engine: Engine) -> None:
    values = _series(4, 700, 5.0, 1.0).astype(np.float32)

    single, double = (
        window_features(each, Even(100, 10), KERNELS, engine=engine) for each in (values, values.astype(np.float64))
    )

    assert single.tobytes() == double.tobytes()


@both
def test_nothing_to_say_is_nan_and_no_window_is_an_empty_answer(engine: Engine) -> None:
    empty = Spans(np.array([10, 20]), np.array([20, 30]), np.array([30, 40]))

    assert np.isnan(window_features(np.ones((2, 2)), empty, KERNELS, engine=engine)).all()
    assert np.isnan(window_features(np.full(8, np.nan), Even(4, 4), KERNELS, engine=engine)).all()
    assert window_features(np.ones((3, 5)), Even(6, 1), KERNELS, engine=engine).shape == (22, 3, 0)


def test_numba_is_imported_only_where_a_kernel_runs() -> None:
    code = "import sys, features.extract, features.kernels.windows; print('numba' in sys.modules)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "False"


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_a_kernel_that_changes_makes_those_anew_that_call_it(tmp_path: Path) -> None:
    folder = tmp_path / "kernels_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(Path(windows.__file__).with_name("jit.py"), folder)
    head = "from kernels_of_a_test.jit import jit\n"
    (folder / "caller.py").write_text(
        f"{head}from kernels_of_a_test.called import called\n\n@jit\ndef caller(x):\n    return called(x)\n"
    )
    code = "from kernels_of_a_test.caller import caller; print(caller(1.0), sum(caller.stats.cache_hits.values()))"
    said = []
    for more in (1, 1, 2):
        (folder / "called.py").write_text(f"{head}\n@jit\ndef called(x):\n    return x + {more}\n")
        # Without Python's own cache, which takes a file of the same size and second for the same.
        command = [sys.executable, "-B", "-c", code]
        run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        said.append(run.stdout.split())

    assert said == [["2.0", "0"], ["2.0", "1"], ["3.0", "0"]]


def test_the_compiled_path_is_refused_in_words_where_numba_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.kernels.windows.compiled_is_there", lambda: False)

    assert window_features(np.ones(4), Even(2, 2), ["mean"]).tolist() == [[[1.0, 1.0]]]
    with pytest.raises(ValueError, match="needs numba: pip install"):
        window_features(np.ones(4), Even(2, 2), ["mean"], engine="compiled")


@pytest.mark.compiles
def test_a_window_with_a_jump_in_its_pace_has_no_spectrum() -> None:
    paces = {"steady": [33, 34, 33, 33], "one per cent": [10000, 10099, 10000, 10000], "jump": [100, 100, 103, 100]}
    for name, steps in paces.items():
        times = np.cumsum([0, *steps * 4])
        span = Spans(times, times[:1] - 1, times[-1:])
        found = window_features(np.random.default_rng(1).normal(size=17), span, ["dominant_frequency"])
        assert np.isnan(found).all() == (name == "jump"), name


@pytest.mark.parametrize(
    ("values", "windows", "names", "options", "words"),
    [
        (np.ones((2, 2, 2)), Even(1, 1), ["mean"], {}, "two axes"),
        (np.ones(4, np.int64), Even(1, 1), ["mean"], {}, "float64 or float32"),
        (np.ones(4), Even(1, 1), ["meen"], {}, "no kernel for 'meen'; there are: mean,"),
        (np.ones(4), Even(1, 1), ["mean", "mean"], {}, "named twice"),
        (np.ones(4), Even(1, 1), ["mean"], {"threads": 0}, "at least one"),
        (np.ones(4), Spans(np.arange(3), np.arange(2), np.arange(2)), ["mean"], {}, "3 times for 4 samples"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(
    values: Floats, windows: Even | Spans, names: list[str], options: dict[str, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        window_features(values, windows, names, **options)  # type: ignore[arg-type]


def test_windows_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="all are above 0"):
        Even(10, 0)
    with pytest.raises(ValueError, match="ascend"):
        Spans(np.array([2, 1]), np.array([1]), np.array([2]))
    with pytest.raises(ValueError, match="each needs both"):
        Spans(np.array([1, 2]), np.array([1]), np.array([2, 3]))
