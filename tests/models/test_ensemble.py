from dataclasses import replace

import numpy as np
import pytest

from features.table import FeatureTable
from ingest.event import events_table
from ingest.plant import Target
from models.anomaly.level import AnomalyLevel
from models.judging.split import time_folds
from models.labels.label import target_events
from tests.models.pumps import HORIZON, NAMES, START, quiet_pumps

SEVERAL = ("principal components", "nearest memory", "robust distance")


def learnt_from(table: FeatureTable) -> AnomalyLevel:
    folds = time_folds(table, target_events(events_table(), Target()), HORIZON, 9)[4:]
    return AnomalyLevel(SEVERAL).fit(table, np.zeros(len(table), dtype=np.int8), folds)


@pytest.fixture(scope="module")
def several() -> AnomalyLevel:
    return learnt_from(quiet_pumps(machines=3))


def test_the_score_is_the_mean_surprise_of_those_that_speak(several: AnomalyLevel) -> None:
    table = quiet_pumps(machines=3, days=4, seed=1)
    ensemble = several.fitted
    surprises = [ensemble.tails[name].surprise(ensemble.members[name].score(table)) for name in SEVERAL]

    assert ensemble.score(table) == pytest.approx(np.mean(surprises, axis=0))


def test_contributions_add_up_to_the_score(several: AnomalyLevel) -> None:
    table = quiet_pumps(machines=3, days=4, seed=1)

    assert several.fitted.contributions(table).sum(axis=1) == pytest.approx(several.fitted.score(table), abs=1e-6)


def test_a_surprise_says_how_rarely_healthy_time_is_as_strange() -> None:
    """Every member is on one scale: about one in e² of rows that it has not seen surprises it by 2 or more."""
    table = quiet_pumps(machines=4, days=40)
    early = table.time < START + np.timedelta64(25, "D")
    several, later = learnt_from(table.where(early)), table.where(~early)
    for name in SEVERAL:
        surprise = several.fitted.tails[name].surprise(several.fitted.members[name].score(later))
        assert (surprise >= 2).mean() == pytest.approx(np.exp(-2), abs=0.07)


def test_a_machine_with_a_fault_is_as_strange_as_no_healthy_time(several: AnomalyLevel) -> None:
    table = quiet_pumps(machines=3)
    values = table.values.copy()
    values[:, NAMES.index("voltage__mean__24h")] += 12.0

    assert np.median(several.level(replace(table, values=values))) > 0.999


def test_one_member_is_as_it_would_be_alone() -> None:
    """The order of rows, and so every alert, is that of the detector itself."""
    table, seen = quiet_pumps(machines=2, days=4, seed=1), quiet_pumps(machines=2)
    folds = time_folds(seen, target_events(events_table(), Target()), HORIZON, 9)[4:]
    alone = AnomalyLevel(("robust distance",)).fit(seen, np.zeros(len(seen), dtype=np.int8), folds)
    score, level = alone.fitted.members["robust distance"].score(table), alone.level(table)

    assert (np.diff(level[np.argsort(score)]) >= 0).all()
