from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import Target
from models.calibration import Probability
from models.judging.reliability import average_precision
from models.judging.split import Fold, choose_folds
from models.labels.episodes import episodes_of
from models.labels.label import label, target_events
from models.learner import group_of
from models.risk.departures import Departures
from models.risk.failure_risk import FailureRisk, Sample, departures_of
from models.why.shapley import shapley
from tests.models.modes import mills
from tests.models.pumps import BEGIN, HORIZON, worn_pumps

Learnt = tuple[FeatureTable, NDArray[np.int8], list[Fold], FailureRisk]


@pytest.fixture(scope="module")
def learnt() -> Learnt:
    table, events = worn_pumps()
    targets = target_events(events, Target())
    labels = label(table, targets, HORIZON, BEGIN + timedelta(days=20))
    folds = choose_folds(table, targets, HORIZON, None)
    return table, labels, folds, FailureRisk().fit(table, labels, folds)


def test_it_ranks_unseen_time_before_failures_above_healthy_time(learnt: Learnt) -> None:
    table, _, _, risk = learnt
    unseen, events = worn_pumps(seed=7)
    labels = label(unseen, target_events(events, Target()), HORIZON, BEGIN + timedelta(days=20))
    level = risk.level(unseen)

    assert np.median(level[labels == 1]) > 10 * np.median(level[labels == 0])
    assert len(table) == len(risk.held_out)


def test_held_out_probabilities_say_how_often_it_happens(learnt: Learnt) -> None:
    _, labels, _, risk = learnt
    judged = np.isfinite(risk.held_out) & (labels >= 0)
    order = np.argsort(risk.held_out[judged], kind="stable")
    said, happened = risk.held_out[judged][order], labels[judged][order] == 1
    gaps = [
        abs(s.mean() - h.mean()) for s, h in zip(np.array_split(said, 10), np.array_split(happened, 10), strict=True)
    ]

    assert np.mean(gaps) <= 0.05
    assert said.mean() == pytest.approx(happened.mean(), abs=0.02)


def test_levels_of_unseen_machines_are_calibrated_too(learnt: Learnt) -> None:
    unseen, events = worn_pumps(seed=8, machines=16)
    labels = label(unseen, target_events(events, Target()), HORIZON, BEGIN + timedelta(days=20))
    level = learnt[3].level(unseen)

    assert level[labels >= 0].mean() == pytest.approx((labels[labels >= 0] == 1).mean(), abs=0.03)


def test_the_same_data_give_the_same_levels_bit_for_bit(learnt: Learnt) -> None:
    table, labels, folds, risk = learnt
    again = FailureRisk().fit(table, labels, folds)

    assert np.array_equal(again.level(table), risk.level(table))
    assert np.array_equal(again.held_out, risk.held_out, equal_nan=True)


def test_shares_point_to_the_signal_that_wears_and_never_exceed_the_whole(learnt: Learnt) -> None:
    table, labels, _, risk = learnt
    rows = table.where(np.flatnonzero((labels == 1) & (risk.level(table) > 0.3)))
    shares = risk.parts(rows).shares

    assert risk.groups == ("voltage", "pressure")
    assert shares.shape == (len(rows), 2)
    assert (shares >= 0).all()
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    assert shares[:, 0].mean() > 0.7


def test_parts_add_up_to_the_log_odds_of_each_level(learnt: Learnt) -> None:
    table, _, _, risk = learnt
    rows = table.where(np.arange(0, len(table), 7))
    parts, level = risk.parts(rows), risk.level(rows)

    assert np.allclose(parts.base + parts.by_group.sum(axis=1), np.log(level / (1 - level)), rtol=0, atol=1e-6)
    assert np.allclose(parts.level_of(parts.score), level, rtol=0, atol=1e-6)


