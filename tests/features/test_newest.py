"""What compiled code makes of the newest windows of a machine is what numpy makes of them, to the bit."""

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FEATURES
from features.extract import extract
from features.kernels.blocks import Blocks
from features.kernels.names import KERNELS
from features.limits import Limits
from features.microsecond import moment
from features.newest import Newest
from features.recipe import Recipe
from features.regimes import Regimes
from features.stream import Stream
from features.table import FeatureTable
from tests.features.table_history import START, TableHistory, readings_frame

pytestmark = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")

SECOND = timedelta(seconds=1)
SIGNALS = tuple(f"s{place}" for place in range(9))
OF_MOMENTS = tuple(each.name for each in FEATURES if each.kind in ("moments", "newest", "compared"))
RECIPE = Recipe(
    machine_class="pump",
    signals=SIGNALS,
    windows=(8 * SECOND, 24 * SECOND, 76 * SECOND),
    stride=4 * SECOND,
    features=OF_MOMENTS,
    every=(SECOND,) * len(SIGNALS),
)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 100, 128, 129, 130, 257, 1000, 1337])
def test_sums_are_those_of_numpy(count: int) -> None:
    from features.kernels.pairwise import total_of

    values = np.random.default_rng(count).normal(size=count) * 10.0 ** np.random.default_rng(1).integers(-9, 9, count)

    assert total_of(values, count) == np.add.reduceat(values, [0])[0]


@given(lengths=st.sets(st.integers(1, 300), min_size=1, max_size=4).map(sorted))
def test_a_plan_takes_each_pane_of_a_window_once_and_what_is_older_first(lengths: list[int]) -> None:
    plan, newest = Blocks.of(lengths), max(lengths) - 1
    held: dict[int, list[int]] = {}
    for older, newer, to, apart in plan.of_panes.tolist():
        held[to] = [older, newer]
        assert newer - older == apart == 1
    for pane, to in plan.single.tolist():
        held[to] = [pane]
    for older, newer, to, apart in plan.of_blocks.tolist():
        assert held[newer][-1] - held[older][-1] == apart
        held[to] = held[older] + held[newer]

    found = [held[block] for block in plan.whole.tolist()]

    assert found == [list(range(newest + 1 - length, newest + 1)) for length in lengths]
    assert sorted(held) == list(range(plan.blocks))


def content(table: FeatureTable) -> bytes:
    """Return the bytes of all that rows say, the share of each signal included."""
    assert table.filled_by_signal is not None
    return table.values.tobytes() + table.filled.tobytes() + table.filled_by_signal.tobytes()


def streamed_and_extracted(recipe: Recipe, seconds: np.ndarray, values: np.ndarray, begin: int) -> tuple[bytes, bytes]:
    """Return the rows that single messages gave by compiled code alone, and those of the whole history."""
    frame = readings_frame("m1", seconds / 60, **{name: values[:, place] for place, name in enumerate(SIGNALS)})
    whole = TableHistory(frame)
    store = TableHistory(frame[:begin])
    stream = Stream(recipe, store, since=START)
    stream.update()
    rows, first = [], None
    for second, row in zip(seconds[begin:].tolist(), values[begin:], strict=True):
        streamed = stream.put("m1", moment(START) + round(second * 1e6), row)
        if len(streamed):
            first = first or streamed.spans["m1"][0]
            rows.append(content(streamed.table))
    assert stream.read_again == 1
    assert first is not None
    table = extract(recipe, whole, ["m1"], first, START + seconds[-1] * SECOND)
    return b"".join(rows), b"".join(content(table.where(slice(row, row + 1))) for row in range(len(table)))


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([0.0, 1e6, -3.0]),
    spread=st.sampled_from([1.0, 1e-3, 0.0, 1e60]),
    gaps=st.sampled_from([0.0, 0.1, 0.7]),
    rate=st.sampled_from([1, 40]),
    spike=st.booleans(),
    min_fill=st.sampled_from([0.3, 0.0, 0.9]),
)
def test_rows_of_moments_are_those_of_extract(
    seed: int, level: float, spread: float, gaps: float, rate: int, spike: bool, min_fill: float
) -> None:
    random = np.random.default_rng(seed)
    seconds = np.arange(1, 260 * rate // (10 if rate > 1 else 1)) / rate
    values = level + spread * random.normal(size=(len(seconds), len(SIGNALS)))
    values[len(values) // 2] = 1e9 if spike else level
    values[random.random(values.shape) < gaps] = np.nan
    values[:, 0] = np.where(np.isnan(values).all(axis=1), level, values[:, 0])
    recipe = replace(RECIPE, windows=(8 * SECOND, 12 * SECOND)) if rate > 1 else RECIPE
    recipe = replace(recipe, every=(SECOND / rate,) * len(SIGNALS), min_fill=min_fill)

    streamed, extracted = streamed_and_extracted(recipe, seconds, values, len(seconds) // 2)

    assert streamed == extracted


@pytest.mark.compiles
@pytest.mark.parametrize("windows", [(64,), (8, 24), (16, 60)])
def test_rows_of_single_samples_are_those_of_extract(windows: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    values = random.normal(5, 2, (200, len(SIGNALS)))
    values[120] = np.nan
    values[120, 0] = 1.0
    limits = (Limits(high=7.0), *(Limits(),) * (len(SIGNALS) - 1))
    features = (*KERNELS, "interquartile_range", "steepest_change", "change_age", "share_above_limit")
    recipe = replace(RECIPE, windows=tuple(each * SECOND for each in windows), features=features, limits=limits)

    streamed, extracted = streamed_and_extracted(recipe, np.arange(1.0, 201.0), values, 100)

    assert streamed == extracted


def test_samples_too_large_to_be_squared_are_no_cause_for_a_warning() -> None:
    random = np.random.default_rng(3)
    values = 1e307 * random.normal(0, 1, (200, len(SIGNALS)))
    singly = tuple(each.name for each in FEATURES if each.cost in ("samples", "sorting") and not each.limit)
    recipe = replace(RECIPE, features=singly)

    streamed, extracted = streamed_and_extracted(recipe, np.arange(1.0, 201.0), values, 100)

    assert streamed == extracted


def test_single_windows_are_made_by_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("numpy made a window that compiled code knows")

    store = TableHistory(readings_frame("m1", [1.0], **{name: [1.0] for name in SIGNALS}))
    stream = Stream(RECIPE, store, since=START)
    stream.update()
    monkeypatch.setattr("features.from_memory.fill_panes", refused)

    rows = [stream.put("m1", moment(START) + second * 1_000_000, [1.0] * 9) for second in range(61, 90)]

    assert sum(len(each) for each in rows) == 7


def test_what_only_a_few_recipes_ask_is_left_to_numpy() -> None:
    assert Newest.knows(RECIPE)
    assert not Newest.knows(replace(RECIPE, features=("mean_shift",), baseline=timedelta(days=1)))
    assert not Newest.knows(replace(RECIPE, regimes=Regimes(("slow",), (f"{SIGNALS[0]} < 1",), SIGNALS[:1], (SECOND,))))
