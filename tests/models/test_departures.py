import numpy as np
import pytest

from features.table import FeatureTable
from models.learner import group_of
from models.risk.departures import SURPRISE, Departures
from tests.models.pumps import quiet_pumps


@pytest.fixture(scope="module")
def quiet() -> FeatureTable:
    return quiet_pumps(machines=3, days=15)


def test_each_departure_belongs_to_a_signal_and_the_surprise_to_none(quiet: FeatureTable) -> None:
    wide = Departures.learn(quiet).beside(quiet)
    added = wide.names[len(quiet.names) :]

    assert wide.names[: len(quiet.names)] == quiet.names
    assert np.array_equal(wide.values[:, : len(quiet.names)], quiet.values, equal_nan=True)
    assert added[-1] == SURPRISE
    assert len(added) > 1
    assert {group_of(name) for name in added[:-1]} <= {group_of(name) for name in quiet.names}
    assert len(set(wide.names)) == len(wide.names)


def test_a_row_is_looked_at_by_itself(quiet: FeatureTable) -> None:
    learnt, rows = Departures.learn(quiet), np.array([3, 70, 500])

    assert np.array_equal(learnt.beside(quiet.where(rows)).values, learnt.beside(quiet).values[rows], equal_nan=True)


def test_shares_of_the_surprise_make_one_and_go_to_what_surprises(quiet: FeatureTable) -> None:
    learnt = Departures.learn(quiet)
    usual = quiet.where(np.arange(20))
    usual.values[:] = learnt.detector.deviations.normal.of(usual)

    assert np.allclose(learnt.shares(quiet).sum(axis=1), 1)
    assert np.allclose(learnt.shares(usual).sum(axis=1), 1)
    for column in map(quiet.names.index, ("voltage__mean__3h", "pressure__mean__3h")):
        row = quiet.where(np.array([100]))
        row.values[0, column] += 30 * np.nanstd(quiet.values[:, column])
        assert group_of(quiet.names[int(learnt.shares(row)[0].argmax())]) == group_of(quiet.names[column])
