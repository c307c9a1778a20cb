"""Minor stops beyond a machine's own usual: found with what they concentrate on, and what they cost."""

from datetime import timedelta

import pandas as pd
import pytest

from ingest.event import Event
from ingest.simulation.planted_loss import PlantedLoss
from models.efficiency.finders.concentration import concentrated_on
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.minor_stops import minor_stops
from models.efficiency.finders.record import Look
from tests.features.table_history import TableHistory
from tests.floor_plant import FloorPlant, floor_plant


def looked(works: FloorPlant, day: int, machine: str = "press-01") -> list[FoundLoss]:
    """Look at a machine after the late shift of a day."""
    return minor_stops(Look(works.plant, works.history, machine, works.midnight(0), works.midnight(day + 1)))


@pytest.fixture(scope="module")
def jams() -> FloorPlant:
    planted = PlantedLoss(machine="press-01", kind="minor stops", size=4, product="cover", reason="jam", from_day=40)
    return floor_plant(planted, seed=21)


def test_stops_with_one_product_are_found_with_product_and_reason(jams: FloorPlant) -> None:
    (found,) = looked(jams, 58)

    assert (found.machine, found.kind, found.cause) == ("press-01", "time loss", "minor stops")
    assert found.pattern == {"product": "cover", "reason": "jam"}
    assert abs(found.since - jams.midnight(40)) < timedelta(days=4)
    assert "cover" in found.sentence
    assert "jam" in found.sentence


def test_lost_time_and_money_are_those_of_the_truth(jams: FloorPlant) -> None:
    (found,) = looked(jams, 58)
    truth = sum(amount for day, amount in jams.lost[0].items() if day <= 58) / 3600

    assert found.hours == pytest.approx(truth, rel=0.15)
    assert found.hours is not None
    assert found.hours_low is not None
    assert found.hours_high is not None
    assert found.hours_low <= truth <= found.hours_high
    assert found.money_per_hour is not None
    clock = (jams.midnight(58) + timedelta(hours=22) - found.since) / timedelta(hours=1)
    assert found.money_per_hour == pytest.approx(found.hours * 120 / clock)


def test_nothing_is_found_before_nor_on_the_other_machine(jams: FloorPlant) -> None:
    assert looked(jams, 39) == []
    assert looked(jams, 58, "press-02") == []


def test_stops_with_all_products_and_reasons_concentrate_on_nothing() -> None:
    works = floor_plant(PlantedLoss(machine="press-01", kind="minor stops", size=3, from_day=45), seed=22)

    (found,) = looked(works, 58)
    assert found.pattern == {}


def test_the_loss_is_over_when_the_stops_are() -> None:
    planted = PlantedLoss(machine="press-01", kind="minor stops", size=5, from_day=40, days=8)
    works = floor_plant(planted, seed=23)

    assert looked(works, 46) != []
    assert looked(works, 58) == []


def test_a_level_is_named_only_if_it_rose_more_than_the_others() -> None:
    alike = pd.DataFrame(
        {
            "level": ["a", "b"],
            "count_before": [300, 20],
            "count_after": [120, 8],
            "exposure_before": [100.0, 100.0],
            "exposure_after": [20.0, 20.0],
        }
    )

    assert concentrated_on("reason", alike) is None, "both doubled, and one was always most of it"
    assert concentrated_on("reason", alike.assign(count_after=[60, 68])).level == "b"  # type: ignore[union-attr]


def test_stops_that_follow_those_of_the_machine_before_name_it() -> None:
    works = floor_plant(PlantedLoss(machine="press-02", kind="minor stops", size=5, from_day=45), seed=24, days=56)
    later = works.history.known_events
    own = later[(later["machine"] == "press-02") & (later["kind"] == "state") & (later["time"] >= works.midnight(45))]
    stops = own[own["code"].isin(["pressure low", "position not reached", "filter service", "light curtain"])]
    before = [
        Event(
            machine="press-01",
            kind="stop",
            time=at - timedelta(seconds=90),
            end=at - timedelta(seconds=30),
            code="stop",
        )
        for at in stops["time"].dt.to_pydatetime()
    ]
    history = TableHistory(works.history.readings, before)
    history.known_events = pd.concat([later, history.known_events]).sort_values(
        "time", kind="stable", ignore_index=True
    )

    (found,) = minor_stops(Look(works.plant, history, "press-02", works.midnight(0), works.midnight(56)))
    (alone,) = looked(works, 55, "press-02")
    assert found.pattern == {"machine": "press-01"}
    assert "of these stops follow a stand of press-01" in found.sentence
    assert found.evidence[-1].actual > 2 * found.evidence[-1].expected
    assert alone.pattern == {}
