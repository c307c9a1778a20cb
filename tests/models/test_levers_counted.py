"""Counts of good and scrapped pieces become lots with the readings of their own window, and levers in money."""

from datetime import timedelta

import numpy as np
import pytest

from ingest.errors import NotEnoughDataError, ScenarioError, UnknownNameError
from ingest.event import Event
from ingest.plant import Plant
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario
from models.levers.counted import counted_lots
from models.levers.plant_levers import lever_names, plant_levers
from tests.features.table_history import TableHistory, after, readings_frame
from tests.pressing_plant import cold_oil, pressing_plant, whole_span

PLANT = Plant.model_validate(
    {
        "classes": [{"name": "press", "signals": [{"name": "temperature", "unit": "degC", "every": "10 min"}]}],
        "machines": [{"name": "press-1", "class": "press"}],
        "products": [
            {"name": "cover", "ideal_cycle": "36 s", "scrap_cost": 2.0},
            {"name": "clip", "ideal_cycle": "18 s", "value": 0.5},
        ],
        "production": {"hour_values": {}},
    }
)


def counted(hour: float, code: str, value: float, product: str = "cover") -> Event:
    return Event(machine="press-1", kind="count", time=after(hours=hour), component=product, code=code, value=value)


def history(*events: Event, hours: int = 12) -> TableHistory:
    minutes = np.arange(0, hours * 60, 10)
    return TableHistory(readings_frame("press-1", minutes, temperature=60 + minutes / 60), events)


def test_a_count_has_the_readings_of_the_hour_that_ends_with_it() -> None:
    told = history(counted(3, "good", 90), counted(3, "scrap", 10), counted(4, "good", 50))

    lots, recipe = counted_lots(PLANT, told, "press", after(hours=0), after(hours=12))

    assert recipe.windows == (timedelta(hours=1),)
    assert lots.pieces.tolist() == [100.0, 50.0]
    assert lots.rejects.tolist() == [10.0, 0.0]
    mean = lots.values[:, lots.names.index("temperature__mean__1h")]
    inside = [np.mean(60 + np.arange(start * 60 + 10, start * 60 + 70, 10) / 60) for start in (2, 3)]
    assert mean.tolist() == pytest.approx(inside)


def test_pieces_of_two_products_in_one_hour_are_two_lots() -> None:
    told = history(counted(3, "good", 90), counted(3, "good", 40, "clip"), counted(3, "rework", 5, "clip"))

    lots, _ = counted_lots(PLANT, told, "press", after(hours=0), after(hours=12))

    assert sorted(zip(lots.product, lots.pieces, lots.rejects, strict=True)) == [
        ("clip", 45.0, 5.0),
        ("cover", 90.0, 0.0),
    ]


def test_a_count_without_a_product_is_of_its_order() -> None:
    order = Event(machine="press-1", kind="order", time=after(hours=1), component="clip", code="4711")

    lots, _ = counted_lots(PLANT, history(order, counted(3, "good", 90, "")), "press", after(hours=0), after(hours=12))

    assert lots.product.tolist() == ["clip"]


def test_a_reject_costs_its_material_and_what_it_would_have_earned() -> None:
    told = history(counted(3, "scrap", 10), counted(4, "scrap", 10, "clip"))

    lots, _ = counted_lots(PLANT, told, "press", after(hours=0), after(hours=12))

    assert dict(zip(lots.product, lots.price, strict=True)) == {"cover": pytest.approx(2.0), "clip": pytest.approx(0.5)}


def test_counts_once_a_shift_have_the_readings_of_the_shift() -> None:
    told = history(*(counted(hour, "good", 900) for hour in (8, 16, 24, 32)), hours=40)

    lots, recipe = counted_lots(PLANT, told, "press", after(hours=0), after(hours=40))

    assert recipe.windows == (timedelta(hours=8),)
    assert len(lots) == 4


def test_counts_off_the_full_hour_keep_their_own_window() -> None:
    told = history(*(counted(hour + 0.25, "good", 90) for hour in range(2, 9)))

    lots, recipe = counted_lots(PLANT, told, "press", after(hours=0), after(hours=12))

    assert recipe.stride == timedelta(minutes=15)
    assert {int(each.astype("datetime64[m]").astype(int)) % 60 for each in lots.time} == {15}


def test_without_counts_there_is_a_reason() -> None:
    with pytest.raises(NotEnoughDataError, match="no pieces were counted"):
        counted_lots(PLANT, history(), "press", after(hours=0), after(hours=12))

    assert "no pieces were counted" in plant_levers(PLANT, history(), "press", after(hours=0), after(hours=12)).reason


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'press'"):
        plant_levers(PLANT, history(), "prss", after(hours=0), after(hours=12))
    with pytest.raises(UnknownNameError, match="press-1"):
        plant_levers(PLANT, history(), "press", after(hours=0), after(hours=12), "press-7")
    assert lever_names(PLANT) == ["press"]


def test_cold_oil_that_raises_scrap_is_the_first_lever_of_simulated_presses_and_in_money() -> None:
    plant, past = pressing_plant(*cold_oil())

    told = plant_levers(plant, past, "press", *whole_span(past))

    first = told.levers[0]
    assert first.signal == "oil_temperature"
    assert first.region.low == pytest.approx(45.0, abs=0.6)
    true = (0.012 + 0.02 * (1 - 0.012)) / 0.012
    assert first.contrast.ratio.low <= true <= first.contrast.ratio.high
    assert first.money_per_hour is not None
    assert first.money_per_hour > 0


def test_presses_whose_scrap_depends_on_nothing_have_no_lever() -> None:
    plant, past = pressing_plant(seed=2)

    told = plant_levers(plant, past, "press", *whole_span(past))

    assert told.levers == ()
    assert told.reason


def test_a_lever_of_one_machine_is_found_there() -> None:
    plant, past = pressing_plant(cold_oil()[0], seed=2)

    told = plant_levers(plant, past, "press", *whole_span(past), "press-01")

    assert told.levers[0].signal == "oil_temperature"


def test_scrap_alone_is_planted_by_a_signal_and_the_machine_must_have_it() -> None:
    with pytest.raises(ScenarioError, match="either below or above"):
        PlantedLoss(machine="press-01", kind="minor stops", size=1, signal="oil_temperature", below=45)
    with pytest.raises(ScenarioError, match="no signal 'mould_temperature'; it has"):
        Scenario(
            machines={"press": 1},
            floor=True,
            losses=(PlantedLoss(machine="press-01", kind="scrap", size=0.02, signal="mould_temperature", below=62),),
        )
