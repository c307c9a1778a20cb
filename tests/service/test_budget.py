"""The budget holds whatever comes, and is spent on what is worth most."""

import math
import random
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from service.alerts.pipeline.price import prices
from tests.trials import budget as trial

WORTHS = st.lists(st.floats(0, 1e5), max_size=20)


@settings(max_examples=100, deadline=None)
@given(WORTHS, st.floats(0, 50), st.integers(0, 8))
def test_a_token_is_dearer_the_fewer_are_left_and_never_dearer_than_the_best(
    worths: list[float], expected: float, tokens: int
) -> None:
    found = prices(worths, expected, tokens)

    assert len(found) == tokens
    assert all(more <= fewer + 1e-6 for fewer, more in pairwise(found))
    assert all(0 <= each <= max(worths, default=0) + 1e-6 for each in found)


@settings(max_examples=50, deadline=None)
@given(WORTHS.filter(bool), st.floats(0.1, 20), st.floats(0.1, 20), st.integers(1, 5))
def test_a_token_is_dearer_the_more_is_to_be_expected(
    worths: list[float], some: float, more: float, tokens: int
) -> None:
    little, much = (prices(worths, each, tokens)[0] for each in (some, some + more))

    assert little <= much + 1e-6 * max(worths) + 0.02 * max(worths)


def test_the_price_of_the_last_token_is_what_waiting_for_the_best_brings() -> None:
    """All worth 1, one token: V(1) = 1 − exp(−expected), in closed form from V′ = 1 − V."""
    (price,) = prices([1.0], 2.0, 1)

    assert abs(price - (1 - math.exp(-2))) < 0.02


def test_over_thirty_simulated_weeks_the_budget_holds_and_finds_far_more_than_who_comes_first() -> None:
    draw = random.Random(3)  # noqa: S311 – no secret
    weeks = [trial.week_of_alerts(week, 30, draw) for week in range(30)]
    ours, first, oracle = trial.Tally(), trial.Tally(), trial.Tally()

    trial.spent_by_the_stage(weeks, ours)
    trial.spent_by_order(weeks, first, oracle=False)
    trial.spent_by_order(weeks, oracle, oracle=True)

    assert max(ours.calls) <= trial.BUDGET
    assert ours.value > 1.3 * first.value
    assert ours.value > 0.85 * oracle.value


def test_a_plant_trip_is_a_few_messages_with_every_root_cause_in_time_and_nothing_critical_hidden(
    tmp_path: Path,
) -> None:
    came_to = trial.trip(tmp_path, alarms=120, seed=2)

    assert came_to.messages <= 10
    assert came_to.slowest_root <= 5
    assert (came_to.critical > 3, came_to.hidden) == (True, 0)