def test_the_base_is_the_level_of_the_machine_at_its_normal(learnt: Learnt) -> None:
    table, _, _, risk = learnt
    rows = table.where(np.arange(0, len(table), 97))
    at_normal = replace(rows, values=risk.normal.of(rows))

    assert np.allclose(risk.parts(rows).level_of(risk.parts(rows).base), risk.level(at_normal), rtol=0, atol=1e-6)
    assert np.abs(risk.parts(at_normal).by_group).max() < 1e-9


def test_parts_are_fair_whatever_the_calibration(learnt: Learnt) -> None:
    """A signal's part is its Shapley value: what asking about every combination of signals gives.

    How a row departs from normal belongs to its signals, and the surprise to a group of its own, which is shared out.
    """
    table, labels, _, risk = learnt
    of_column, groups = risk.group_of_column[risk.columns], len(risk.groups) + 1
    for row in np.flatnonzero(labels == 1)[::60]:
        one = table.where(np.array([row]))
        here, usual = (
            risk.departures.beside(each).values[:, risk.columns]
            for each in (one, replace(one, values=risk.normal.of(one)))
        )
        asked = shapley(risk.trees.log_odds, here[0], usual[0], of_column, groups)
        exact = risk.trees.parts(here, usual, of_column, groups)[0]

        assert np.allclose(exact, asked, rtol=0, atol=1e-9)


def test_what_the_surprise_adds_is_added_by_the_signals_that_surprise(learnt: Learnt) -> None:
    table, labels, _, risk = learnt
    rows = table.where(np.flatnonzero(labels == 1)[::20])
    here, usual = (
        risk.departures.beside(each).values[:, risk.columns]
        for each in (rows, replace(rows, values=risk.normal.of(rows)))
    )
    raw = risk.trees.parts(here, usual, risk.group_of_column[risk.columns], len(risk.groups) + 1)
    own, surprise, shares = raw[:, :-1], raw[:, -1], risk.departures.shares(rows)
    of_signal = np.stack(
        [shares[:, [group_of(name) == each for name in rows.names]].sum(axis=1) for each in risk.groups]
    )
    whole = own + surprise[:, np.newaxis] * of_signal.T
    parts = risk.parts(rows).by_group

    assert np.abs(surprise).max() > 0.1
    assert np.allclose(parts / parts.sum(axis=1, keepdims=True), whole / whole.sum(axis=1, keepdims=True))


def test_a_fold_knows_as_many_windows_as_the_whole_history() -> None:
    """Twenty days hold a window of a day often enough, and a third of them does not."""
    table, events = worn_pumps()
    labels = label(table, target_events(events, Target()), HORIZON, BEGIN + timedelta(days=20))
    part = np.flatnonzero((labels >= 0) & (table.time <= table.time.min() + np.timedelta64(7, "D")))

    assert Departures.learn(table.where(part)).detector.deviations.often.sum() < len(table.names)
    assert departures_of(table, labels, part).detector.deviations.often.all()


def test_a_value_that_was_never_known_is_no_obstacle(learnt: Learnt) -> None:
    table, labels, folds, _ = learnt
    values = np.column_stack([table.values, np.full(len(table), np.nan), np.full(len(table), 3.0)])
    wider = replace(table, names=(*table.names, "flow__mean__24h", "load__mean__24h"), values=values)
    risk = FailureRisk().fit(wider, labels, folds)
    blind = replace(wider, values=np.full_like(values, np.nan))

    assert np.isfinite(risk.level(blind)).all()
    assert np.isfinite(risk.parts(blind.where(np.arange(3))).shares).all()


def test_one_row_and_an_unseen_machine_and_no_row_can_be_assessed(learnt: Learnt) -> None:
    table, _, _, risk = learnt
    one = table.where(np.array([5]))
    stranger, other = (replace(one, machine=np.array([name], dtype=object)) for name in ("pump-99", "mill-1"))

    assert risk.level(stranger)[0] == risk.level(other)[0]
    assert risk.parts(stranger).shares.shape == (1, 2)
    assert risk.level(table.where(np.array([], dtype=int))).shape == (0,)
    assert risk.parts(table.where(np.array([], dtype=int))).shares.shape == (0, 2)


