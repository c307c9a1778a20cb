"""A recipe is data: it survives JSON, names itself by its hash, and has sensible defaults."""

import json
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import FEATURES
from features.column import feature_of, signal_of, span_text
from features.filled import LEAST_SHARE
from features.limits import Limits
from features.nice_length import nice_length
from features.recipe import Recipe
from features.recipe_for import recipe_for
from ingest.duration import parse_duration
from ingest.errors import PlantFileError
from ingest.plant import MachineClass, ModelEntry, Signal

HOUR = timedelta(hours=1)
PRESS = MachineClass(
    name="press",
    components=["seal"],
    signals=[Signal(name="voltage"), Signal(name="oil__temperature", every=timedelta(minutes=5))],
)


SAMPLING = {"voltage": HOUR, "oil__temperature": timedelta(minutes=5)}


def _entry(**fields: Any) -> ModelEntry:
    return ModelEntry.model_validate(
        {"name": "risk", "task": "failure_risk", "class": "press", "horizon": "24 h"} | fields
    )


def _recipe(sampling: timedelta = HOUR, **fields: Any) -> Recipe:
    machine_class = PRESS.model_copy(update={"signals": [Signal(name="voltage")]})
    return recipe_for(_entry(**fields), machine_class, sampling={"voltage": sampling}, error_codes=["e2", "", "e1"])


spans = st.integers(1, 10**13).map(lambda count: timedelta(microseconds=count))


@given(spans)
def test_a_span_survives_its_text(span: timedelta) -> None:
    assert parse_duration(span_text(span)) == span


def test_a_recipe_survives_json_and_keeps_its_hash() -> None:
    recipe = _recipe(baseline="30 d")

    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))

    assert again == recipe
    assert again.hash == recipe.hash
    assert len(recipe.hash) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"signals": ("current",)},
        {"windows": (3 * HOUR, 24 * HOUR)},
        {"stride": 3 * HOUR},
        {"features": ("mean",)},
        {"components": ()},
        {"error_codes": ("e1",)},
        {"baseline": 24 * HOUR},
        {"every": ()},
        {"machine_class": "pump"},
        {"max_ages": (HOUR,)},
        {"min_fill": 0.5},
    ],
)
def test_every_field_changes_the_hash(change: dict[str, Any]) -> None:
    recipe = _recipe()

    changed = replace(recipe, **change)

    assert changed.hash != recipe.hash
    assert Recipe.from_dict(json.loads(json.dumps(changed.to_dict()))) == changed


