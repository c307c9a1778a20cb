from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.extract import extract
from ingest.errors import NotEnoughDataError, PlantFileError, RegistryError
from models.judging.split import machine_folds
from models.own_estimator import new_estimator, require_allowed
from models.registry.registry import Registry
from models.risk.own_risk import OwnRisk
from models.train import train
from tests.features.table_history import TableHistory, after
from tests.models.conftest import fitted
from tests.models.pumps import HOURS, MACHINES, PLANT, pump_entry, worn_pumps

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FOREST = {
    "estimator": "sklearn.ensemble.ExtraTreesClassifier",
    "estimator_parameters": {"n_estimators": 20, "min_samples_leaf": 5},
}

OWN = '''
import numpy as np

class Nearer:
    """Says how much nearer a row lies to the middle of one class than to that of the other."""
    def __init__(self, power=1.0):
        self.power = power
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.middle_ = np.stack([X[y == each].mean(axis=0) for each in self.classes_])
        self.scale_ = X.std(axis=0) + 1e-9
        return self
    def predict_proba(self, X):
        far = np.abs((X[:, None, :] - self.middle_[None]) / self.scale_).mean(axis=2) ** self.power
        return far[:, ::-1] / far.sum(axis=1, keepdims=True)

class Mute:
    def fit(self, X, y):
        return self

def made():
    return Nearer()
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of the plant's own people."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "press_science.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    return "press_science.Nearer"


def test_an_estimator_of_scikit_learn_takes_the_place_of_ours(pumps: TableHistory, tmp_path: Path) -> None:
    bundle = fitted(pumps, **FOREST)
    registry = Registry(tmp_path / "models")
    version = registry.save(bundle, created=NOW).version
    loaded = Registry(tmp_path / "models").load("seal risk", version)
    table = extract(bundle.recipe, pumps, MACHINES, after(hours=300), after(hours=HOURS))
    again = Registry(tmp_path / "again").save(fitted(pumps, **FOREST), created=NOW).version

    assert type(bundle.learner).__name__ == "OwnRisk"
    assert np.array_equal(loaded.learner.level(table), bundle.learner.level(table))
    some = table.where(np.arange(0, len(table), 8))
    assert np.array_equal(loaded.learner.parts(some).shares, bundle.learner.parts(some).shares)
    assert again == version
    level = bundle.learner.level(table)
    assert np.nanmax(level) > 10 * np.nanmedian(level)


def test_an_own_class_is_refused_until_somebody_allows_it(own: str, pumps: TableHistory, tmp_path: Path) -> None:
    entry = pump_entry(estimator=own)
    with pytest.raises(
        PlantFileError, match=r"press_science\.Nearer' is code that nobody allowed.*ANDON_TRUSTED_TYPES"
    ):
        train(PLANT, pumps, entry, Registry(tmp_path / "models"), now=NOW)
    bundle = fitted(pumps, estimator=own, estimator_parameters={"power": 2.0})
    with pytest.raises(RegistryError, match=r"types that nobody allowed to load: press_science\.Nearer; if you trust"):
        Registry(tmp_path / "models").save(bundle, created=NOW)

    allowing = Registry(tmp_path / "models", types=[own])
    version = allowing.save(bundle, created=NOW).version
    assert Registry(tmp_path / "models", types=[own]).load("seal risk", version).learner.fitted.power == 2.0  # type: ignore[attr-defined]
    with pytest.raises(RegistryError, match=r"holds types that are not allowed.*press_science\.Nearer"):
        Registry(tmp_path / "models").load("seal risk", version)


@pytest.mark.parametrize(
    ("dotted", "parameters", "why"),
    [
        ("no_such_package.Classifier", {}, "cannot be imported.*No module named 'no_such_package'.*PYTHONPATH"),
        ("press_science.Absent", {}, "module 'press_science' has no 'Absent'"),
        ("press_science.made", {}, "is no class"),
        ("press_science.Mute", {}, "lacks predict_proba; a failure risk needs fit and predict_proba"),
        ("press_science.Nearer", {"speed": 1}, "cannot be made with these estimator_parameters.*speed"),
        ("sklearn.linear_model.Ridge", {}, "lacks predict_proba"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_missing(own: str, dotted: str, parameters: object, why: str) -> None:
    with pytest.raises(PlantFileError, match=f"model 'm': estimator '{dotted}' .*{why}|{why}"):
        new_estimator("m", dotted, parameters)  # type: ignore[arg-type]


def test_only_those_of_scikit_learn_and_those_listed_may_be_imported() -> None:
    require_allowed(pump_entry(), ())
    require_allowed(pump_entry(**FOREST), ())
    require_allowed(pump_entry(estimator="my_package.My"), ("my_package.My",))
    for name in ("my_package.My", "os.system", "sklearn_evil.Classifier"):
        with pytest.raises(PlantFileError):
            require_allowed(pump_entry(estimator=name), ("my_package.Other",))


@pytest.mark.parametrize("estimator", ["sklearn.naive_bayes.GaussianNB", FOREST["estimator"]])
def test_values_that_nobody_knows_stop_no_estimator(estimator: str) -> None:
    table, events = worn_pumps(machines=4, days=12)
    hours = (events["time"].dt.tz_localize(None).to_numpy() - table.time[0]) / np.timedelta64(1, "h")
    labels = np.zeros(len(table), dtype=np.int8)
    for machine, hour in zip(events["machine"], hours, strict=True):
        own_hours = (table.time - table.time[0]) / np.timedelta64(1, "h")
        labels[(table.machine == machine) & (own_hours < hour) & (own_hours >= hour - 24)] = 1
    table.values[::7, 0] = np.nan
    learner = OwnRisk("m", str(estimator), {}).fit(table, labels, machine_folds(table, events.iloc[:0], 4))

    level = learner.level(table)
    assert np.isfinite(level).all()
    assert level[labels == 1].mean() > 3 * level[labels == 0].mean()
    shares = learner.parts(table.where(np.flatnonzero(labels == 1)[::4])).shares
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    assert learner.groups[int(shares.sum(axis=0).argmax())] == "voltage"
    with pytest.raises(NotEnoughDataError):
        OwnRisk("m", str(estimator), {}).fit(table, np.zeros_like(labels), [])
