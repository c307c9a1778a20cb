"""The parts that conditions are learnt with: deals, prices, pools, derived columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.conditions.classifier import PieceClassifier
from models.conditions.deal import at_random, by_group, in_time
from models.conditions.derived import Derived, shares
from models.conditions.level import ConditionLevel, bins_of
from models.conditions.members import MEMBERS
from models.conditions.pool import log_shares, pool_weights, pooled
from models.conditions.price import cheapest, price_table
from models.conditions.settle import settled
from models.judging.split import Fold

CODES = st.lists(st.integers(0, 3), min_size=6, max_size=80).map(lambda each: np.array(each, np.intp))


def assert_each_is_judged_once(folds: list[Fold], count: int) -> None:
    judged = np.concatenate([fold.test for fold in folds])
    assert sorted(judged.tolist()) == list(range(count))
    for fold in folds:
        assert sorted([*fold.train.tolist(), *fold.test.tolist()]) == list(range(count))


@given(CODES, st.integers(2, 5), st.integers(0, 5))
def test_a_random_deal_holds_every_piece_out_once_and_spreads_codes_evenly(
    code: NDArray[np.intp], count: int, seed: int
) -> None:
    folds = at_random(code, count, seed)

    assert_each_is_judged_once(folds, len(code))
    held = np.array([np.bincount(code[fold.test], minlength=4) for fold in folds])
    assert (np.ptp(held, axis=0) <= 1).all()


@given(CODES, st.integers(2, 5), st.data())
def test_no_group_is_torn(code: NDArray[np.intp], count: int, data: st.DataObject) -> None:
    group = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(code), max_size=len(code))), np.intp)
    folds = by_group(code, group, count, 0)

    if len(np.unique(group)) > 1:
        assert_each_is_judged_once(folds, len(code))
    for fold in folds:
        assert not set(group[fold.train].tolist()) & set(group[fold.test].tolist())


def test_folds_in_time_are_stretches() -> None:
    time = np.random.default_rng(0).permutation(50).astype("datetime64[us]")

    folds = in_time(time, 5)

    assert_each_is_judged_once(folds, 50)
    for fold in folds:
        held = np.sort(time[fold.test].astype(int))
        assert held[-1] - held[0] == len(held) - 1


def test_what_is_expected_to_cost_least_is_said() -> None:
    prices = price_table(["neg", "pos"], [("neg", "pos", 10), ("pos", "neg", 500)])
    even = 10 / 510

    said = cheapest(np.array([[1 - even + 1e-6, even - 1e-6], [1 - even - 1e-6, even + 1e-6]]), prices)

    assert said.tolist() == [0, 1]
    assert cheapest(np.array([[0.2, 0.5, 0.3]]), price_table([1, 2, 3], [])).tolist() == [1]


def test_what_is_said_follows_from_probabilities_and_prices_alone() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = (X[:, 0] + random.normal(size=300) > 2).astype(int)

    fitted = PieceClassifier(trees=4, mistakes=[(0, 1, 10), (1, 0, 500)]).fit(X, y)

    np.testing.assert_array_equal(fitted.predict(X), fitted.predict_proba(X)[:, 1] > 10 / 510)


@pytest.mark.parametrize("name", MEMBERS)
def test_columns_that_were_never_known_where_a_member_learns_do_not_stop_it(name: str) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 4))
    X[:, 1] = np.nan
    # Never known together, so that none of their pairs is known.
    X[:40, 2], X[40:, 3] = np.nan, np.nan
    y = (X[:, 0] > 0).astype(int)

    assert (MEMBERS[name]((), None, 9, 0).fit(X, y).predict(X) == y).mean() > 0.9


def test_boosting_looks_at_every_column_and_the_forest_at_the_most_telling_ones() -> None:
    X = np.random.default_rng(0).normal(size=(80, 130))
    y = (X[:, 0] > 0).astype(int)

    columns = {name: MEMBERS[name]((), None, 2, 0).fit(X, y)[-1].n_features_in_ for name in ("boosting", "forest")}

    assert columns["boosting"] > 130 > columns["forest"]


def test_a_pool_believes_who_was_right_and_finds_out_who_was_too_sure() -> None:
    random = np.random.default_rng(0)
    true = random.dirichlet([1, 1, 1], 3000)
    code = np.array([random.choice(3, p=each) for each in true])
    sure = true**3 / (true**3).sum(axis=1, keepdims=True)
    noise = random.dirichlet([1, 1, 1], 3000)

    weights = pool_weights(log_shares(np.stack([sure, noise])), code)

    assert weights[0] == pytest.approx(1 / 3, abs=0.05)
    assert weights[1] < 0.05
    np.testing.assert_allclose(pooled(log_shares(np.stack([sure, noise])), weights), true, atol=0.08)


def test_one_that_is_nearly_exact_is_not_outvoted_and_equals_are_pooled() -> None:
    random = np.random.default_rng(0)
    code = random.integers(0, 2, 2000)
    right = np.where(random.random(2000) < 0.002, 1 - code, code)
    # Nearly exact, and infinitely sure of its few mistakes; the other is fair and modest.
    exact = np.where(np.eye(2)[right] > 0, 1 - 1e-6, 1e-6)
    fair = random.beta(6, 3, 2000)
    modest = np.where(code[:, None] == np.arange(2), fair[:, None], 1 - fair[:, None])
    prices = price_table([0, 1], [])

    alone = settled(log_shares(np.stack([exact, modest])), code, prices)
    alike = settled(log_shares(np.stack([modest, modest])), code, prices)

    said = cheapest(pooled(log_shares(np.stack([exact, modest])), alone), prices)
    assert (said != code).mean() <= 0.004
    assert alike[0] == pytest.approx(alike[1], abs=1e-3)


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=4, max_size=4), min_size=1, max_size=5))
def test_shares_of_a_histogram_add_up(bins: list[list[float]]) -> None:
    made = shares(np.array(bins))

    total, parts = made[:, 0], made[:, 1:5]
    np.testing.assert_allclose(total, np.sum(bins, axis=1))
    known = total > 0
    np.testing.assert_allclose(parts[known].sum(axis=1), 1)
    assert np.isnan(parts[~known]).all()


def test_the_pair_that_decides_is_found_among_many_signals() -> None:
    random = np.random.default_rng(0)
    X = random.uniform(1, 3, (600, 6))
    y = (X[:, 1] * X[:, 4] > 4.2).astype(int)

    derived = Derived(paired=6, kept=3).fit(X, y)

    assert (0, 1, 4) in derived.pairs_
    assert np.isin(X[:, 1] * X[:, 4], derived.transform(X)).all()


def test_only_columns_of_one_unit_are_subtracted() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = (X[:, 0] > X[:, 1]).astype(int)

    mixed = Derived(units=["K", "rpm", "K"], paired=3, kept=9).fit(X, y)
    alike = Derived(units=["K", "K", "rpm"], paired=3, kept=9).fit(X, y)

    assert [pair[1:] for pair in mixed.pairs_ if pair[0] == 2] == [(0, 2)]
    assert (2, 0, 1) in alike.pairs_


def test_a_histogram_stays_one_whichever_of_its_bins_never_varied() -> None:
    every = ["b0__mean__1h", "b1__mean__1h", "b2__mean__1h", "b0__std__1h", "b1__std__1h", "b2__std__1h"]
    for left_out in ("b0", "b1", "b2"):
        names = [name for name in every if not name.startswith(left_out)]
        assert bins_of(names, [("b0", "b1", "b2")]) == [[0, 1], [2, 3]]
    assert bins_of(["b2__mean__1h"], [("b0", "b1", "b2")]) == []


def test_where_mistakes_are_equally_dear_on_average_follows_from_their_prices_alone() -> None:
    level = ConditionLevel(["good", "not good"], 1, mistakes=[("good", "not good", 10), ("not good", "good", 490)])

    assert level.break_even() == (pytest.approx(10 / 500), 10, 490)
