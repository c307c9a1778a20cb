"""What every control chart promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.efficiency.control_chart import CHARTS, ControlChart
from models.efficiency.cusum import Cusum, limit_at, log_run_length
from models.efficiency.ewma import Ewma
from models.efficiency.look import Floats
from models.efficiency.run_length import first_signals, simulated_run_lengths
from models.efficiency.shewhart import Shewhart
from models.efficiency.shewhart_cusum import ShewhartCusum

ALL: dict[str, ControlChart] = {
    **{name: chart() for name, chart in CHARTS.items()},
    "Shewhart and CUSUM": ShewhartCusum(),
}
QUARTERS = arrays(np.float64, st.integers(1, 60), elements=st.integers(-16, 16).map(lambda each: each / 4))
"""Values that meet limits exactly."""

contract = pytest.mark.parametrize("chart", ALL.values(), ids=ALL)


@contract
@given(points=QUARTERS, future=QUARTERS)
def test_points_to_come_change_no_signal(chart: ControlChart, points: Floats, future: Floats) -> None:
    alone, followed = chart.look(points), chart.look(np.concatenate([points, future]))

    np.testing.assert_array_equal(followed.fired[:, : len(points)], alone.fired)
    np.testing.assert_array_equal(followed.side[:, : len(points)], alone.side)


@contract
@given(points=QUARTERS)
def test_mirrored_points_mirror_the_signals(chart: ControlChart, points: Floats) -> None:
    look, mirrored = chart.look(points), chart.look(-points)

    np.testing.assert_array_equal(mirrored.fired, look.fired)
    np.testing.assert_array_equal(mirrored.side, -look.side)


@contract
def test_rows_are_charted_as_if_each_were_alone(chart: ControlChart) -> None:
    rows = np.random.default_rng(1).normal(0, 1.5, (3, 200))

    together = chart.look(rows).fired

    for row, points in enumerate(rows):
        np.testing.assert_array_equal(together[:, row], chart.look(points).fired)


@contract
def test_a_signal_has_a_rule_and_a_missing_point_is_refused(chart: ControlChart) -> None:
    look = chart.look(np.array([0.0, 9.0, 9.0]))

    assert len(look.fired) == len(chart.rules)
    assert look.signals.tolist()[0] is False
    assert look.signals.tolist()[2] is True
    with pytest.raises(ValueError, match="missing"):
        chart.look(np.array([0.0, np.nan]))


@given(points=QUARTERS)
def test_a_cumulative_sum_is_what_its_recursion_gives(points: Floats) -> None:
    above = below = 0.0
    expected = []
    for z in points:
        above, below = max(0.0, above + z - 0.5), max(0.0, below - z - 0.5)
        expected.append(max(above, below))

    np.testing.assert_allclose(Cusum().statistic(points), expected, atol=1e-12)


def test_a_cumulative_sum_at_its_limit_is_no_signal_and_above_it_one() -> None:
    look = Cusum(reference=0.5, limit=2.0).look(np.array([1.5, 1.5, 0.75, -4.0]))

    assert look.side.tolist() == [[0, 0, 1, -1]]


@given(points=QUARTERS)
def test_a_weighted_mean_is_what_its_recursion_gives_against_limits_that_widen(points: Floats) -> None:
    weight, mean, expected = 0.2, 0.0, []
    for time, z in enumerate(points, start=1):
        mean = weight * z + (1 - weight) * mean
        expected.append(abs(mean) / np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * time))))

    np.testing.assert_allclose(Ewma(weight).statistic(points), expected, atol=1e-12)


def test_a_weight_of_one_is_the_shewhart_chart() -> None:
    points = np.array([2.9, 3.1, -3.1, 3.0])

    np.testing.assert_array_equal(Ewma(weight=1.0, limit=3.0).look(points).side, Shewhart().look(points).side)
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        Ewma(weight=0.0)


@pytest.mark.parametrize(("reference", "limit", "published"), [(0.5, 4, 168), (0.5, 5, 465), (0.25, 8, 362)])
def test_the_run_length_of_a_cumulative_sum_is_near_published_ones(
    reference: float, limit: float, published: float
) -> None:
    """Montgomery, Introduction to Statistical Quality Control; Hawkins and Olwell, Cumulative Sum Charts."""
    told = float(np.exp(log_run_length(np.array(limit), reference)))

    assert told == pytest.approx(published, rel=0.03)
    assert limit_at(told, reference) == pytest.approx(limit)


def test_both_charts_in_one_have_limits_of_one_nominal_run_length() -> None:
    chart = ShewhartCusum(reference=0.25, limit=float(np.log(740.8)))

    assert chart.jump_limit == pytest.approx(3.205, abs=1e-3)
    assert Cusum(0.25, chart.shift_limit).look(np.array([[10.0]])).fired.all()
    assert float(np.exp(log_run_length(np.array(chart.shift_limit), 0.25))) == pytest.approx(740.8)
    just, over = chart.jump_limit - 1e-6, chart.jump_limit + 1e-6
    assert chart.look(np.array([just])).fired[0].tolist() == [False]
    assert chart.look(np.array([over])).fired[0].tolist() == [True]


@pytest.mark.parametrize(
    ("name", "independent", "correlated"),
    [
        ("Shewhart", 371, 538),
        ("Nelson", 74, 13.5),
        ("Western Electric", 92, 15),
        ("CUSUM", 457, 30),
        ("EWMA", 492, 32),
    ],
)
def test_textbook_charts_flood_where_values_follow_each_other(name: str, independent: float, correlated: float) -> None:
    random = np.random.default_rng(3)
    runs = simulated_run_lengths(CHARTS[name](), lambda rows, count: random.standard_normal((rows, count)), 2000)
    # So long that hardly any run is cut off.
    shocks = random.standard_normal((2000, 12 * int(correlated)))
    values = np.empty_like(shocks)
    values[:, 0] = shocks[:, 0]
    for place in range(1, shocks.shape[1]):
        values[:, place] = 0.8 * values[:, place - 1] + 0.6 * shocks[:, place]
    first = first_signals(CHARTS[name](), values)

    assert runs.mean() == pytest.approx(independent, rel=0.09)
    assert first[first > 0].mean() == pytest.approx(correlated, rel=0.09)
