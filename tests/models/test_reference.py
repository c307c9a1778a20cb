"""Readings referred to one condition, whatever a machine is told to do with each of them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from features.extract import extract
from features.recipe import Recipe
from features.reference import Reference, ReferredHistory
from features.stream import Stream
from models.context.reference import reference_of
from tests.features.table_history import TableHistory, after, readings_frame
from tests.models.fans import MACHINES, SPEEDS, fan_history, fan_plant, fan_table

EVERY = dict.fromkeys(("speed", "current", "vibration"), timedelta(hours=1))


def learnt(history: TableHistory) -> Reference:
    found = reference_of(fan_plant().classes[0], history, MACHINES, after(hours=200), sampling=EVERY)
    assert found is not None
    return found


def test_points_are_found_where_machines_are_run() -> None:
    reference = learnt(fan_history())
    places = np.array(reference.points) * np.array(reference.scale) + np.array(reference.centre)

    assert places[:, 0] == pytest.approx(SPEEDS, abs=1)
    assert reference.signals == ("current", "vibration")


def test_what_is_done_all_the_time_needs_no_reference() -> None:
    frames = fan_history().readings.assign(
        speed=1000 + np.random.default_rng(0).standard_normal(len(fan_history().readings))
    )

    assert (
        reference_of(fan_plant().classes[0], TableHistory(frames), MACHINES, after(hours=200), sampling=EVERY) is None
    )


def test_a_referred_signal_follows_wear_and_no_longer_the_orders() -> None:
    history = fan_history()
    raw = history.read("fan", machines=["fan-03"]).table.to_pandas()
    told = ReferredHistory(history, learnt(history)).read("fan", machines=["fan-03"]).table.to_pandas()

    assert abs(np.corrcoef(raw["speed"], raw["current"])[0, 1]) > 0.9
    assert abs(np.corrcoef(told["speed"], told["current"])[0, 1]) < 0.2
    assert told["current"].iloc[-20:].mean() > told["current"].iloc[:40].mean() + 0.3
    assert told["speed"].tolist() == raw["speed"].tolist()


def test_a_reading_at_a_point_that_nobody_knows_is_left_out() -> None:
    reference = learnt(fan_history())
    odd = fan_history(odd="fan-05")
    told = ReferredHistory(odd, reference).read("fan", machines=["fan-05"], signals=["current"]).table

    assert np.isnan(told["current"].to_numpy()[50:]).all()
    assert np.isfinite(told["current"].to_numpy()[:50]).all()


def test_an_order_holds_until_the_next_but_not_for_ever_and_never_for_another_machine() -> None:
    reference = replace(learnt(fan_history()), hold=timedelta(hours=2))
    minutes = np.arange(5) * 60.0
    silent = np.array([600.0, np.nan, np.nan, np.nan, 600.0])
    frame = readings_frame("a", minutes, speed=silent, current=np.full(5, 4.0), vibration=np.ones(5))
    other = readings_frame("b", minutes[:1], speed=[np.nan], current=[4.0], vibration=[1.0])
    history = TableHistory(pd.concat([frame, other]))
    told = ReferredHistory(history, reference)
    current = told.read("fan").table["current"].to_numpy()
    later = told.read("fan", machines=["a"], start=after(minutes=30)).table["current"].to_numpy()

    assert np.isfinite(current).tolist() == [True, True, True, False, True, False]
    assert np.isfinite(later).tolist() == [True, True, False, True]


def test_pieces_and_the_future_change_nothing() -> None:
    plant, history = fan_plant(), fan_history()
    recipe, table = fan_table(plant, history)
    first = extract(recipe, history, MACHINES, after(hours=-1), after(hours=40))
    rest = extract(recipe, history, MACHINES, after(hours=40), after(hours=160), cells=500)
    early = table.where(table.time <= first.time.max())

    assert np.array_equal(early.values, first.values, equal_nan=True)
    assert np.array_equal(table.where(table.time > first.time.max()).values, rest.values, equal_nan=True)


def test_a_recipe_keeps_its_reference_and_a_hash_of_its_own() -> None:
    recipe, _ = fan_table(fan_plant(), fan_history())

    assert recipe.reference is not None
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.signals == ("current", "vibration")
    assert replace(recipe, reference=None).hash != recipe.hash


def test_a_stream_says_that_it_refers_nothing() -> None:
    recipe, _ = fan_table(fan_plant(), fan_history())

    with pytest.raises(ValueError, match="referred to one condition"):
        Stream(recipe, fan_history(), since=after(hours=0))


def test_machines_that_are_held_out_have_no_part_in_it() -> None:
    plant, history = fan_plant(held=12), fan_history()
    changed = history.readings.copy()
    changed.loc[changed["machine"].isin(MACHINES[12:]), "current"] *= 7

    assert fan_table(plant, history)[0].reference == fan_table(plant, TableHistory(changed))[0].reference
