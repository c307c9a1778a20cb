from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from features.extract import extract
from features.table import FeatureTable
from ingest.event import Event
from ingest.plant import Signal
from models.assess import assess_table, reasons
from models.assessment import Reason
from models.believed import believed
from models.bundle import Bundle
from models.filled import Filled
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.registry.card import page
from tests.features.table_history import TableHistory, after
from tests.models.pumps import FAILURES, HOURS, MACHINES, PLANT, pump_entry, pump_history


def test_every_window_end_has_a_level_or_a_reason(seal_risk: Bundle, pumps: TableHistory) -> None:
    said = believed(PLANT, pumps, seal_risk, MACHINES, after(hours=100), after(hours=HOURS))
    ok = said.reason == Reason.OK

    assert len(said) > 1000
    assert np.array_equal(ok, np.isfinite(said.level))
    assert set(said.reason) <= {str(each) for each in Reason}
    assert ((said.level[ok] >= 0) & (said.level[ok] <= 1)).all()
    assert said.threshold == seal_risk.threshold
    assert set(said.machine) == set(MACHINES)


def test_levels_are_high_before_failures_and_low_otherwise(seal_risk: Bundle, pumps: TableHistory) -> None:
    said = believed(PLANT, pumps, seal_risk, ["pump-0"], after(hours=0), after(hours=HOURS))
    hours = (said.time - np.datetime64(after(hours=0).replace(tzinfo=None), "us")) / np.timedelta64(1, "h")
    worn = np.zeros(len(said), dtype=bool)
    for failure in FAILURES["pump-0"]:
        worn |= (hours > failure - 16) & (hours <= failure - 1)
    near = np.zeros(len(said), dtype=bool)
    for failure in FAILURES["pump-0"]:
        near |= (hours > failure - 24) & (hours <= failure + 4)

    assert np.nanmin(said.level[worn]) > np.nanquantile(said.level[~near], 0.99)


def test_a_machine_settles_after_a_failure(seal_risk: Bundle, pumps: TableHistory) -> None:
    failure = FAILURES["pump-0"][1]
    said = believed(PLANT, pumps, seal_risk, ["pump-0"], after(hours=failure), after(hours=failure + 12))

    assert said.reason[0] == Reason.SETTLING
    assert said.reason[-1] == Reason.OK


def test_a_broken_machine_has_no_level_until_it_is_mended(seal_risk: Bundle, pumps: TableHistory) -> None:
    breakdown = Event(machine="pump-0", kind="failure", time=after(hours=300), end=after(hours=324))
    lasting = TableHistory(pumps.readings, [breakdown])
    said = believed(PLANT, lasting, seal_risk, ["pump-0", "pump-1"], after(hours=290), after(hours=340))
    hours = (said.time - np.datetime64(after(hours=0).replace(tzinfo=None), "us")) / np.timedelta64(1, "h")
    down = (hours > 300) & (hours <= 324) & (said.machine == "pump-0")

    assert np.array_equal(said.reason == Reason.DOWN, down)
    assert np.isnan(said.level[down]).all()


def test_thin_and_silent_windows_have_a_reason_and_no_level(seal_risk: Bundle, pumps: TableHistory) -> None:
    table = extract(seal_risk.recipe, pumps, ["pump-1"], after(hours=300), after(hours=320))
    filled = table.filled.copy()
    filled[0], filled[1], filled[2] = 0.0, 0.3, np.nan
    said = assess_table(seal_risk, replace(table, filled=filled))

    assert list(said.reason[:4]) == [Reason.NO_DATA, Reason.TOO_LITTLE, Reason.NO_DATA, Reason.OK]
    assert np.isnan(said.level[:3]).all()


