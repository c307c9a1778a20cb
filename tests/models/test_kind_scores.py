"""Lengths against their own kind, lots that resemble each other, and counts as normal scores."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from models.efficiency.finders.kind_scores import KindScores
from models.efficiency.finders.lots import goes_on, made_by_lot
from models.efficiency.finders.record import record_of
from models.efficiency.finders.rise import deviance_roots, lasting_rise, likeliest, likeness
from tests.floor_plant import floor_plant


def scores_of(lengths: "np.ndarray[tuple[int], np.dtype[np.float64]]", kind: list[str], *, pooled: bool) -> KindScores:
    many = len(lengths)
    return KindScores(lengths, np.array(kind, object), np.ones(many), np.zeros(many, np.bool_), pooled)


def test_a_mix_of_kinds_is_no_rise_and_a_longer_kind_is() -> None:
    random = np.random.default_rng(1)
    kind = ["short"] * 30 + ["long"] * 30 + ["short", "long"] * 5
    lengths = np.where(np.array(kind) == "short", 1.0, 3.0) * np.exp(0.1 * random.standard_normal(70))

    assert lasting_rise(scores_of(lengths, kind, pooled=False)) is None
    slower = np.where((np.arange(70) >= 60) & (np.array(kind) == "long"), 1.6, 1.0)
    rise = lasting_rise(scores_of(lengths * slower, kind, pooled=False))
    assert rise is not None
    assert 58 <= rise.first <= 63


def test_a_product_that_was_never_made_before_says_nothing() -> None:
    lengths, kind = np.concatenate([np.full(30, 1.0), np.full(5, 9.0)]), ["old"] * 30 + ["new"] * 5

    assert not scores_of(lengths, kind, pooled=False).against(np.arange(30))[30:].any()


def test_kinds_that_do_not_differ_are_held_against_all_and_kinds_that_do_against_their_own() -> None:
    random = np.random.default_rng(2)
    kind = list("abcdef") * 6
    alike = np.exp(0.2 * random.standard_normal(36))
    apart = np.array([2.0 ** "abcdef".index(each) for each in kind])
    usual = np.arange(36)

    assert np.ptp(np.log(scores_of(alike, kind, pooled=True).usual(usual))) < 0.12
    found = np.log2(scores_of(alike * apart, kind, pooled=True).usual(usual))
    assert np.abs(found - np.log2(apart)).max() < 0.4


@pytest.mark.parametrize("expected", [0.7, 4.0, 40.0])
def test_deviance_roots_of_counts_have_the_tail_of_normal_scores(expected: float) -> None:
    counts = np.arange(poisson.isf(1e-5, expected), poisson.isf(1e-7, expected) + 1)
    tails = norm.isf(poisson.sf(counts - 0.5, expected) + poisson.pmf(counts, expected) / 2)

    assert deviance_roots(counts.astype(float), np.full(len(counts), expected)) == pytest.approx(tails, rel=0.08)


def test_values_that_follow_are_likened_and_others_are_not() -> None:
    random = np.random.default_rng(3)
    orders = np.repeat(random.standard_normal(30), 2)
    follows = np.tile([False, True], 30)

    assert likeness(orders, follows, np.arange(60)) == pytest.approx(0.75)
    assert likeness(orders, np.zeros(60, np.bool_), np.arange(60)) == 0.0


def test_the_part_that_rose_is_told_and_not_the_whole_that_it_is_of() -> None:
    kind = ["a", "b"] * 30
    one = np.exp(0.02 * np.random.default_rng(4).standard_normal(60))
    late, is_b = np.arange(60) >= 50, np.array(kind) == "b"
    parts = {"": late, "a": late & ~is_b, "b": late & is_b}

    assert likeliest(scores_of(np.where(late & is_b, 1.1, 1.0) * one, kind, pooled=False), parts)[0] == "b"
    assert likeliest(scores_of(np.where(late, 1.1, 1.0) * one, kind, pooled=False), parts)[0] == ""


def test_a_lot_goes_on_in_the_next_shift_and_ends_with_a_change_over() -> None:
    works = floor_plant(seed=45, days=20)
    record = record_of(works.plant, works.history, "press-01", works.midnight(0), works.midnight(20))
    made = made_by_lot(record)

    assert len(made) == len(record.made)
    changed = record.parts[record.parts["did"] == "changeover"]
    for product, rows in made[made["first_lot"] >= 0].groupby("product"):
        linked = goes_on(rows)
        for place in np.flatnonzero(linked):
            before, after = rows["at"].iloc[place - 1], rows["at"].iloc[place]
            assert after - before <= 1, product
            run = record.parts[(record.parts["did"] == "running") & (record.parts["product"] == product)]
            last = run["stop"][run["at"] == before].max()
            first = run["begin"][run["at"] == after].min()
            assert not ((changed["begin"] >= last) & (changed["stop"] <= first)).any()
    assert isinstance(made, pd.DataFrame)
    assert goes_on(made).any()
