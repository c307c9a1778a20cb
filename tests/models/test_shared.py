"""What all machines leave their normal by at once is the weather, and no machine."""

from dataclasses import replace

import numpy as np
import pytest

from features.table import FeatureTable
from models.anomaly.normal import Normal
from models.anomaly.shared import Shared
from models.anomaly.usual import BesidePeers, usual_of
from models.believed import believed, beside_peers, explained
from models.bundle import Bundle
from models.why.parts import rarity
from tests.features.table_history import TableHistory, after
from tests.models.mills import HOURS, MACHINES, SLOW, mill_bundle, mill_history, mill_plant, mill_table

WINTER = HOURS // 2
PLAN = mill_plant(operating=False)
HEAT = "temperature__mean__24h"
STEADY = {name: np.full(2 * HOURS, SLOW) for name in MACHINES}


def weather(hours: int = HOURS, *, summer: float = 0.0) -> np.ndarray:
    """Return what the weather adds to a temperature every half hour: days differ, and the second half is warmer."""
    random, days = np.random.default_rng(99), hours // 24 + 2
    daily = np.zeros(days)
    for day in range(1, days):
        daily[day] = 0.7 * daily[day - 1] + 2.0 * random.standard_normal()
    half_hours = np.arange(2 * hours)
    return np.interp(half_hours / 48, np.arange(days), daily) + summer * (half_hours >= 2 * WINTER)


def weathered(*, summer: float = 0.0, **hotter: np.ndarray) -> TableHistory:
    """Return mills that all have the same weather, and some of which are hotter by something of their own."""
    shared = weather(summer=summer)
    own = {name: shared + hotter.get(name.replace("-", "_"), 0.0) for name in MACHINES}
    return mill_history(speed_of=STEADY, hotter=own)


def table_of(history: TableHistory) -> FeatureTable:
    """Return the rows of all mills."""
    return mill_table(PLAN, history)[1]


def winter(table: FeatureTable) -> FeatureTable:
    """Return the rows that are learnt from."""
    return table.where(table.time <= np.datetime64(after(hours=WINTER).replace(tzinfo=None), "us"))


@pytest.fixture(scope="module")
def learnt() -> BesidePeers:
    found = usual_of(winter(table_of(weathered())))
    assert isinstance(found, BesidePeers)
    return found


@pytest.fixture(scope="module")
def strange_mill() -> Bundle:
    return mill_bundle(PLAN, weathered(), hours=WINTER)


def far(usual: Normal | BesidePeers, table: FeatureTable, machine: str = "mill-0") -> float:
    """Return how far the daily mean temperature of a mill lies from normal in the second half, in deviations."""
    rows = (table.machine == machine) & (table.time > np.datetime64("2026-01-31"))
    found = usual.standardise(table)[rows, table.names.index(HEAT)]
    return float(np.nanmedian(np.abs(found)))


def test_a_summer_that_was_never_seen_is_no_departure(learnt: BesidePeers) -> None:
    table = table_of(weathered(summer=12.0))

    assert far(learnt, table) < 0.1 * far(learnt.normal, table)


def test_a_mill_that_is_hot_alone_departs_as_far_as_before(learnt: BesidePeers) -> None:
    hot = 12.0 * (np.arange(2 * HOURS) >= 2 * WINTER)

    alone = table_of(weathered(mill_0=hot))

    assert far(learnt, alone) > 0.9 * far(learnt.normal, alone)
    assert far(learnt, alone, "mill-2") < 0.1 * far(learnt, alone)


def test_days_that_all_have_alike_make_no_deviations_wide(learnt: BesidePeers) -> None:
    column = learnt.names.index(HEAT)

    assert learnt.spread[column] < 0.3 * learnt.shared.normal.spread[learnt.shared.normal.names.index(HEAT)]


def test_mills_that_merely_grow_old_together_are_not_told_by_each_other() -> None:
    worn = 12.0 * np.linspace(0, 1, 2 * HOURS) ** 2

    shared = Shared.learn(table_of(mill_history(speed_of=STEADY, hotter=dict.fromkeys(MACHINES, worn))))

    assert shared is None


def test_of_three_machines_nobody_is_told_by_the_others() -> None:
    table = winter(table_of(weathered()))

    assert Shared.learn(table.where(np.isin(table.machine.astype(str), MACHINES[:3]))) is None


def test_where_too_few_peers_are_known_nothing_is_taken(learnt: BesidePeers) -> None:
    table = table_of(weathered(summer=12.0))
    two = table.where(np.isin(table.machine.astype(str), MACHINES[:3]))

    assert not learnt.shared.of(two).any()
    assert learnt.shared.of(table).any()


def test_minima_and_maxima_move_with_the_mean(learnt: BesidePeers) -> None:
    table = table_of(weathered(summer=12.0))
    moved = learnt.shared.of(table)

    column = [table.names.index(f"temperature__{name}__24h") for name in ("mean", "minimum", "maximum")]
    assert np.array_equal(moved[:, column[0]], moved[:, column[1]])
    assert np.array_equal(moved[:, column[0]], moved[:, column[2]])
    assert not moved[:, [place for place, name in enumerate(table.names) if "deviation" in name]].any()


def test_what_peers_did_later_changes_nothing(learnt: BesidePeers) -> None:
    whole = table_of(weathered(summer=12.0))
    before = whole.time <= np.datetime64("2026-02-01")

    assert learnt.shared.of(whole)[before].tobytes() == learnt.shared.of(whole.where(before)).tobytes()


def test_a_mill_that_is_asked_about_alone_is_told_the_same_to_the_bit(strange_mill: Bundle) -> None:
    history, span = weathered(summer=12.0), (after(hours=WINTER), after(hours=WINTER + 72))

    together = believed(PLAN, history, strange_mill, MACHINES, *span)
    alone = believed(PLAN, history, strange_mill, ["mill-3"], *span)

    own = together.where(together.machine == "mill-3")
    assert len(alone) == 36
    assert own.level.tobytes() == alone.level.tobytes()


def test_peers_are_read_where_the_learner_alone_measures_from_them(strange_mill: Bundle) -> None:
    assert isinstance(strange_mill.normal, BesidePeers)

    plain = replace(strange_mill, normal=strange_mill.normal.normal)

    assert plain.peers_of(["mill-3"]) == strange_mill.peers_of(["mill-3"]) == ["mill-0", "mill-1", "mill-2", "mill-4"]


def test_an_explanation_adds_up_to_the_level_and_says_what_the_weather_lets_expect(strange_mill: Bundle) -> None:
    history, at = weathered(summer=12.0), after(hours=WINTER + 240)

    said = believed(PLAN, history, strange_mill, ["mill-3"], after(hours=WINTER + 238), at)
    why = explained(PLAN, history, strange_mill, "mill-3", at).why
    score = why.base + sum(each.amount for each in why.contributions)

    assert score == pytest.approx(float(rarity(said.level)[-1]), abs=1e-6)
    row = beside_peers(strange_mill, PLAN.classes[0], history, ["mill-3"], after(hours=WINTER + 238), at).table
    expected, column = strange_mill.normal.of(row), row.names.index(HEAT)
    assert abs(row.values[0, column] - expected[0, column]) < 2
    assert row.values[0, column] > 60
