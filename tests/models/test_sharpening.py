from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.event import events_table
from ingest.plant import Target
from models.anomaly.level import AnomalyLevel
from models.anomaly.sharpening import Sharpening
from models.detectors.principal_components import PrincipalComponents
from models.labels.label import target_events
from models.tasks.table import task_of
from tests.models.modes import mills
from tests.models.pumps import BEGIN
from tests.trials.labels import entry_of, fell, trial

Floats = NDArray[np.float64]


def parts(failures: int, *, signal: int = 2, signals: int = 6, seed: int = 0) -> tuple[list[Floats], Floats]:
    random = np.random.default_rng(seed)
    before = [random.exponential(size=(20, signals)) for _ in range(failures)]
    for rows in before:
        rows[:, signal] += 5
    return before, random.exponential(size=(2000, signals))


def test_without_labels_all_signals_weigh_alike() -> None:
    sharpening = Sharpening.learn([], parts(0)[1])

    assert (sharpening.weights == 1).all()
    assert sharpening.failures == 0


def test_more_failures_of_one_signal_make_it_weigh_more_and_never_silence_the_others() -> None:
    few, many = (Sharpening.learn(*parts(count)).weights for count in (3, 30))

    assert 1 < few[2] < many[2]
    assert (np.delete(many, 2) < np.delete(few, 2)).all()
    assert many.min() > 0.05


def test_failures_that_gave_no_sign_teach_nothing() -> None:
    random = np.random.default_rng(1)
    silent = [random.exponential(size=(20, 6)) * 0.5 for _ in range(10)]

    assert Sharpening.learn(silent, random.exponential(size=(2000, 6))).weights == pytest.approx(np.ones(6), abs=0.05)


def test_what_only_makes_clear_failures_clearer_is_not_paid_for_with_another() -> None:
    """Ten are clear by themselves in one signal, and so is one in another signal: weights would hide that one."""
    random = np.random.default_rng(2)
    before, healthy = parts(10)
    for rows in before:
        rows[:, 2] += 4
    rare = random.exponential(size=(20, 6))
    rare[:, 4] += 9
    sharpening = Sharpening.learn([*before, rare], healthy)

    assert (sharpening.weights == 1).all()
    assert sharpening.failures == 0


def test_failures_that_look_alike_by_chance_only_leave_the_weights_where_they_were() -> None:
    """Each of them in another signal: what the others show would have shown none more clearly, so nothing is drawn."""
    before = [parts(1, signal=number, seed=number)[0][0] for number in range(6)]
    sharpening = Sharpening.learn(before, parts(0)[1])

    assert sharpening.weights == pytest.approx(np.ones(6), abs=0.1)


@given(st.integers(1, 12), st.integers(0, 1000))
def test_weights_are_positive_and_one_on_average(failures: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    before = [random.normal(random.normal(size=4), 1.0, (5, 4)) for _ in range(failures)]
    weights = Sharpening.learn(before, random.normal(size=(200, 4))).weights

    assert (weights > 0).all()
    assert weights.mean() == pytest.approx(1)


def test_a_sharpened_detector_keeps_the_contract_its_contributions_add_up() -> None:
    table, events = mills(["seal"] * 24, days=60, seed=1)
    entry, targets, end = entry_of("anomaly"), target_events(events, Target()), BEGIN + timedelta(days=60)
    task = task_of(entry)
    labels = task.labels(entry, table, targets, end)
    level = AnomalyLevel().fit(table, labels, task.folds(entry, table, targets, end))

    ((name, member),) = level.fitted.members.items()
    sharpening = level.sharpening[name]
    weights = dict(zip(sharpening.signals, sharpening.weights, strict=True))
    assert max(weights, key=lambda name: weights[name]) in ("pressure", "flow")
    assert np.allclose(member.contributions(table).sum(axis=1), member.score(table), atol=1e-9)


def test_without_labels_the_model_is_the_one_from_before_bit_for_bit() -> None:
    table, _ = mills([], machines=4, days=20, seed=2)
    entry, none, end = entry_of("anomaly"), target_events(events_table(), Target()), BEGIN + timedelta(days=20)
    task = task_of(entry)
    level = AnomalyLevel().fit(table, task.labels(entry, table, none, end), task.folds(entry, table, none, end))

    assert [type(each) for each in level.fitted.members.values()] == [PrincipalComponents]


@pytest.mark.slow(seconds=8)
def test_recall_at_one_rate_of_false_alarms_never_falls_as_labels_are_added() -> None:
    found = trial(0, supervised=False)

    assert [each.labels for each in found] == [0, 3, 30]
    assert fell(found) == []
    assert found[-1].found > 0
