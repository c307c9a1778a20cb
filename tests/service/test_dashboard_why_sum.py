"""How a level comes about, step by step, as the page of an alert shows it."""

from datetime import UTC, datetime

import pytest

from models.finding import Contribution, Why
from service.dashboard.why_sum import sum_of


def why(count: int) -> Why:
    """What so many signals add to a level, the first ones most."""
    amounts = [0.5 / (1 + number) for number in range(count)]
    contributions = tuple(
        Contribution(
            signal=f"signal {number}", unit="", feature="", actual=None, expected=None, amount=amount, level=0.1
        )
        for number, amount in enumerate(amounts)
    )
    return Why(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        scale="log-odds",
        base=-4.0,
        base_level=0.018,
        score=sum(amounts, -4.0),
        level=0.1,
        contributions=contributions,
    )


@pytest.mark.parametrize(
    ("count", "named", "last"), [(6, 6, "signal 5"), (7, 7, "signal 6"), (8, 6, "2 others together")]
)
def test_the_smallest_steps_stand_together_and_one_alone_by_its_name(count: int, named: int, last: str) -> None:
    steps = [step.what for step in sum_of(why(count)).steps]

    assert sum(what.startswith("signal") for what in steps) == named
    assert last in steps
