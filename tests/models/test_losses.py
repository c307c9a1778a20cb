"""The loss tree and the dearest losses: time, pieces and money per hour, worked by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.production.inferred import Inferred
from features.production.plant_ledger import plant_ledger
from features.production.stretches import Stretches
from ingest.event import Event
from ingest.plant import Plant
from models.efficiency.losses import Loss, Losses, losses_of, told_by_signals
from tests.features.table_history import TableHistory

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = {"running": ["RUN"], "breakdown": ["DOWN"], "changeover": ["SETUP"]}


def plant(*, products: list[dict[str, Any]] | None = None, **production: Any) -> Plant:
    return Plant.model_validate(
        {
            "classes": [{"name": "c", "signals": [{"name": "s"}]}],
            "machines": [{"name": "m", "class": "c", "line": "L"}, {"name": "n", "class": "c", "line": "L"}],
            "products": products or [{"name": "cap", "ideal_cycle": "2 s"}],
            "production": {"words": WORDS, **production},
        }
    )


def state(hour: float, code: str, machine: str = "m") -> Event:
    return Event(machine=machine, kind="state", time=NOON + hour * HOUR, code=code)


def count(hour: float, value: float, code: str = "good", machine: str = "m", product: str = "") -> Event:
    return Event(machine=machine, kind="count", time=NOON + hour * HOUR, code=code, value=value, component=product)


DAY = [
    state(0, "SETUP"),
    state(1, "RUN"),
    state(5, "DOWN"),
    state(7, "RUN"),
    count(10, 9000),
    count(10, 1800, "scrap"),
]


def losses(of: Plant, events: list[Event], machines: tuple[str, ...] = ("m",), hours: int = 10) -> Losses:
    history = TableHistory(pd.DataFrame({"machine": [], "time": pd.to_datetime([], utc=True), "s": []}), events)
    return losses_of(of, plant_ledger(of, history, machines, NOON, NOON + hours * HOUR), hours)


def named(found: Losses, name: str) -> Loss:
    return next(each for each in found.tree if each.name == name)


def test_each_loss_has_time_pieces_and_money_per_hour() -> None:
    """10 h: 1 h set-up, 2 h down, 7 h running of which 5 h are good, 1 h scrap and 1 h lost by speed; 60 an hour."""
    found = losses(plant(hour_value=60), DAY)

    down = named(found, "breakdown")
    assert (down.time / 3.6e9, down.share, down.pieces, down.money, down.money_per_hour) == (2, 0.2, 3600, 120, 12)
    assert (named(found, "speed_loss").pieces, named(found, "speed_loss").money) == (1800, 60)
    assert (named(found, "scrap").pieces, named(found, "scrap").money) == (1800, 60)
    assert (named(found, "good").pieces, named(found, "good").money) == (9000, None)


def test_the_tree_goes_from_calendar_time_to_good_time_and_adds_up() -> None:
    found = losses(plant(), [*DAY, state(9, "?")])
    hours = {each.name: each.time / 3.6e9 for each in found.tree}
    names = [each.name for each in found.tree]

    assert names[0] == "calendar"
    assert names[-1] == "good"
    assert hours["calendar"] == 10
    assert hours["busy"] == hours["planned"] - hours["planned_stop"]
    left = names[names.index("running") + 1 :]
    assert hours["running"] == pytest.approx(sum(hours[name] for name in left))
    lost = names[names.index("busy") + 1 : names.index("running")]
    assert hours["busy"] - hours["running"] == pytest.approx(sum(hours[name] for name in lost))


def test_scrap_costs_its_material_besides() -> None:
    product = {"name": "cap", "ideal_cycle": "2 s", "scrap_cost": 0.5}

    assert named(losses(plant(products=[product], hour_value=60), DAY), "scrap").money == 60 + 900
    assert named(losses(plant(products=[product]), DAY), "scrap").money == 900


def test_where_no_hour_has_a_value_pieces_do() -> None:
    found = losses(plant(products=[{"name": "cap", "ideal_cycle": "2 s", "value": 0.1}]), DAY)

    assert named(found, "breakdown").money == pytest.approx(360)


@pytest.mark.parametrize(
    ("values", "money"), [({"m": 10, "L": 20, "c": 30}, 20), ({"L": 20, "c": 30}, 40), ({"c": 30}, 60), ({}, 80)]
)
def test_the_value_of_a_machine_goes_before_its_line_and_its_class(values: dict[str, float], money: float) -> None:
    assert named(losses(plant(hour_value=40, hour_values=values), DAY), "breakdown").money == money


def test_without_a_value_losses_have_no_money_and_the_longest_is_first() -> None:
    found = losses(plant(), [*DAY, state(0, "SETUP", "n"), state(1, "RUN", "n")], ("m", "n"))

    assert [each.money for each in found.tree] == [None if each.time else each.money for each in found.tree]
    assert any("worth no money yet" in each for each in found.remarks)
    found = losses(plant(), DAY)
    assert [each.name for each in found.top] == ["breakdown", "changeover", "speed_loss", "scrap"]


def test_the_dearest_losses_are_told_by_machine_and_reason() -> None:
    other = [state(0, "RUN", "n"), state(5, "DOWN", "n"), count(5, 9000, machine="n")]

    found = losses(plant(hour_value=60, hour_values={"n": 6}), [*DAY, *other], ("m", "n"))

    dearest = found.top[0]
    assert (dearest.machine, dearest.label, dearest.reason, dearest.times) == ("m", "breakdown", "DOWN", 1)
    assert [(each.machine, each.name, each.money) for each in found.top[-1:]] == [("n", "breakdown", 30)]
    assert found.oee.calendar == 20 * 3_600_000_000


def test_losses_without_a_value_beside_others_are_said() -> None:
    products = [{"name": "cap", "ideal_cycle": "2 s", "value": 0.1}, {"name": "lid", "ideal_cycle": "2 s"}]
    events = [state(0, "RUN"), count(1, 900, product="cap"), count(2, 900, product="lid")]

    found = losses(plant(products=products), events, hours=2)

    assert named(found, "speed_loss").money == pytest.approx(90)
    assert any(each.startswith("0.5 h of losses are worth no money yet") for each in found.remarks)


def test_what_to_know_before_believing_it_is_said() -> None:
    said = " ".join(losses(plant(), [*DAY, state(8, "?"), count(9, 5, "rejected")]).remarks)

    assert "No shifts are declared" in said
    assert "no meaning is declared for '?' (2.0 h)" in said
    assert "1 counts are not read" in said


def test_machines_that_tell_nothing_have_a_tree_of_unknown_time() -> None:
    found = losses(plant(), [])

    assert named(found, "unknown").share == 1
    assert found.oee.oee is None
    assert "oee" in found.oee.reasons()
    assert found.oee.between == (0, 1)


NOT_KNOWN = Stretches(*(np.empty(0, np.int64) for _ in range(3)))


def test_machines_that_are_known_alike_by_their_signals_share_a_line() -> None:
    ran = {
        "p1": Inferred(NOT_KNOWN, "by 'power > 6'"),
        "p2": Inferred(NOT_KNOWN, "by 'power > 6'"),
        "q": Inferred(NOT_KNOWN, "by two levels of current", 0.97),
    }

    assert told_by_signals(ran) == [
        "p1, p2 report no states; it is known by 'power > 6' when they ran.",
        "q reports no states; it is known by two levels of current when it ran, 97.0% sure.",
    ]
    many = {f"p{each}": Inferred(NOT_KNOWN, "by 'power > 6'") for each in range(9)}
    assert told_by_signals(many) == [
        "p0, p1, p2, p3 and 5 more report no states; it is known by 'power > 6' when they ran."
    ]
