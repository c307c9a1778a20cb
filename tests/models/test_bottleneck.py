"""The machine that holds a line up: by hand, for any line, and as a finding when it moves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.simulation.planted_loss import PlantedLoss
from models.efficiency.bottleneck import active_periods, held_up
from models.efficiency.finders.bottleneck_shift import bottleneck_shift
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look
from tests.floor_plant import FloorPlant, floor_plant

DAY = 50
HELD_UP = (
    PlantedLoss(machine="press-02", kind="slow cycle", size=0.12, from_day=40),
    PlantedLoss(machine="press-01", kind="blocked", size=0.15, from_day=40),
    PlantedLoss(machine="press-03", kind="starved", size=0.15, from_day=40),
)
"""The second press becomes slow: the one before it cannot get rid of its pieces, the one after it has none."""


def parts(*did: tuple[int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(did, columns=["begin", "stop", "did"])


def test_who_holds_a_line_up_as_worked_by_hand() -> None:
    first = parts((0, 30, "running"), (30, 40, "blocked"), (40, 100, "running"))
    second = parts(
        (0, 10, "starved"), (10, 35, "running"), (35, 60, "breakdown"), (60, 70, "starved"), (70, 100, "running")
    )

    found = held_up([first, second], np.array([0, 50]), np.array([50, 100]))
    # The first is active for 30, then for 60; the second from 10 on for 50, then for 30.
    # So the first holds up until 10, the second until 40, then the first again.
    assert found.tolist() == [[20, 50], [30, 0]]


def test_a_gap_of_time_off_plan_ends_an_active_period() -> None:
    begin, stop = active_periods(parts((0, 10, "running"), (50, 60, "running")))

    assert (begin.tolist(), stop.tolist()) == ([0, 50], [10, 60])


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 50), st.sampled_from(["running", "starved", "breakdown"])), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_each_moment_is_held_up_by_one_machine_that_is_active_or_by_none(line: list[list[tuple[int, str]]]) -> None:
    tables = []
    for told in line:
        edges = np.concatenate([[0], np.cumsum([length for length, _ in told])])
        tables.append(parts(*zip(edges[:-1], edges[1:], [did for _, did in told], strict=True)))
    end = int(max(table["stop"].max() for table in tables))

    found = held_up(tables, np.arange(end), np.arange(1, end + 1))
    active = np.zeros((len(tables), end), np.bool_)
    for place, table in enumerate(tables):
        for begin, stop in zip(*active_periods(table), strict=True):
            active[place, begin:stop] = True
    assert found.sum(axis=0).tolist() == active.any(axis=0).astype(float).tolist()
    assert not found[~active].any()


@pytest.fixture(scope="module")
def works() -> FloorPlant:
    return floor_plant(*HELD_UP, seed=51, days=DAY + 2, machines={"press": 3})


def looked(works: FloorPlant, machine: str, day: int) -> list[FoundLoss]:
    return bottleneck_shift(Look(works.plant, works.history, machine, works.midnight(0), works.midnight(day + 1)))


def test_a_machine_that_becomes_the_bottleneck_is_found_and_no_other(works: FloorPlant) -> None:
    (found,) = looked(works, "press-02", DAY)

    assert (found.cause, found.pattern, found.money_per_hour) == ("bottleneck shift", {"line": "line-1"}, None)
    assert abs((found.since - works.midnight(40)).total_seconds()) < 2 * 86400
    assert found.sentence.startswith("press-02: holds its line up for ")
    assert found.evidence[0].signal == "press-02 holds the line up"
    assert looked(works, "press-01", DAY) == looked(works, "press-03", DAY) == []


def test_no_bottleneck_is_told_before_it_moves_nor_of_a_machine_alone(works: FloorPlant) -> None:
    assert [looked(works, f"press-0{each}", 39) for each in (1, 2, 3)] == [[], [], []]
    alone = works.plant.model_copy(
        update={"machines": [each.model_copy(update={"line": ""}) for each in works.plant.machines]}
    )
    assert bottleneck_shift(Look(alone, works.history, "press-02", works.midnight(0), works.midnight(DAY))) == []
