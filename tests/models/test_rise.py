"""A rise above the usual: seen soon, not seen where there is none, over when it is over."""

import numpy as np
import pytest

from models.efficiency.finders.rise import CountScores, MeanScores, Rise, lasting_rise

Values = np.ndarray


def told(values: Values, weights: Values | None = None) -> Rise | None:
    return lasting_rise(MeanScores(values, np.ones(len(values)) if weights is None else weights))


def first_told(values: Values) -> int | None:
    return next((until for until in range(1, len(values) + 1) if told(values[:until]) is not None), None)


def test_a_step_of_three_sigma_is_seen_within_five_shifts_and_its_begin_is_known() -> None:
    random = np.random.default_rng(11)
    seen, begun = [], []
    for _ in range(40):
        values = random.standard_normal(70)
        values[50:] += 3
        at = first_told(values)
        assert at is not None
        rise = told(values)
        assert rise is not None
        assert rise.low <= rise.first <= rise.high
        seen.append(at - 50)
        begun.append(rise.first - 50)
    assert np.median(seen) <= 3
    assert np.quantile(seen, 0.9) <= 5
    assert np.quantile(np.abs(begun), 0.9) <= 2


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_nothing_is_told_of_series_without_a_rise(correlation: float) -> None:
    random = np.random.default_rng(12)
    found = 0
    for _ in range(100):
        values = random.standard_normal(100)
        for at in range(1, 100):
            values[at] += correlation * values[at - 1]
        found += told(values) is not None
    assert found <= (2 if correlation == 0 else 8), "of a hundred looks at a hundred shifts"


def test_one_wild_shift_is_no_rise() -> None:
    values = np.random.default_rng(13).standard_normal(60)
    values[-1] = 50

    assert told(values) is None


def test_a_rise_is_over_when_values_fall_back_and_its_shifts_do_not_become_the_usual() -> None:
    values = np.random.default_rng(14).standard_normal(140)
    values[50:90] += 4

    assert told(values[:90]) is not None
    assert told(values[:100]) is None
    values[130:] += 4
    again = told(values)
    assert again is not None
    assert abs(again.first - 130) <= 1
    assert not set(again.usual) & set(range(52, 88))


def test_a_shift_that_weighs_little_says_little() -> None:
    noise, whole = np.random.default_rng(15).standard_normal(60), np.full(60, 8.0)
    short = np.where(np.arange(60) < 55, 8.0, 0.05)
    step = np.where(np.arange(60) < 55, 0.0, 2.0)

    assert told(noise / np.sqrt(whole) + step, whole) is not None
    assert told(noise / np.sqrt(short) + step, short) is None


def test_counts_rise_by_their_rate_and_not_by_what_was_worked() -> None:
    random = np.random.default_rng(16)
    hours = np.concatenate([np.full(40, 4.0), np.full(20, 8.0)])

    assert lasting_rise(CountScores(random.poisson(hours).astype(float), hours)) is None
    rate = np.where(np.arange(60) < 50, 1.0, 3.0)
    assert lasting_rise(CountScores(random.poisson(hours * rate).astype(float), hours)) is not None


def test_looking_at_more_series_asks_for_more() -> None:
    values = np.random.default_rng(17).standard_normal(200)
    values[40:] += 2

    def needed(series: int) -> int:
        scores = [MeanScores(values[:until], np.ones(until)) for until in range(1, 201)]
        return next(len(each) for each in scores if lasting_rise(each, series=series) is not None)

    assert needed(1) < needed(10**6)