def test_without_failures_it_names_the_model_that_needs_none(learnt: Learnt) -> None:
    table, labels, _, _ = learnt

    with pytest.raises(NotEnoughDataError, match="task = 'anomaly'"):
        FailureRisk().fit(table, np.zeros_like(labels), [])


def test_constant_features_alone_still_give_the_base_rate(learnt: Learnt) -> None:
    table, labels, folds, _ = learnt
    flat = replace(table, values=np.ones_like(table.values))
    level = FailureRisk().fit(flat, labels, folds).level(flat)

    assert level.mean() == pytest.approx((labels == 1).sum() / (labels >= 0).sum(), rel=0.5)
    assert np.ptp(level) == 0


def test_without_held_out_failures_it_claims_less_than_a_half(learnt: Learnt) -> None:
    table, labels, _, _ = learnt
    risk = FailureRisk().fit(table, labels, [])

    assert np.isnan(risk.held_out).all()
    assert risk.level(table).max() <= 0.5


def test_every_failure_weighs_alike_however_many_rows_it_has(learnt: Learnt) -> None:
    table, labels, _, _ = learnt
    uneven = labels.copy()
    first = np.flatnonzero(labels == 1)[:20]
    uneven[first] = -1  # most of the first failure's rows are not known
    episode = episodes_of(table, uneven)
    sample = Sample.of(np.flatnonzero(uneven >= 0), uneven, episode)
    weights = [sample.weights[episode[sample.rows] == number].sum() for number in range(episode.max() + 1)]

    assert np.allclose(weights, weights[0])
    assert len({int((episode[sample.rows] == number).sum()) for number in range(2)}) == 2


@given(st.floats(0.02, 5), st.floats(0.02, 5), st.floats(-20, 20), arrays(np.float64, 20, elements=st.floats(-50, 50)))
def test_a_higher_score_never_means_a_lower_probability(
    below: float, above: float, offset: float, scores: NDArray[np.float64]
) -> None:
    probability = Probability(below, above, offset)(np.sort(scores))

    assert (np.diff(probability) >= 0).all()
    assert ((probability >= 1e-6) & (probability <= 0.999)).all()


@given(st.floats(0, 40), st.floats(-30, 30))
def test_what_few_events_can_prove_caps_the_highest_levels_and_leaves_all_others_as_calibrated(
    events: float, log_odds: float
) -> None:
    free, capped = (Probability(events=each)(np.array([log_odds]))[0] for each in (np.inf, events))
    ceiling = 1 - 1 / (events + 2)

    assert capped <= ceiling
    assert capped == pytest.approx(min(free, ceiling), abs=0.001)
    assert capped == pytest.approx(free, rel=1e-9) or free > ceiling - 0.001


def test_levels_above_what_is_provable_keep_their_order() -> None:
    levels = Probability(events=3)(np.array([2.0, 4.0, 8.0, 16.0, 30.0]))

    assert (np.diff(levels) > 0).all()


def test_at_two_windows_in_a_thousand_it_still_ranks_and_says_how_rare_it_is() -> None:
    def rare(seed: int) -> tuple[FeatureTable, NDArray[np.int8], list[Fold]]:
        table, events = mills(["seal"] * 3, machines=30, days=40, seed=seed, named=f"mill-{seed}")
        table = table.where(np.arange(0, len(table), 2))
        targets = target_events(events, Target())
        labels = label(table, targets, HORIZON, BEGIN + timedelta(days=40))
        return table, labels, choose_folds(table, targets, HORIZON, None)

    table, labels, folds = rare(1)
    risk = FailureRisk().fit(table, labels, folds)
    unseen, outcome, _ = rare(2)
    said, happened = risk.level(unseen)[outcome >= 0], outcome[outcome >= 0] == 1

    assert happened.mean() < 0.003
    assert said.mean() == pytest.approx(happened.mean(), abs=0.003)
    assert (average_precision(said, happened) or 0) > 50 * happened.mean()
