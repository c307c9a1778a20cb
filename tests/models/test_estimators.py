import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from models.conditions.classifier import PieceClassifier
from models.conditions.derived import Derived
from models.conditions.members import Standard
from models.detector import DETECTORS
from models.estimators import AnomalyDetector, FailureRiskClassifier
from tests.models.pumps import worn_pumps

ON_TRENDS = ("shift",)

ESTIMATORS: list[BaseEstimator] = [
    FailureRiskClassifier(folds=2),
    *(AnomalyDetector(detector=name) for name in DETECTORS if name not in ON_TRENDS),
    *(AnomalyDetector(detector=name, unnamed="mean_change__1h_vs_24h") for name in ON_TRENDS),
    PieceClassifier(trees=2),
    Derived(),
    Standard(),
]


@parametrize_with_checks(ESTIMATORS)
def test_every_learner_keeps_the_contract_of_scikit_learn(estimator: BaseEstimator, check: object) -> None:
    check(estimator)  # type: ignore[operator]


@pytest.fixture(scope="module")
def worn() -> tuple[pd.DataFrame, np.ndarray]:
    """Features by machine and time, and whether the winding fails within a day."""
    table, events = worn_pumps()
    frame = table.frame()
    ahead = np.zeros(len(frame), dtype=bool)
    for event in events.itertuples():
        until = (pd.Timestamp(event.time).tz_localize(None) - pd.DatetimeIndex(table.time)) / pd.Timedelta(hours=1)
        ahead |= (table.machine == event.machine) & (until >= 0) & (until <= 24)
    return frame, ahead


def test_a_frame_of_features_gives_risks_that_tell_failures(worn: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, ahead = worn
    fitted = FailureRiskClassifier().fit(frame, ahead)
    risk = fitted.predict_proba(frame)[:, 1]

    assert list(fitted.classes_) == [False, True]
    assert risk[ahead].mean() > 5 * risk[~ahead].mean()
    shuffled = np.random.default_rng(0).permutation(len(frame))
    assert np.array_equal(fitted.predict_proba(frame.iloc[shuffled])[:, 1], risk[shuffled])


@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in ON_TRENDS])
def test_a_detector_finds_what_is_strange_in_a_frame(name: str, worn: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, ahead = worn
    fitted = clone(AnomalyDetector(detector=name)).fit(frame[~ahead])

    assert (fitted.predict(frame[ahead]) == -1).mean() > 5 * (fitted.predict(frame[~ahead]) == -1).mean()


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (AnomalyDetector(detector="magic"), "detector='magic' is none of 'principal components'"),
        (AnomalyDetector(unnamed="magic"), "unnamed='magic' is no feature"),
        (FailureRiskClassifier(folds=1), "folds=1 must be 2 or more"),
        (AnomalyDetector(contamination=0.9), "contamination=0.9 must be more than 0"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named_with_what_would(estimator: BaseEstimator, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        estimator.fit(np.zeros((30, 2)), np.arange(30) % 2)