def test_a_recipe_of_which_nothing_new_is_declared_has_the_hash_that_it_always_had() -> None:
    press = MachineClass.model_validate(
        {
            "name": "press",
            "components": ["seal"],
            "running": "speed > 100 and state != 'x'",
            "settle": "5 min",
            "signals": [
                {"name": "speed", "unit": "rpm", "every": "1 min"},
                {"name": "force", "every": "1 min", "limits": [0, 80]},
                {"name": "vib", "unit": "g", "rate": "1 kHz", "every": "10 min", "speed": "speed"},
            ],
        }
    )
    entry = _entry(features=["mean", "share_above_limit", "velocity_rms", "harmonic_rms"])
    minute = timedelta(minutes=1)

    recipe = recipe_for(entry, press, sampling={"speed": minute, "force": minute, "vib": 10 * minute})

    assert recipe.min_fill == LEAST_SHARE == ModelEntry.model_fields["min_fill"].default
    assert recipe.hash == "972ec736edeb7c98efdca11f0451ff6345d9dc02a6e095bf836fb2138d193680"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_ages": (HOUR, HOUR)}, "2 maximum ages for 1 signals"),
        ({"min_fill": 1.5}, "min_fill is 1.5; it is a share"),
        ({"every": (timedelta(0),)}, "longer than nothing"),
        ({"max_ages": (-HOUR,)}, "longer than nothing"),
        ({"least_samples": 0}, "least_samples is 0; a window needs one"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(_recipe(), **wrong)


def test_nothing_that_a_recipe_says_is_passed_over() -> None:
    recipe = Recipe(machine_class="press", signals=("force",), windows=(HOUR,), stride=HOUR)

    with pytest.raises(ValueError, match="says 'detrended', which this version does not know"):
        Recipe.from_dict(recipe.to_dict() | {"detrended": True})


def test_a_recipe_of_other_definitions_is_refused() -> None:
    with pytest.raises(ValueError, match="definitions 0"):
        Recipe.from_dict(_recipe().to_dict() | {"definitions": 0})


@pytest.mark.parametrize(
    ("horizon", "sampling", "windows", "stride"),
    [
        ("24 h", "1 h", ["3 h", "24 h", "7 d"], "1 h"),
        ("2 d", "5 min", ["6 h", "2 d", "14 d"], "2 h"),
        ("30 h", "1 h", ["4 h", "30 h", "9 d"], "1 h"),
        ("1 h", "1 s", ["8 min", "1 h", "8 h"], "2 min"),
        ("2 h", "1 h", ["3 h", "15 h"], "1 h"),
        ("24 h", "80 min", ["4 h", "24 h", "7 d"], "2 h"),
        ("7 d", "1 min", ["20 h", "7 d", "49 d"], "4 h"),
        ("1 min", "1 s", ["8 s", "1 min", "8 min"], "2 s"),
    ],
)
def test_windows_and_stride_are_chosen_from_horizon_and_sampling(
    horizon: str, sampling: str, windows: list[str], stride: str
) -> None:
    recipe = _recipe(parse_duration(sampling), horizon=horizon)

    assert [span_text(window) for window in recipe.windows] == windows
    assert span_text(recipe.stride) == stride


@given(spans.filter(lambda span: span > timedelta(milliseconds=1)))
def test_a_nice_length_is_near_what_was_wanted(span: timedelta) -> None:
    assert 0.6 < nice_length(span) / span < 1.7


def test_the_entry_decides_where_it_speaks() -> None:
    recipe = _recipe(windows=["2 d", "6 h"], stride="30 min")

    assert recipe.windows == (6 * HOUR, 48 * HOUR)
    assert recipe.stride == HOUR / 2
    assert recipe.lookback == 48 * HOUR
    assert recipe.pane == HOUR / 2


def test_each_signal_keeps_its_own_interval() -> None:
    recipe = recipe_for(_entry(), PRESS, sampling=SAMPLING)

    assert recipe.signals == ("voltage", "oil__temperature")
    assert recipe.every == (HOUR, timedelta(minutes=5))


def test_a_failure_risk_gets_clocks_and_counts_and_an_anomaly_does_not() -> None:
    risk, anomaly = _recipe(), _recipe(task="anomaly")

    assert risk.names[-7:] == (
        "hours_since_failure",
        "hours_since_maintenance__seal",
        "errors__3h",
        "errors__24h",
        "errors__7d",
        "errors__e1__24h",
        "errors__e2__24h",
    )
    assert all(signal_of(name) == "voltage" for name in anomaly.names)


def test_a_remaining_life_is_told_from_levels_and_trends_and_not_from_unrest() -> None:
    life = _recipe(task="remaining_life", windows=["3 h", "24 h"], baseline="30 d")

    assert {feature_of(each) for each in life.names if signal_of(each)} == {
        *("mean", "slope", "mean_change", "mean_shift"),
    }


def test_machines_that_are_new_at_their_first_reading_have_an_age() -> None:
    recipe = recipe_for(_entry(), PRESS, sampling=SAMPLING, from_new=True)

    assert "hours_in_service" in recipe.names


@pytest.mark.parametrize("name", [feature.name for feature in FEATURES if feature.kind in ("samples", "ordered")])
def test_an_entry_can_name_any_feature_of_the_catalogue(name: str) -> None:
    recipe = _recipe(task="anomaly", features=["slope_error", name])

    assert {column.feature for column in recipe.columns} == {"slope_error", name}


def test_a_failure_risk_keeps_its_clocks_beside_the_features_that_its_entry_names() -> None:
    recipe = _recipe(features=["median", "errors"])

    assert recipe.features == ("median", "errors", "hours_since_failure", "hours_since_maintenance")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["median", "meen"], "models.risk: unknown feature 'meen'; the catalogue has: mean,"),
        (["errors"], "models.risk.features: none is of a signal; add one, such as 'mean'"),
    ],
)
def test_features_that_cannot_be_are_told(features: list[str], message: str) -> None:
    with pytest.raises(PlantFileError, match=message):
        _recipe(features=features)


