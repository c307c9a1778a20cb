"""What every loss finder promises: silence where nothing is lost or known, the same again, and numbers to check."""

from datetime import timedelta

import pandas as pd
import pytest

from ingest.event import Event
from ingest.simulation.planted_loss import PlantedLoss
from models.efficiency.finders.catalogue import FINDERS
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look
from tests.features.table_history import TableHistory
from tests.floor_plant import FloorPlant, floor_plant

DAY = 58
PLANTED = {
    "minor stops": PlantedLoss(machine="press-01", kind="minor stops", size=4, from_day=40),
    "slow cycle": PlantedLoss(machine="press-01", kind="slow cycle", size=0.08, from_day=40),
    "ideal cycle time": PlantedLoss(machine="press-01", kind="wrong ideal cycle", size=0.4),
    "starved": PlantedLoss(machine="press-01", kind="starved", size=0.12, from_day=40),
    "blocked": PlantedLoss(machine="press-01", kind="blocked", size=0.12, from_day=40),
    "long change-over": PlantedLoss(machine="press-01", kind="long change-over", size=0.8, from_day=35),
    "scrap": PlantedLoss(machine="press-01", kind="scrap", size=0.05, from_day=40),
}
"""A loss for each finder that the floor of the simulator can plant; energy and the bottleneck
have tests of their own."""


def look(works: FloorPlant, machine: str = "press-01", day: int = DAY) -> Look:
    return Look(works.plant, works.history, machine, works.midnight(0), works.midnight(day + 1))


def all_found(of: Look) -> list[FoundLoss]:
    return [each for finder in FINDERS.values() for each in finder(of)]


@pytest.fixture(scope="module")
def clean() -> FloorPlant:
    return floor_plant(seed=41)


@pytest.fixture(scope="module", params=sorted(PLANTED))
def planted(request: pytest.FixtureRequest) -> tuple[str, FloorPlant]:
    return request.param, floor_plant(PLANTED[request.param], seed=42)


def test_each_finder_has_a_loss_that_it_is_tried_on() -> None:
    assert {*PLANTED, "energy", "bottleneck shift"} == set(FINDERS)


def test_hardly_anything_is_found_where_nothing_is_lost() -> None:
    found = [
        each
        for seed in range(44, 50)
        for machine in ("press-01", "press-02")
        for each in all_found(look(floor_plant(seed=seed), machine))
    ]

    assert len(found) <= 1, "of twelve machines, each with eight finders"


def test_nothing_is_found_where_nothing_is_known(clean: FloorPlant) -> None:
    silent = TableHistory(clean.history.readings, [])

    assert all_found(Look(clean.plant, silent, "press-01", clean.midnight(0), clean.midnight(DAY))) == []


def test_a_planted_loss_is_found_by_its_finder_and_by_no_other(planted: tuple[str, FloorPlant]) -> None:
    cause, works = planted

    (found,) = all_found(look(works))
    assert (found.cause, found.machine) == (cause, "press-01")
    # A press that cannot get rid of its pieces is held up by the one after it.
    others = {"bottleneck shift"} if cause == "blocked" else set()
    assert {each.cause for each in all_found(look(works, "press-02"))} <= others


def test_what_is_told_can_be_checked(planted: tuple[str, FloorPlant]) -> None:
    cause, works = planted

    (found,) = FINDERS[cause](look(works))
    assert found.finder == cause
    assert found.evidence
    assert found.earliest <= found.since <= found.latest
    assert found.since < found.seen <= works.midnight(DAY + 1)
    assert found.sentence.startswith("press-01: ")
    for each in found.evidence:
        assert each.actual != each.expected
    if found.hours_low is not None and found.hours is not None and found.hours_high is not None:
        assert 0 < found.hours_low < found.hours < found.hours_high
    finding = found.finding()
    assert (finding.cause, finding.model, finding.end) == (cause, cause, None)
    assert finding.money_per_hour == found.money_per_hour


def test_money_is_that_of_the_truth(planted: tuple[str, FloorPlant]) -> None:
    cause, works = planted
    (found,) = FINDERS[cause](look(works))
    if cause == "ideal cycle time":
        assert found.money_per_hour is None, "it costs nothing by itself"
        return
    lost = sum(amount for day, amount in works.lost[0].items() if day <= DAY)
    if cause == "scrap":
        assert found.pieces == pytest.approx(lost, rel=0.15)
        return
    clock = (works.midnight(DAY) + timedelta(hours=22) - found.since) / timedelta(hours=1)
    assert found.money_per_hour == pytest.approx(lost / 3600 * 120 / clock, rel=0.2)


def test_the_same_look_gives_the_same(planted: tuple[str, FloorPlant]) -> None:
    _, works = planted

    assert all_found(look(works)) == all_found(look(works))


def test_what_comes_later_changes_nothing(planted: tuple[str, FloorPlant]) -> None:
    _, works = planted
    until = works.midnight(DAY + 1)
    events = works.history.known_events
    before = events[events["time"] <= until]
    past = TableHistory(works.history.readings)
    past.known_events = before

    now = Look(works.plant, past, "press-01", works.midnight(0), until)
    assert all_found(now) == all_found(look(works))


def test_a_slow_product_does_not_make_others_slow() -> None:
    works = floor_plant(
        PlantedLoss(machine="press-01", kind="slow cycle", size=0.08, product="cover", from_day=30), seed=43
    )

    (found,) = FINDERS["slow cycle"](look(works))
    assert found.pattern == {"product": "cover"}
    assert [each.signal for each in found.evidence] == ["cycle of cover"]
    assert found.evidence[0].actual / found.evidence[0].expected == pytest.approx(1.08, abs=0.02)


def test_an_ideal_that_is_too_long_is_told_from_one_that_is_too_short(clean: FloorPlant) -> None:
    def with_cycles(factor: float) -> FoundLoss:
        products = [
            each.model_copy(
                update={"ideal_cycles": {name: factor * cycle for name, cycle in each.ideal_cycles.items()}}
            )
            for each in clean.plant.products
        ]
        plant = clean.plant.model_copy(update={"products": products})
        (found,) = FINDERS["ideal cycle time"](
            Look(plant, clean.history, "press-01", clean.midnight(0), clean.midnight(DAY))
        )
        return found

    assert "it is too long" in with_cycles(1.2).sentence
    assert "it is too short" in with_cycles(0.7).sentence


def test_waiting_names_the_machine_that_stood_meanwhile(clean: FloorPlant) -> None:
    """Twice a shift the first press stands for half an hour, and the second one has no material."""
    events: list[Event] = []
    for day in range(45, DAY + 1):
        for hour in (8, 11, 16, 19):
            at = clean.midnight(day) + timedelta(hours=hour)
            events += [
                Event(machine=machine, kind="stop", time=at, end=at + timedelta(minutes=30), code=code)
                for machine, code in (("press-01", "breakdown"), ("press-02", "no material"))
            ]
    history = TableHistory(clean.history.readings, events)
    history.known_events = _together(clean.history.known_events, history.known_events)

    (found,) = FINDERS["starved"](Look(clean.plant, history, "press-02", clean.midnight(0), clean.midnight(DAY + 1)))
    assert found.pattern == {"machine": "press-01"}
    assert "press-01 stood during" in found.sentence


def _together(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([one, other]).sort_values("time", kind="stable", ignore_index=True)
