from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.judging.saving import Term, by_resampling, counted, of_so_many, summed
from models.registry.challenge import compare
from models.registry.promotion import hindrance
from tests.trials.challengers import World, cards, passes

COSTS = {"missed_failure": 10_000.0, "planned_stop": 2_000.0, "false_alarm": 500.0}


def card(*, found: str = "", false: int = 0, start: str = "01-01", end: str = "12-31", **fields: object) -> Any:
    """Return the card of a version that was judged on monthly events: ``+`` found, ``-`` missed, ``.`` not judged."""
    verdict = {"+": "found", "-": "missed", ".": "not judged"}
    events = [
        {"machine": f"pump-{number % 3}", "begin": f"2026-{number + 1:02}-15T00:00:00Z", "verdict": verdict[each]}
        for number, each in enumerate(found)
    ]
    alarms = [
        {
            "machine": f"pump-{number % 3}",
            "begin": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z",
            "verdict": "false",
        }
        for number in range(false)
    ]
    judged = {
        "enough": True,
        "events": len(found.replace(".", "")),
        "found": found.count("+"),
        "false_alarms": false,
        "money": {"model": 0.0, "calendar": None},
        "span": {"start": f"2026-{start}T00:00:00Z", "end": f"2026-{end}T00:00:00Z"},
        "event_list": events,
        "alerts": alarms,
    }
    whole = {
        "currency": "EUR",
        "costs": COSTS,
        "horizon": "24 h",
        "target": {"kind": "failure"},
        "data": {"machines": ["pump-0", "pump-1", "pump-2"]},
        "judged": judged,
    }
    return {**whole, **fields}


@pytest.mark.parametrize(
    ("challenger", "live", "why"),
    [
        (card(found="+" * 12), card(found="-" * 12), ""),
        (
            card(found="+" * 12),
            card(found="++++++++++--"),
            "is not shown to cost less than the live version: on 12 events",
        ),
        (card(found="+" * 12), card(found="+" * 12), "is not shown to cost less"),
        (card(found="+" * 12, false=5), card(found="+" * 12, false=150), ""),
        (card(found="++++++++++--", false=0), card(found="+" * 12, false=30), "only the live one 2; false alarms 0"),
        (card(found="+" * 12), card(judged=None), "no time on which both were judged"),
        (card(found="+" * 12), card(found="-" * 12, end="01-02"), "no time on which both were judged"),
        (card(found="+" * 12), card(found="-" * 12, target={"kind": "stop"}), "same kind of event"),
        (card(judged=None), card(judged=None), "no time on which both were judged"),
        (card(judged=None), None, ""),
        (card(found="++"), None, ""),
        (card(found="+"), None, "-15 EUR are sure at 95 %"),
        (card(found="+--------", false=12), None, "it found 1 of 9 judged events with 12 false alarms"),
        (card(found="---------", false=1), None, "what may save nothing stays out"),
    ],
)
def test_only_what_is_shown_to_cost_less_takes_the_place_of_another(
    challenger: Mapping[str, Any], live: Mapping[str, Any] | None, why: str
) -> None:
    said = hindrance(challenger, live)

    assert why in said if why else not said


def test_an_event_that_the_challenger_did_not_look_at_is_one_that_it_missed() -> None:
    found = compare(card(found="++++.."), card(found="++++++"))

    assert found is not None
    assert (found.events, found.only_live, found.saved.value) == (6, 2, -16_000.0)


def test_only_time_on_which_both_were_judged_counts() -> None:
    found = compare(card(found="++++++", start="03-01"), card(found="--++++", end="05-20", false=40))

    assert found is not None
    assert (found.events, found.only_challenger, found.false_live) == (3, 0, 11)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 500), st.integers(0, 500))
def test_swapping_the_two_turns_the_money_round(only: int, other: int, false: int, more: int) -> None:
    here, there = (
        summed([Term(8000.0, counted(a)), Term(-8000.0, counted(b)), Term(500.0, counted(c)), Term(-500.0, counted(d))])
        for a, b, c, d in ((only, other, false, more), (other, only, more, false))
    )

    assert here.value == -(there.value or 0.0)
    assert here.low == pytest.approx(-there.high)
    assert here.low <= (here.value or 0.0) <= here.high


@given(st.lists(st.floats(-1e5, 1e5, allow_nan=False), min_size=1, max_size=20))
def test_the_bootstrap_holds_the_sum_and_is_the_same_each_time(saved: list[float]) -> None:
    found, again = (by_resampling(np.array(saved)) for _ in range(2))

    assert found == again
    assert found.low <= found.high
    assert found.value == pytest.approx(sum(saved), abs=1e-6)


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_exact_interval_of_a_count_lies_within_it(k: int, more: int) -> None:
    found = of_so_many(k, k + more) if k + more else None

    assert found is None or 0 <= found.low <= k <= found.high <= k + more


@pytest.mark.parametrize(
    "world",
    [
        World(3, 4.0, (0.8, 0.8), (10.0, 10.0)),
        World(50, 15.0, (0.5, 0.0), (115.0, 0.0)),
        World(10, 15.0, (0.8, 0.7), (25.0, 2.0)),
    ],
    ids=["as good", "never speaks", "finds less"],
)
def test_a_worse_challenger_hardly_ever_passes(world: World) -> None:
    assert world.saved <= 0
    assert passes(world, trials=150, seed=3) < 0.05


def test_a_far_better_one_does() -> None:
    assert passes(World(10, 15.0, (0.4, 1.0), (10.0, 10.0)), trials=60, seed=3) > 0.6


def test_made_up_cards_are_of_the_same_time() -> None:
    found = compare(*cards(World(5, 30.0, (0.5, 0.5), (5.0, 5.0)), np.random.default_rng(0)))

    assert found is not None
    assert found.events > 15
