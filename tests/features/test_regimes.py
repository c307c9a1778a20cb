"""Declared regimes: how much of each window a machine spends in each of them (DQ-03, FE-06)."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from features.column import REGIME_SHARE
from features.extract import extract
from features.recipe import Recipe
from features.regime_time import regime_time
from features.regimes import Regimes
from features.running import Running
from features.touched import touched
from ingest.event import Event
from ingest.plant import MachineClass, Regime, Signal
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
REGIMES = Regimes(("full", "part"), ("speed > 100", "speed > 50"), ("speed",), (5 * MINUTE,))
RECIPE = Recipe(
    machine_class="press",
    signals=("force",),
    windows=(10 * MINUTE, 20 * MINUTE),
    stride=10 * MINUTE,
    features=("mean", REGIME_SHARE),
    every=(MINUTE,),
    regimes=REGIMES,
)


def history(*speeds: float, events: tuple[Event, ...] = ()) -> TableHistory:
    """Return a press with a speed for each minute from the start on."""
    return TableHistory(
        readings_frame("m", np.arange(len(speeds)), speed=np.array(speeds), force=np.ones(len(speeds))), events
    )


def shares(recipe: Recipe, past: TableHistory, window: str, minutes: int) -> list[list[float]]:
    """Return the shares of all regimes of each window of one length."""
    table = extract(recipe, past, ["m"], START, after(minutes=minutes))
    names = [f"regime_share__{part}__{window}" for part in REGIMES.parts]
    return pd.DataFrame(table.values, columns=list(table.names))[names].round(3).to_numpy().tolist()


def test_each_window_says_how_much_of_it_each_regime_holds() -> None:
    past = history(*[150] * 13, *[80] * 3, *[0] * 5)

    assert shares(RECIPE, past, "10min", 20) == [[1, 0, 0], [0.3, 0.3, 0.4]]
    assert shares(RECIPE, past, "20min", 20)[1] == [0.65, 0.15, 0.2]


def test_of_several_regimes_at_once_the_first_counts_and_a_state_is_one() -> None:
    recipe = replace(RECIPE, regimes=replace(REGIMES, expressions=("speed > 100", "state == 'test'")))
    told = [Event(machine="m", kind="state", time=after(minutes=at), code=code) for at, code in ((4, "test"), (9, "a"))]
    past = history(*[150] * 6, *[0] * 15, events=tuple(told))

    assert shares(recipe, past, "10min", 20) == [[0.6, 0.3, 0.1], [0, 0, 1]]


def test_what_is_not_known_is_in_no_regime() -> None:
    # A value holds for five minutes: after that nothing is known, and 'other' would be a guess.
    first, second = shares(RECIPE, history(*[150] * 3, *[np.nan] * 18), "10min", 20)

    assert first == [0.7, 0, 0]
    assert np.isnan(second).all()


def test_time_at_which_the_machine_is_off_is_in_no_regime() -> None:
    running = Running("speed > 10", ("speed",), settle=timedelta(0), hold=5 * MINUTE)

    assert shares(replace(RECIPE, running=running), history(*[150] * 5, *[0] * 6), "10min", 10) == [[0.5, 0, 0]]


def test_a_window_reaches_back_over_no_failure() -> None:
    failed = Event(machine="m", kind="failure", time=after(minutes=15))

    assert shares(RECIPE, history(*[150] * 15, *[80] * 6, events=(failed,)), "20min", 20)[1] == [0, 1, 0]


def test_a_late_reading_touches_the_windows_in_which_it_holds() -> None:
    minute = 60_000_000

    # Windows of 20 min hold what was read up to 5 min before they begin.
    assert touched(RECIPE, np.array([60 * minute]), 0, 0, 600 * minute) == [(50 * minute, 80 * minute)]
    assert touched(RECIPE, np.array([66 * minute]), 0, 0, 600 * minute) == [(60 * minute, 90 * minute)]


def test_a_recipe_with_regimes_is_kept_and_one_without_has_the_hash_it_had() -> None:
    plain = replace(RECIPE, features=("mean",), regimes=None)

    assert Recipe.from_dict(RECIPE.to_dict()) == RECIPE
    assert plain.hash == "65cd7eaf74c0559790265d9f9dda6bbc1daf2a1770c501809509b2c845db04c3"
    assert len({plain.hash, RECIPE.hash, replace(RECIPE, signals=("force", "speed"), every=()).hash}) == 3
    assert {"regimes", "operating"}.isdisjoint(plain.to_dict())


def test_the_time_in_regimes_is_told_and_so_is_one_that_never_held() -> None:
    press = MachineClass(
        name="press",
        signals=[Signal(name="speed", every=MINUTE), Signal(name="force", every=MINUTE)],
        regimes=[Regime(name="full", when="speed > 100"), Regime(name="test", when="speed > 900")],
    )
    found = regime_time(press, history(*[150] * 15, *[80] * 6))

    assert found is not None
    assert found.shares == pytest.approx({"full": 0.75, "test": 0, "other": 0.25}, abs=0.01)
    assert found.summary() == "press: regimes in the newest 20 min: full 75%, test never, other 25%."
    assert regime_time(press.model_copy(update={"regimes": []}), history(150)) is None
