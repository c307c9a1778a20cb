"""Stretches whose level departs from the rest."""

import numpy as np
import pytest

from models.efficiency.autoregression import fitted, forgotten, simulated
from models.efficiency.level_departure import exceeded, largest_departure
from models.efficiency.look import Floats


def stable(phi: float, rows: int, points: int = 300, seed: int = 1) -> Floats:
    coefficients, random = np.array([phi]), np.random.default_rng(seed)
    burn = forgotten(coefficients)
    return simulated(coefficients, random.standard_normal((rows, burn + points)), burn)


@pytest.mark.parametrize(("begin", "end"), [(0, 60), (100, 145), (240, 300)])
def test_a_stretch_that_departs_is_found_where_it_is(begin: int, end: int) -> None:
    values = stable(0.5, 1)
    values[0, begin:end] += 5.0

    found = largest_departure(values, 5)

    assert abs(found.begin[0] - max(begin, 5)) <= 8
    assert abs(found.end[0] - end) <= 8
    assert found.statistic[0] > 50


def test_its_statistic_is_f_of_a_column_beside_constant_and_lags() -> None:
    values = stable(0.5, 1, 120)
    found = largest_departure(values, 2)
    x = values[0]
    design = np.column_stack([np.ones(118), x[1:-1], x[:-2]])
    column = np.zeros(118)
    column[found.begin[0] - 2 : found.end[0] - 2] = 1.0

    def unexplained(columns: Floats) -> float:
        left = x[2:] - columns @ np.linalg.lstsq(columns, x[2:], rcond=None)[0]
        return float(left @ left)

    with_it = unexplained(np.column_stack([design, column]))
    expected = (unexplained(design) - with_it) / (with_it / (118 - 4))

    assert found.statistic[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("phi", [0.0, 0.8, 0.95])
def test_a_stable_process_hardly_ever_departs_however_its_values_follow_each_other(phi: float) -> None:
    random = np.random.default_rng(5)
    rows = stable(phi, 60, seed=2)
    models = fitted(rows, 5)

    found = largest_departure(rows, 5).statistic
    wrong = [
        exceeded(float(each), models.take(np.array([row])), rows[row], 5, random) for row, each in enumerate(found)
    ]

    assert sum(wrong) <= 4
