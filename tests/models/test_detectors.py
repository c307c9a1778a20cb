"""What every detector promises."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import skops.io
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.plant import DetectorName, ModelEntry
from models.anomaly.deviations import Deviations
from models.detector import DETECTORS
from models.registry.archive import TRUSTED
from models.tasks.table import task_of
from tests.models.pumps import HORIZON, NAMES, START, quiet_pumps

TREND = "voltage__mean_change__3h_vs_24h"
"""Every table here has a trend, or a detector of changes would have nothing to say."""


def with_trend(table: FeatureTable) -> FeatureTable:
    change = table.values[:, 0] - table.values[:, 1]
    return replace(table, names=(*table.names, TREND), values=np.column_stack([table.values, change]))


@pytest.fixture(scope="module")
def quiet() -> FeatureTable:
    return with_trend(quiet_pumps(machines=3, days=15))


@pytest.fixture(scope="module")
def strange() -> FeatureTable:
    table = with_trend(quiet_pumps(machines=3, days=4, seed=1))
    random = np.random.default_rng(2)
    values = table.values + random.standard_normal(table.values.shape) * np.nanstd(table.values, axis=0) * 3
    return replace(table, values=np.where(random.random(values.shape) < 0.1, np.nan, values))


def rearranged(table: FeatureTable, order: NDArray[np.intp]) -> FeatureTable:
    return replace(table, names=tuple(table.names[place] for place in order), values=table.values[:, order])


pytestmark = pytest.mark.parametrize("name", DETECTORS)


def test_equal_data_give_equal_scores(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    first, second = (DETECTORS[name]().fit(quiet) for _ in range(2))

    assert np.array_equal(first.score(strange), second.score(strange), equal_nan=True)
    assert np.array_equal(first.contributions(strange), second.contributions(strange))


def test_contributions_add_up_to_the_score(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    detector = DETECTORS[name]().fit(quiet)
    score, parts = detector.score(strange), detector.contributions(strange)

    assert parts.shape == strange.values.shape
    assert np.isfinite(score).all()
    assert parts.sum(axis=1) == pytest.approx(score, abs=1e-6)


def test_a_hole_is_no_hindrance_and_a_row_without_any_reading_has_no_score(name: str, quiet: FeatureTable) -> None:
    values = quiet.values.copy()
    values[3], values[4, -1], values[5, :-1] = np.nan, np.nan, np.nan
    holed = replace(quiet, values=values)
    detector = DETECTORS[name]().fit(holed)
    score, parts = detector.score(holed), detector.contributions(holed)

    assert np.isnan(score[3])
    assert np.isfinite(np.delete(score, 3)).all()
    assert np.isfinite(parts).all()


def test_the_order_of_columns_has_no_say(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    order = np.random.default_rng(0).permutation(len(quiet.names))
    straight, mixed = DETECTORS[name]().fit(quiet), DETECTORS[name]().fit(rearranged(quiet, order))

    assert mixed.score(rearranged(strange, order)) == pytest.approx(straight.score(strange), rel=1e-9)
    assert mixed.contributions(rearranged(strange, order)) == pytest.approx(
        straight.contributions(strange)[:, order], abs=1e-9
    )


def test_units_have_no_say(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    """Volts or millivolts, degrees of either kind: one signal is multiplied, the other moved as well."""
    factor = np.array([1000.0 if each.startswith("voltage") else 1.8 for each in quiet.names])
    offset = np.array([32.0 if "pressure__mean" in each else 0.0 for each in quiet.names])

    def converted(table: FeatureTable) -> FeatureTable:
        return replace(table, values=table.values * factor + offset)

    plain, other = DETECTORS[name]().fit(quiet), DETECTORS[name]().fit(converted(quiet))

    assert other.score(converted(strange)) == pytest.approx(plain.score(strange), rel=1e-4)


def test_what_is_shared_gives_the_same_as_what_is_learnt_alone(
    name: str, quiet: FeatureTable, strange: FeatureTable
) -> None:
    alone, shared = DETECTORS[name]().fit(quiet), DETECTORS[name]().fit(quiet, Deviations.learn(quiet))

    assert np.array_equal(alone.score(strange), shared.score(strange))


def test_a_row_is_scored_by_itself(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    detector = DETECTORS[name]().fit(quiet)
    whole = detector.score(strange)

    for row in (0, 17, len(strange) - 1):
        assert detector.score(strange.where(np.array([row]))) == pytest.approx(whole[row])
    assert len(detector.score(strange.where(np.zeros(0, dtype=np.intp)))) == 0


def test_a_change_is_stranger_than_nearly_all_healthy_time_and_its_signal_is_named(
    name: str, quiet: FeatureTable
) -> None:
    values = quiet.values.copy()
    values[:, [NAMES.index("voltage__mean__3h"), len(NAMES)]] += 25.0
    moved = replace(quiet, values=values)
    detector = DETECTORS[name]().fit(quiet)
    settled = quiet.time > START + np.timedelta64(24, "h")
    parts = detector.contributions(moved)[settled]
    of_voltage = parts[:, [each.startswith("voltage") for each in quiet.names]].sum(axis=1)

    assert np.median(detector.score(moved)[settled]) > np.quantile(detector.score(quiet)[settled], 0.98)
    assert np.median(of_voltage / parts.sum(axis=1)) > 0.6


def test_an_archive_gives_back_what_was_put_in(name: str, quiet: FeatureTable, strange: FeatureTable) -> None:
    detector = DETECTORS[name]().fit(quiet)
    again = skops.io.loads(skops.io.dumps(detector), trusted=list(TRUSTED))

    assert np.array_equal(again.score(strange), detector.score(strange))
    assert np.array_equal(again.contributions(strange), detector.contributions(strange))


def test_a_plant_file_can_name_it(name: str) -> None:
    assert set(get_args(DetectorName)) == set(DETECTORS)
    entry = ModelEntry(name="m", task="anomaly", machine_class="pump", horizon=HORIZON, detectors=[name])

    assert task_of(entry).learner(entry).detectors == (name,)


def test_a_machine_that_never_changed_has_no_score(name: str, quiet: FeatureTable) -> None:
    dead = replace(quiet, values=np.ones_like(quiet.values))

    assert np.isnan(DETECTORS[name]().fit(dead).score(dead)).all()
