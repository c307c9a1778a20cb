"""OEE after ISO 22400-2: worked by hand, as identities, and null with a reason."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.microsecond import HOUR
from features.production.bucket import NAMES
from features.production.ledger import COLUMNS
from models.efficiency.oee import oee_of, oees

DAY = np.datetime64(date(2026, 6, 10))


def row(product: str = "cap", ideal: float = 2.0, machine: str = "m", **given_: float) -> dict[str, object]:
    """Return a ledger's row from hours of each bucket; pieces follow from good, scrap and rework."""
    hours = {name: int(given_.get(name, 0) * HOUR) for name in NAMES}
    cycle = int(ideal * 1e6)
    pieces = {f"{name}_pieces": hours[name] / cycle if cycle else 0.0 for name in ("good", "scrap", "rework")}
    return {
        "machine": machine,
        "line": "L",
        "day": DAY,
        "shift": "early",
        "shift_day": DAY,
        "product": product,
        "ideal_cycle": cycle,
        **hours,
        **pieces,
        "off_plan_pieces": 0.0,
    }


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_one_product_by_hand() -> None:
    """8 h shift, 30 min break; 1 h down, 6.5 h running, 10,800 pieces at 2 s ideal (6 h), 540 of them scrap."""
    found = oee_of(table(row(not_planned=16, planned_stop=0.5, breakdown=1, speed_loss=0.5, scrap=0.3, good=5.7)))

    assert (found.calendar / HOUR, found.busy / HOUR, found.running / HOUR) == (24, 7.5, 6.5)
    assert found.availability == pytest.approx(6.5 / 7.5)
    assert found.effectiveness == pytest.approx(2 * 10_800 / (6.5 * 3600))
    assert found.quality_ratio == pytest.approx(10_260 / 10_800)
    assert found.piece_quality == pytest.approx(10_260 / 10_800)
    assert found.oee == pytest.approx(2 * 10_260 / (7.5 * 3600))
    assert found.reasons() == {}
    assert found.flags() == []


def test_where_nothing_is_known_there_is_no_availability_and_no_oee() -> None:
    found = oee_of(table(row(unknown=8)))

    assert (found.availability, found.oee, found.between) == (None, None, (0.0, 1.0))
    assert found.reasons()["availability"].startswith("nothing says what machines did")
    assert found.reasons()["oee"] == found.reasons()["availability"]


def test_pieces_alone_tell_oee_but_no_availability() -> None:
    found = oee_of(table(row(unknown=8, speed_loss=-2, good=2)))

    assert (found.availability, found.oee) == (None, 0.25)
    assert "oee" not in found.reasons()


def test_several_products_sum_ideal_time_and_not_pieces() -> None:
    """3,600 caps at 1 s (360 of them scrap) and 360 lids at 10 s, both in 2.5 h: E = (1 + 1) / 2.5."""
    found = oee_of(
        table(
            row("cap", 1.0, good=0.9, scrap=0.1),
            row("lid", 10.0, good=1.0),
            row("", 0.0, idle=0.5),
            row(speed_loss=0.5),
        )
    )

    assert found.effectiveness == pytest.approx(2 / 2.5)
    assert found.quality_ratio == pytest.approx(1.9 / 2)
    assert found.piece_quality == pytest.approx(3600 / 3960)
    assert found.oee == pytest.approx(1.9 / 3)


def test_a_line_is_a_ratio_of_sums_and_no_mean_of_ratios() -> None:
    """One hour at 90 % and nine hours at 10 % are 18 %, not 50 %."""
    rows = table(row(machine="a", good=0.9, idle=0.1), row(machine="b", good=0.9, idle=8.1))

    assert oee_of(rows).oee == pytest.approx(0.18)
    assert [each.oee for each in oees(rows, ["machine"]).values()] == pytest.approx([0.9, 0.1])


def test_without_planned_busy_time_there_is_no_oee_and_a_reason() -> None:
    found = oee_of(table(row(not_planned=24)))

    assert (found.availability, found.effectiveness, found.quality_ratio, found.oee, found.between) == (None,) * 5
    assert found.reasons()["oee"] == "no planned busy time: nothing was planned in this span"
    assert set(found.reasons()) == {"availability", "effectiveness", "quality_ratio", "oee"}


def test_a_machine_that_never_ran_has_an_oee_of_zero_and_no_effectiveness() -> None:
    found = oee_of(table(row(breakdown=8)))

    assert (found.availability, found.oee, found.effectiveness) == (0, 0, None)
    assert "not known to have run" in found.reasons()["effectiveness"]


def test_an_effectiveness_above_one_is_kept_and_flagged() -> None:
    """5 h of ideal time in 4 h: the ideal cycle time is wrong, and the buckets still add up."""
    found = oee_of(table(row(good=5, speed_loss=-1, idle=1)))

    assert found.effectiveness == 1.25
    assert found.oee == 1.0
    assert found.calendar == 5 * HOUR
    assert found.flags() == [
        "effectiveness above 1: the ideal cycle time is too long, or pieces are counted twice: cap on m"
    ]


def test_a_wrong_cycle_of_one_product_is_flagged_though_others_hide_it() -> None:
    found = oee_of(table(row(good=5, speed_loss=-1), row("lid", good=1, speed_loss=5)))

    assert found.effectiveness == pytest.approx(0.6)
    assert "cap on m" in found.flags()[0]
    assert "lid" not in found.flags()[0]


def test_time_that_nobody_can_rate_leaves_no_oee_but_a_range() -> None:
    found = oee_of(table(row(good=4), row("new", 0.0, unrated=2), row(unknown=2)))

    assert (found.oee, found.effectiveness, found.quality_ratio) == (None, None, None)
    assert found.availability == 6 / 8
    assert found.between == (0.5, 1.0)
    assert found.reasons()["oee"] == "2.0 h ran of which nothing says what could have been made: new on m"
    assert found.flags() == ["2.0 h (25.0% of planned busy time) unknown, counted as not running"]


spans = st.floats(0, 1000, allow_nan=False)


@given(st.lists(st.fixed_dictionaries({name: spans for name in NAMES if name != "unrated"}), min_size=1, max_size=5))
def test_oee_is_the_product_of_its_factors(rows: list[dict[str, float]]) -> None:
    found = oee_of(table(*(row(**each) for each in rows)))

    assert found.calendar == sum(int(value * HOUR) for each in rows for value in each.values())
    if found.oee is not None:
        assert found.oee == pytest.approx(found.good / found.busy)
    if None not in (found.availability, found.effectiveness, found.quality_ratio):
        assert found.oee == pytest.approx(
            float(found.availability or 0) * float(found.effectiveness or 0) * float(found.quality_ratio or 0)
        )
