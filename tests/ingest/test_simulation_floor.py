"""The floor of a simulated machine: what its line computer tells, and what is lost on purpose."""

import json
import tomllib
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest

from ingest.errors import ScenarioError
from ingest.plant import Plant
from ingest.simulation.floor import OFF, RUNNING, SETUP
from ingest.simulation.machine import MachineDay, scenario_days, simulate_machine
from ingest.simulation.plant_text import file_sources, plant_text
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario, scenario_from

SETTINGS = {"machines": {"press": 1}, "days": 20, "every": timedelta(hours=1), "seed": 7}


def scenario(*losses: PlantedLoss, floor: bool = True) -> Scenario:
    return Scenario(floor=floor, losses=losses, **SETTINGS)  # type: ignore[arg-type]


def days(of: Scenario) -> list[MachineDay]:
    return list(scenario_days(of, of.plant()[0]))


def test_a_floor_changes_nothing_that_was_there_without_it() -> None:
    without, with_ = (simulate_machine(each, each.plant()[0]) for each in (scenario(floor=False), scenario()))

    assert with_.readings.table.equals(without.readings.table)
    own = with_.events[~with_.events["kind"].isin(["state", "order", "count"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, without.events)
    assert with_.production.empty


def test_states_orders_and_counts_tell_of_each_day() -> None:
    told = [each for day in days(scenario()) for each in day.happenings]

    words = {each.code for each in told if each.kind == "state"}
    assert {RUNNING, SETUP, OFF} < words
    products = {"door panel", "cover", "clip plate"}
    assert {each.component for each in told if each.kind in ("order", "count")} <= products
    good = sum(each.value or 0 for each in told if each.kind == "count" and each.code == "good")
    scrap = sum(each.value or 0 for each in told if each.kind == "count" and each.code == "scrap")
    assert 0.005 < scrap / (good + scrap) < 0.02


def test_a_planted_loss_takes_what_its_truth_says_and_only_from_its_day_on() -> None:
    loss = PlantedLoss(machine="press-01", kind="minor stops", size=5, reason="jam", from_day=10)
    planted = days(scenario(loss))

    stood = _seconds(planted, "jam")
    assert sum(day.lost.get(0, 0.0) for day in planted) == stood > 0
    assert [number for number, day in enumerate(planted) if day.lost] == [
        number for number, day in enumerate(planted) if number >= 10 and _seconds([day], "jam")
    ]
    assert [day.happenings for day in planted[:10]] == [day.happenings for day in days(scenario())[:10]]


def _seconds(of: list[MachineDay], word: str) -> float:
    found = 0.0
    for day in of:
        states = [each for each in day.happenings if each.kind == "state"]
        found += sum(after.time - each.time for each, after in pairwise(states) if each.code == word)
    return found


def test_a_slow_cycle_makes_fewer_pieces_in_the_same_time() -> None:
    def made(of: Scenario) -> float:
        return sum(each.value or 0 for day in days(of) for each in day.happenings if each.kind == "count")

    slow = scenario(PlantedLoss(machine="press-01", kind="slow cycle", size=0.25))
    assert made(slow) / made(scenario()) == pytest.approx(1 / 1.25, rel=0.01)


def test_the_plant_file_names_products_shifts_and_words_and_can_be_read() -> None:
    own = scenario(PlantedLoss(machine="press-01", kind="wrong ideal cycle", size=0.5, product="cover"))
    text = plant_text(own, file_sources(own, "csv", production=False), defaultdict(bool), files=True)
    plant = Plant.model_validate(tomllib.loads(text))

    assert {each.name for each in plant.products} == {"door panel", "cover", "clip plate"}
    cover = next(each for each in plant.products if each.name == "cover")
    assert cover.ideal_cycles == {"press": timedelta(seconds=18), "press-01": timedelta(seconds=12)}
    assert [str(each.hours) for each in plant.shifts] == ["06:00-14:00", "14:00-22:00"]
    assert plant.production.words.changeover == [SETUP]
    assert [each.action for each in plant.jobs].count("losses") == 1


def test_a_scenario_with_losses_comes_back_from_json() -> None:
    own = scenario(PlantedLoss(machine="press-01", kind="scrap", size=0.02, product="cover", days=3))

    assert scenario_from(json.loads(json.dumps(own.to_dict()))) == own


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"floor": False, "losses": [{"machine": "press-01", "kind": "scrap", "size": 0.1}]}, "set floor"),
        ({"floor": True, "losses": [{"machine": "press-9", "kind": "scrap", "size": 0.1}]}, "press-9"),
        (
            {"floor": True, "losses": [{"machine": "press-01", "kind": "scrap", "size": 0.1, "product": "lid"}]},
            "with lid",
        ),
        ({"floor": True, "losses": [{"machine": "press-01", "kind": "noise", "size": 0.1}]}, "no kind 'noise'"),
        ({"floor": True, "losses": [{"machine": "press-01", "kind": "scrap", "size": 0}]}, "above 0"),
    ],
)
def test_a_loss_that_makes_no_sense_is_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        scenario_from({"machines": {"press": 1}, **settings})