def test_a_baseline_adds_what_is_measured_against_it() -> None:
    assert "voltage__mean_shift__24h" in _recipe(baseline="30 d").names
    assert "voltage__mean_shift__24h" not in _recipe().names


def test_every_column_says_its_signal() -> None:
    recipe = Recipe(
        machine_class="press",
        signals=("voltage", "oil__temperature", "a b / ü"),
        windows=(3 * HOUR, 24 * HOUR),
        stride=HOUR,
        features=tuple(feature.name for feature in FEATURES),
        components=("seal",),
        error_codes=("e1",),
        baseline=24 * HOUR,
        limits=(Limits(0.0, 1.0),) * 3,
    )

    assert {signal_of(name) for name in recipe.names} == {"voltage", "oil__temperature", "a b / ü", ""}
    assert all(signal_of(column.name) == column.signal for column in recipe.columns)
    assert recipe.column("oil__temperature__mean_change__3h_vs_24h").against == 24 * HOUR


def _with_limits(features: list[str], **limits: tuple[float, float]) -> Recipe:
    signals = [signal.model_copy(update={"limits": limits.get(signal.name)}) for signal in PRESS.signals]
    return recipe_for(_entry(features=features), PRESS.model_copy(update={"signals": signals}), sampling=SAMPLING)


def test_a_feature_against_a_limit_is_offered_where_the_signal_has_that_limit() -> None:
    both = ["mean", "share_above_limit", "share_below_limit"]

    recipe = _with_limits(both, voltage=(-math.inf, 80.0), oil__temperature=(2.5, math.inf))

    against = [(each.signal, each.feature) for each in recipe.columns if each.feature in both[1:]]
    assert set(against) == {("voltage", "share_above_limit"), ("oil__temperature", "share_below_limit")}
    assert recipe.limits == (Limits(high=80.0), Limits(low=2.5))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict(), allow_nan=False))) == recipe


def test_a_feature_against_a_limit_that_no_signal_has_is_told() -> None:
    told = r"models.risk: 'share_above_limit' needs an upper limit, such as limits = \[-inf, 80\], at a signal"

    with pytest.raises(PlantFileError, match=told):
        _with_limits(["mean", "share_above_limit"], voltage=(2.5, math.inf))
    with pytest.raises(PlantFileError, match=told):
        _with_limits(["mean", "share_above_limit"])


def test_limits_that_no_feature_asks_for_change_no_hash() -> None:
    assert _with_limits(["mean"], voltage=(0.0, 80.0)).hash == _with_limits(["mean"]).hash
    assert "limits" not in _with_limits(["mean"], voltage=(0.0, 80.0)).to_dict()
    asked = [_with_limits(["share_above_limit"], voltage=(0.0, high)).hash for high in (80.0, 81.0)]
    assert asked[0] != asked[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"signals": ["voltge"]}, "models.risk.signals: unknown signal 'voltge'; the class has: voltage"),
        ({"windows": ["2 h"]}, "models.risk.windows: 2 h is shorter than three readings.*write 3 h or longer"),
        ({"windows": ["7 d"], "stride": "1.003 s"}, "models.risk: windows and stride share no grid"),
        ({"signals": ["voltage", "voltage"]}, "models.risk: two columns would have one name"),
    ],
)
def test_a_wrong_entry_is_told_what_would_be_right(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PlantFileError, match=message):
        _recipe(**fields)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": ()}, "needs signals, windows"),
        ({"windows": (24 * HOUR, 3 * HOUR)}, "ascend"),
        ({"features": ("meen",)}, "unknown feature 'meen'"),
        ({"features": ("mean_shift",)}, "need 'baseline'"),
        ({"every": (HOUR, HOUR)}, "2 sampling intervals for 1 signals"),
        ({"limits": (Limits(), Limits())}, "2 limits for 1 signals"),
        ({"features": ("share_below_limit",)}, "'share_below_limit' needs a lower limit"),
    ],
)
def test_a_recipe_that_makes_no_sense_cannot_be_written(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(_recipe(), **change)
