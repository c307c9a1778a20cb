"""A reading that raises rejects is found, with its limit and its ratio; where none does nothing is told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.levers.chance import chances
from models.levers.contrast import contrast
from models.levers.find import ENOUGH_LOTS, ENOUGH_REJECTS, Levers, find_levers
from models.levers.held import holm
from models.levers.lots import Lots
from models.levers.region import Region
from tests.models.moulds import LIMIT, UNITS, moulds


def found(seed: int, **settings: object) -> Levers:
    return find_levers("press", *moulds(seed, **settings), UNITS)  # type: ignore[arg-type]


def test_the_planted_reading_is_the_first_lever_with_its_limit_and_its_ratio() -> None:
    told = found(1, ratio=2.0)

    first = told.levers[0]
    assert first.signal == "mould temperature"
    assert first.region.low == pytest.approx(LIMIT, abs=0.5)
    assert first.low_between is not None
    assert first.low_between[0] <= LIMIT <= first.low_between[1]
    assert first.contrast.ratio.low <= 2.0 <= first.contrast.ratio.high
    assert first.contrast.ratio.low > 1
    assert not told.reason


def test_the_sentence_has_the_ratio_its_interval_the_limit_its_unit_and_the_money() -> None:
    sentence = found(1, ratio=2.0).levers[0].sentence("EUR")

    assert sentence.startswith("rejects 2.")
    assert "times as frequent (1." in sentence
    assert " when mould temperature < 6" in sentence
    assert " degC: " in sentence
    assert sentence.endswith("EUR an hour")


def test_a_lever_is_judged_on_later_time_than_it_was_found_in() -> None:
    lots, recipe = moulds(1, ratio=2.0)

    told = find_levers("press", lots, recipe, UNITS)

    assert told.until is not None
    assert told.judged_from is not None
    assert told.judged_from - told.until >= recipe.windows[0]
    first = told.levers[0].contrast
    later = lots.time > np.datetime64(told.until.replace(tzinfo=None))
    assert first.pieces + first.other_pieces <= lots.pieces[later].sum()


def test_what_held_in_earlier_time_alone_is_not_told() -> None:
    lots, recipe = moulds(1, ratio=2.0)
    nothing = moulds(1)[0]
    cut = np.sort(lots.time)[int(0.6 * len(lots))]

    told = find_levers(
        "press", replace(lots, rejects=np.where(lots.time <= cut, lots.rejects, nothing.rejects)), recipe, UNITS
    )

    assert told.levers == ()
    assert told.tried > 0
    assert "none of" in told.reason


@pytest.mark.parametrize("keeps", [0.0, 0.9, 0.98])
def test_of_noise_hardly_ever_a_lever_is_told_however_slow_it_is(keeps: float) -> None:
    """A promise of 5 %: of 12 plants two or more would have one in 12 % of cases; ``tests.trials.levers`` asks 200."""
    told = [found(seed, keeps=keeps) for seed in range(100, 112)]

    assert sum(bool(each.levers) for each in told) <= 1


def test_two_that_drift_alike_are_no_lever() -> None:
    lots, recipe = moulds(3, signals=4)
    away = (lots.time - lots.time.min()) / (lots.time.max() - lots.time.min())
    rejects = np.random.default_rng(3).binomial(lots.pieces.astype(int), 0.01 + 0.04 * away).astype(float)
    values = lots.values + 8 * away[:, np.newaxis]

    told = find_levers("press", replace(lots, values=values, rejects=rejects), recipe, UNITS)

    assert told.levers == ()


def test_what_differs_between_machines_and_products_is_no_lever() -> None:
    lots, recipe = moulds(4, signals=3)
    worse = (lots.machine == "press-1") | (lots.product == "clip")
    values = lots.values + np.where(worse, 10.0, 0.0)[:, np.newaxis]
    rejects = np.random.default_rng(4).binomial(lots.pieces.astype(int), np.where(worse, 0.05, 0.01)).astype(float)

    told = find_levers("press", replace(lots, values=values, rejects=rejects), recipe, UNITS)

    assert told.levers == ()


def test_a_signal_that_only_follows_a_lever_is_told_with_it() -> None:
    told = found(5, ratio=3.0, follower=True)

    assert [each.signal for each in told.levers] == ["mould temperature"]
    assert told.levers[0].with_it == ("signal 1",)


def test_a_band_that_is_left_on_both_sides_is_one_lever() -> None:
    lots, recipe = moulds(6, signals=4)
    outside = (lots.values[:, 0] < LIMIT - 2) | (lots.values[:, 0] > LIMIT + 7)
    rejects = np.random.default_rng(6).binomial(lots.pieces.astype(int), np.where(outside, 0.04, 0.01)).astype(float)

    told = find_levers("press", replace(lots, rejects=rejects), recipe, UNITS)

    region = told.levers[0].region
    assert region.low == pytest.approx(LIMIT - 2, abs=1.0)
    assert region.high == pytest.approx(LIMIT + 7, abs=1.0)
    assert " or > " in told.levers[0].sentence()


def test_too_few_rejects_are_said_and_nothing_is_told() -> None:
    lots, recipe = moulds(7, ratio=3.0)
    few = np.zeros(len(lots))
    few[:: len(lots) // 15] = 1.0

    told = find_levers("press", replace(lots, rejects=few), recipe, UNITS)

    assert told.levers == ()
    assert f"{ENOUGH_REJECTS} in {ENOUGH_LOTS} are needed" in told.reason


def test_nothing_that_was_made_has_a_reason() -> None:
    lots, recipe = moulds(8)

    assert "no piece was counted" in find_levers("press", lots.where(np.zeros(0, int)), recipe, UNITS).reason


def test_missing_readings_leave_their_lots_out_and_no_more() -> None:
    lots, recipe = moulds(1, ratio=2.0)
    values = lots.values.copy()
    values[::3, 0] = np.nan

    told = find_levers("press", replace(lots, values=values), recipe, UNITS)

    assert told.levers[0].signal == "mould temperature"


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(0.01, 100), shift=st.floats(-50, 50), seed=st.integers(0, 5))
def test_the_ratio_does_not_depend_on_the_unit(factor: float, shift: float, seed: int) -> None:
    lots, _ = moulds(seed, ratio=2.0, days=12, signals=2)
    inside = Region(low=LIMIT).holds(lots.values[:, 0])
    other = Region(low=LIMIT * factor + shift).holds(lots.values[:, 0] * factor + shift)

    strata = lots.strata()

    assert contrast(lots, other, strata).ratio.value == pytest.approx(
        contrast(lots, inside, strata).ratio.value, rel=0.05
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=8))
def test_counting_all_looks_makes_nothing_more_certain_and_keeps_the_order(single: list[float]) -> None:
    together = holm(single)

    assert all(each >= own for each, own in zip(together, single, strict=True))
    ranked = sorted(range(len(single)), key=single.__getitem__)
    assert [together[place] for place in ranked] == sorted(together)


def test_the_ratio_is_that_of_mantel_and_haenszel() -> None:
    """Two machines, each twice as bad inside, one ten times as bad as the other: pooled it would be 0.7."""
    machine = np.repeat(np.array(["a", "b"], object), 2)
    inside = np.array([True, False, True, False])
    pieces = np.array([10_000.0, 1_000.0, 1_000.0, 10_000.0])
    rejects = np.array([200.0, 10.0, 200.0, 1_000.0])
    time = np.datetime64("2026-01-05", "us") + np.arange(4).astype("timedelta64[h]")
    lots = Lots(machine, machine, time, ("x",), np.zeros((4, 1)), pieces, rejects, np.full(4, np.nan))

    told = contrast(lots, inside, np.array([0, 0, 1, 1]))

    assert told.ratio.value == pytest.approx(2.0, rel=0.01)
    assert told.share / told.other_share < 1


def test_chance_is_spread_evenly_where_there_is_nothing_else() -> None:
    """Of 120 looks 5 % lie below 0.05, give or take 6 at three standard errors."""
    told = []
    for seed in range(200, 260):
        lots, _ = moulds(seed, days=30, signals=2, keeps=0.95)
        told += chances(lots, [lots.values[:, 0] < LIMIT, lots.values[:, 1] > 0.5], lots.strata())

    assert 0.35 < np.mean(told) < 0.65
    assert np.mean(np.array(told) < 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(told))
