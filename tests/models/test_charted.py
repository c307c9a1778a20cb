"""The default chart: the run length that was asked for, signals, and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from models.efficiency.charted import Charted, against, charted
from models.efficiency.look import Floats
from models.efficiency.phase_one import learnt
from models.efficiency.residual_chart import designed
from tests.trials.run_lengths import Process, realised

HOT = 180.0


def timed(values: Floats, begin: str = "2026-03-01") -> "pd.Series[float]":
    return pd.Series(values, pd.date_range(begin, periods=len(values), freq="min", tz="UTC"), name="temperature")


def values(phi: float, count: int, seed: int, shift: float = 0.0, at: int = 0) -> Floats:
    process = Process((phi,))
    found = process.drawn(np.random.default_rng(seed), (1, count))[0] / process.sigma
    found[at:] += shift
    return HOT + 2.0 * found


@pytest.fixture(scope="module")
def shifted() -> Charted:
    """The level rises by 1.5 sigma, which is 3 degrees, after 400 points."""
    return charted(timed(values(0.5, 700, 4, 1.5, 400), "2026-03-02"), timed(values(0.5, 500, 3)), replications=300)


def test_a_shift_is_signalled_with_since_when_and_by_how_much(shifted: Charted) -> None:
    truth = pd.Timestamp("2026-03-02 06:40", tz="UTC")
    signal = next(each for each in shifted.signals if each.at >= truth)

    assert (signal.rule, signal.direction) == ("shift", "up")
    assert signal.at - truth < pd.Timedelta("60min")
    assert signal.since.earliest <= truth <= signal.since.latest
    assert signal.size == pytest.approx(3.0, abs=1.5)
    assert signal.count > 1
    assert signal.last > signal.at
    assert signal.sentence.startswith(f"Since about {signal.since.at:%Y-%m-%d %H:%M} (95 %: ")
    assert "above its normal of 180" in signal.sentence


def test_centre_sigma_and_correlation_are_those_of_the_process(shifted: Charted) -> None:
    assert shifted.centre == pytest.approx(HOT, abs=0.4)
    assert shifted.sigma == pytest.approx(2.0, abs=0.25)
    assert shifted.autocorrelation == pytest.approx([0.5], abs=0.12)
    assert shifted.sentence.startswith("Phase I of temperature was stable in 500 values; ")


def test_each_point_has_its_limits_from_the_values_before_it(shifted: Charted) -> None:
    points = shifted.points.dropna()

    assert (points["low"] < points["expected"]).all()
    assert (points["high"] > points["expected"]).all()
    assert points["signal"].sum() == len(shifted.signals)
    beyond = (points["value"] > points["high"]) | (points["value"] < points["low"])
    over = points["score"].abs() > shifted.chart.chart.jump_limit
    pd.testing.assert_series_equal(beyond, over, check_names=False)


def test_points_to_come_change_no_signal(shifted: Charted) -> None:
    series = shifted.points["value"]
    cut = shifted.signals[-1].at

    before = against(shifted.chart, series[:cut])

    pd.testing.assert_frame_equal(before.points, shifted.points[:cut])
    told = [(each.at, each.rule, each.since, each.size, each.sentence) for each in shifted.signals]
    assert [(each.at, each.rule, each.since, each.size, each.sentence) for each in before.signals] == told


def test_the_same_data_give_the_same_chart_bit_for_bit() -> None:
    phase, series = timed(values(0.8, 200, 1)), timed(values(0.8, 300, 2, 2.0, 100), "2026-03-02")

    one, two = (charted(series, phase, replications=100) for _ in range(2))

    assert one.signals == two.signals
    assert one.chart.chart == two.chart.chart
    pd.testing.assert_frame_equal(one.points, two.points)


def test_unit_and_zero_of_the_signal_change_no_signal() -> None:
    phase, series = timed(values(0.5, 200, 1)), timed(values(0.5, 300, 2, 3.0, 100), "2026-03-02")

    celsius = charted(series, phase, replications=100)
    fahrenheit = charted(32 + 1.8 * series, 32 + 1.8 * phase, replications=100)

    assert [each.at for each in fahrenheit.signals] == [each.at for each in celsius.signals]
    assert [each.size for each in fahrenheit.signals] == pytest.approx([1.8 * each.size for each in celsius.signals])


def test_an_unstable_phase_one_is_charted_but_not_without_saying_so() -> None:
    phase = values(0.0, 300, 3)
    phase[150:] += 8

    found = charted(timed(values(0.0, 50, 4), "2026-03-02"), timed(phase), replications=100)

    assert found.phase_one.verdict == "unstable"
    assert "was not stable: the level changed" in found.sentence
    assert "Do not trust" in found.sentence


def test_missing_values_have_no_score_and_stop_nothing() -> None:
    series = values(0.5, 300, 2, 3.0, 100)
    series[[20, 130]] = np.nan

    found = charted(timed(series, "2026-03-02"), timed(values(0.5, 200, 1)), replications=100)

    assert np.isnan(found.points["score"].iloc[[20, 21, 130, 131]]).all()
    assert found.signals


def test_what_cannot_be_charted_is_refused_in_words() -> None:
    phase, series = timed(values(0.5, 200, 1)), timed(values(0.5, 60, 2))

    with pytest.raises(ValueError, match="from 50 at least"):
        charted(series, phase[:30])
    with pytest.raises(ValueError, match="must ascend"):
        charted(series[::-1], phase)
    with pytest.raises(ValueError, match="cannot be held"):
        charted(series, phase, requested_run_length=5)


def test_a_longer_run_length_has_wider_limits() -> None:
    phase = learnt(values(0.5, 300, 3), np.random.default_rng(1))

    limits = [designed(phase, asked, np.random.default_rng(2), 200).chart.limit for asked in (50, 370, 1000)]

    assert limits == sorted(limits)
    assert limits[2] - limits[0] == pytest.approx(np.log(20), abs=0.7)


@pytest.mark.slow(10)
@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_the_requested_run_length_is_held_about(phi: float) -> None:
    """A short form of ``python -m tests.trials.run_lengths held``, whose limits fail for a textbook chart."""
    found = realised(Process((phi,)), points=500, charts=12, seed=11, replications=200, rows=800)

    assert 0.65 * 370 < found.sharper()[0] < 1.5 * 370
