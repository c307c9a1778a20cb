from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features.extract import extract
from models.bundle import Bundle
from models.explain import explain
from models.registry.registry import Registry
from tests.features.table_history import TableHistory, after
from tests.models.conftest import fitted
from tests.models.pumps import HOURS, MACHINES

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("which", ["seal_risk", "strange_pump"])
def test_a_loaded_bundle_says_the_same_bit_for_bit(
    which: str, request: pytest.FixtureRequest, pumps: TableHistory, tmp_path: Path
) -> None:
    bundle: Bundle = request.getfixturevalue(which)
    registry = Registry(tmp_path)
    saved = registry.save(bundle, created=NOW)
    loaded = registry.load(bundle.entry.name, saved.version)
    table = extract(bundle.recipe, pumps, MACHINES, after(hours=300), after(hours=HOURS))

    assert np.array_equal(loaded.learner.level(table), bundle.learner.level(table), equal_nan=True)
    assert np.array_equal(loaded.learner.parts(table).shares, bundle.learner.parts(table).shares)
    assert (loaded.entry, loaded.recipe, loaded.threshold) == (bundle.entry, bundle.recipe, bundle.threshold)
    assert (loaded.units, loaded.time_zone, loaded.card) == (bundle.units, bundle.time_zone, bundle.card)
    at = after(hours=415)
    assert explain(loaded, pumps, "pump-0", at) == explain(bundle, pumps, "pump-0", at)


def test_a_loaded_bundle_saved_again_is_the_same_version(seal_risk: Bundle, tmp_path: Path) -> None:
    first, second = Registry(tmp_path / "a"), Registry(tmp_path / "b")
    version = first.save(seal_risk, created=NOW).version
    loaded = first.load(seal_risk.entry.name, version)

    assert second.save(loaded, created=NOW).version == version


def test_any_other_content_is_another_version(seal_risk: Bundle, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    others = [
        seal_risk,
        replace(seal_risk, threshold=np.nextafter(seal_risk.threshold, 1)),
        replace(seal_risk, time_zone="UTC"),
        replace(seal_risk, card={**seal_risk.card, "claim": "none"}),
        replace(seal_risk, units={"vibration": "in/s"}),
    ]

    assert len({registry.save(each, created=NOW).version for each in others}) == len(others)


@pytest.mark.parametrize(
    ("judged", "hours"),
    [
        (None, 20),
        ({"lead_hours": {"p10": None}}, 20),
        ({"lead_hours": {"p10": 7.5}}, 7.5),
        ({"lead_hours": {"p10": 99.0}}, 20),
        ({"lead_hours": {"p10": -3.0}}, 0),
    ],
)
def test_the_time_to_act_in_is_what_nine_in_ten_found_events_left(
    seal_risk: Bundle, judged: object, hours: float
) -> None:
    entry = seal_risk.entry.model_copy(update={"horizon": timedelta(hours=24), "needed_lead": timedelta(hours=4)})
    bundle = replace(seal_risk, entry=entry, card={"judged": judged} if judged else {})

    assert bundle.act_within == timedelta(hours=hours)


def test_a_bundle_with_more_horizons_says_the_same_when_it_is_loaded(pumps: TableHistory, tmp_path: Path) -> None:
    bundle = fitted(pumps, horizons=["6 h", "24 h", "3 d"])
    registry = Registry(tmp_path)
    loaded = registry.load("seal risk", registry.save(bundle, created=NOW).version)
    table = extract(bundle.recipe, pumps, MACHINES, after(hours=300), after(hours=HOURS))
    level = bundle.learner.level(table)

    assert bundle.horizons is not None
    assert loaded.horizons is not None
    assert bundle.card["horizons"] == {"told": ["6 h", "24 h", "3 d"], "not_learnt": {}}
    assert np.array_equal(loaded.horizons.probabilities(table, level), bundle.horizons.probabilities(table, level))


def test_more_horizons_change_neither_the_level_nor_the_threshold(pumps: TableHistory, seal_risk: Bundle) -> None:
    bundle = fitted(pumps, horizons=["3 d"])
    table = extract(bundle.recipe, pumps, MACHINES, after(hours=300), after(hours=HOURS))

    assert np.array_equal(bundle.learner.level(table), seal_risk.learner.level(table))
    assert bundle.threshold == seal_risk.threshold