def test_each_level_knows_how_much_of_the_expected_readings_it_was_built_from(
    seal_risk: Bundle, pumps: TableHistory
) -> None:
    gone = pumps.readings["time"] == after(hours=319)
    thin = TableHistory(pumps.readings.assign(vibration=pumps.readings["vibration"].mask(gone)))

    whole, said = (
        believed(PLANT, each, seal_risk, ["pump-1"], after(hours=310), after(hours=320)) for each in (pumps, thin)
    )

    assert whole.built_from() == [Filled(1.0)] * 5
    assert said.built_from() == [Filled(1.0)] * 4 + [Filled(0.75)]
    assert said.where(np.array([-1])).built_from() == [Filled(0.75)]


def test_what_comes_later_changes_no_assessment(seal_risk: Bundle, pumps: TableHistory) -> None:
    known = believed(PLANT, pumps, seal_risk, MACHINES, after(hours=200), after(hours=480))
    changed = believed(PLANT, pump_history(later=9.0), seal_risk, MACHINES, after(hours=200), after(hours=480))

    assert np.array_equal(known.level, changed.level, equal_nan=True)
    assert np.array_equal(known.reason, changed.reason)


def test_an_empty_span_gives_no_assessment(seal_risk: Bundle, pumps: TableHistory) -> None:
    assert len(believed(PLANT, pumps, seal_risk, MACHINES, after(hours=300), after(hours=300))) == 0
    assert seal_risk.recipe.stride == timedelta(hours=2)


@pytest.mark.parametrize(
    ("filled", "off", "reason"),
    [
        (0.4, 0.6, Reason.OK),
        (0.25, 0.5, Reason.OK),
        (0.2, 0.5, Reason.TOO_LITTLE),
        (0.0, 0.5, Reason.NO_DATA),
        (0.0, 0.7, Reason.OFF),
        (0.2, 0.8, Reason.OFF),
        (0.0, 1.0, Reason.OFF),
        (0.45, 0.0, Reason.TOO_LITTLE),
    ],
)
def test_readings_are_asked_for_of_the_time_in_which_a_machine_ran(filled: float, off: float, reason: Reason) -> None:
    table = FeatureTable(
        np.array(["m"], object), np.array([0], "datetime64[us]"), ("a__mean__1d",), np.ones((1, 1)), np.array([filled])
    )

    assert reasons(replace(table, off=np.array([off])), timedelta(days=1)) == [reason.value]


def test_a_machine_that_is_off_has_no_level_and_that_is_the_reason(pumps: TableHistory) -> None:
    readings = pumps.readings.assign(speed=1.0)
    rests = (readings["time"] > after(hours=200)) & (readings["time"] <= after(hours=220))
    readings.loc[rests, ["speed", *(name for name in pumps.signals)]] = 0.0
    history = TableHistory(readings, [])
    running = {"running": "speed > 0", "signals": [*PLANT.classes[0].signals, Signal(name="speed")]}
    pump = PLANT.classes[0].model_copy(update=running)
    plant = PLANT.model_copy(update={"classes": [pump]})
    entry = pump_entry(name="strange", task="anomaly", signals=list(pumps.signals))
    recipe = recipe_until(plant, history, entry, after(hours=HOURS))
    table = extract(recipe, history, MACHINES, after(hours=-1), after(hours=HOURS))
    bundle = fit_bundle(entry, plant, recipe, table, history.events(), after(hours=HOURS))

    said = believed(PLANT, history, bundle, ["pump-0"], after(hours=150), after(hours=240))

    hours = (said.time - np.datetime64(after(hours=0).replace(tzinfo=None), "us")) / np.timedelta64(1, "h")
    off = said.reason == Reason.OFF
    shortest = bundle.recipe.windows[0] / timedelta(hours=1)
    assert off[(hours >= 200 + shortest) & (hours <= 220)].all()
    assert not off[(hours <= 200) | (hours >= 221 + shortest)].any()
    assert np.isnan(said.level[off]).all()
    assert (said.level[~off & np.isfinite(said.level)] < bundle.threshold).all()
    assert bundle.card["data"]["reasons"]["off"] > 0
    assert any("Not assessed for" in line and " off " in line for line in page(bundle.card).splitlines())
