"""Each run rule on sequences worked by hand."""

import numpy as np
import pytest

from models.efficiency.run_rules import Nelson, WesternElectric

NINE = [0.1] * 9
ZIGZAG = [0.5 if place % 2 else -0.5 for place in range(14)]


def fires(chart: Nelson | WesternElectric, rule: int, points: list[float]) -> list[int]:
    """Return the places, counted from 1, at which a rule (counted from 1 as in the books) fires."""
    return (np.flatnonzero(chart.look(np.array(points)).fired[rule - 1]) + 1).tolist()


@pytest.mark.parametrize(
    ("rule", "points", "places"),
    [
        (1, [0, 3.0, 3.01, -3.0, -3.01], [3, 5]),
        (2, NINE, [9]),
        (2, NINE[:8], []),
        (2, [*NINE[:8], 0.0, *NINE[:8]], []),
        (2, [*NINE, 0.2, -0.1], [9, 10]),
        (3, [1, 2, 3, 4, 5, 6], [6]),
        (3, [1, 2, 3, 4, 5], []),
        (3, [1, 2, 3, 3, 4, 5, 6, 7], []),
        (3, [1, 2, 3, 3, 4, 5, 6, 7, 8], [9]),
        (3, [6, 5, 4, 3, 2, 1], [6]),
        (4, ZIGZAG, [14]),
        (4, ZIGZAG[:13], []),
        (4, [*ZIGZAG[:7], ZIGZAG[6], *ZIGZAG[7:]], []),
        (5, [2.1, 0, 2.1], [3]),
        (5, [2.1, 0, 0, 2.1], []),
        (5, [2.1, 2.1, 0], [2]),
        (5, [2.1, -2.1, 0], []),
        (5, [2.0, 2.0, 2.0], []),
        (6, [1.1, 1.1, 0, 1.1, 1.1], [5]),
        (6, [1.1, 1.1, 1.1, 1.1, 0.5], [4]),
        (6, [1.1, 1.1, -1.1, 1.1, 0], []),
        (6, [1.1, 0, 0, 1.1, 1.1, 1.1], []),
        (7, [0.9, -0.9, 0.0] * 5, [15]),
        (7, [*[0.5] * 14, 1.0], []),
        (8, [1.1, -1.1] * 4, [8]),
        (8, [1.1] * 8, []),
        (8, [1.1, -1.1, 1.1, 1.0, -1.1, 1.1, -1.1, 1.1], []),
        (8, [*[1.1] * 7, -1.1], [8]),
    ],
)
def test_a_rule_of_nelson_fires_at_the_point_that_completes_it(
    rule: int, points: list[float], places: list[int]
) -> None:
    assert fires(Nelson(), rule, points) == places


@pytest.mark.parametrize(
    ("rule", "points", "places"),
    [
        (1, [3.0, 3.1, -3.1], [2, 3]),
        (2, [2.1, 0, 2.1], [3]),
        (3, [1.1, 1.1, 0, 1.1, 1.1], [5]),
        (4, NINE[:8], [8]),
        (4, NINE[:7], []),
        (4, [*NINE[:7], -0.1, *NINE[:7]], []),
    ],
)
def test_a_rule_of_western_electric_fires_at_the_point_that_completes_it(
    rule: int, points: list[float], places: list[int]
) -> None:
    assert fires(WesternElectric(), rule, points) == places


def test_a_rule_tells_to_which_side_or_that_it_has_none() -> None:
    nelson = Nelson()

    down = nelson.look(np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])).side[2, -1]
    far_below = nelson.look(np.array([-3.5])).side[0, 0]
    alternating = nelson.look(np.array(ZIGZAG))

    assert (down, far_below) == (-1, -1)
    assert alternating.fired[3, -1]
    assert alternating.side[3, -1] == 0
