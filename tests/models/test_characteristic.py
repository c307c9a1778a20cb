"""A characteristic on its chart: points of running time, normal learnt once, matters that begin and end (IE-05)."""

import json
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import NotEnoughDataError
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_characteristic import Characteristic
from models.efficiency import characteristic as module
from models.efficiency.characteristic import Watched, points, watched
from models.efficiency.chart_document import digest_of, from_document, to_document
from models.efficiency.charted import against
from models.efficiency.phase_one import learnt
from models.efficiency.residual_chart import ResidualChart, designed
from tests.features.table_history import START, TableHistory, after, readings_frame

HOUR = timedelta(hours=1)
LEVEL = Characteristic(signal="level", phase_one=60, false_signals_per_year=50)
EVERY = 10
"""Minutes between two readings."""


def plant(*, running: str | None = None, level: Characteristic = LEVEL) -> Plant:
    mould = MachineClass(
        name="mould",
        signals=[Signal(name="level", unit="°C", every=timedelta(minutes=EVERY)), Signal(name="speed")],
        running=running,
        characteristics=[level],
    )
    return Plant(time_zone="Europe/Berlin", classes=[mould], machines=[Machine(name="m1", machine_class="mould")])


def hourly(
    levels: Sequence[float], *, speed: Sequence[float] | None = None, seed: int = 1, noise: float = 0.5
) -> TableHistory:
    """Six readings an hour around the level of each hour."""
    random = np.random.default_rng(seed)
    values = np.repeat(np.asarray(levels, float), 6)
    values = values + np.repeat(random.normal(0, 1, len(levels)), 6) + random.normal(0, noise, len(values))
    ran = np.full(len(values), 100.0) if speed is None else np.repeat(np.asarray(speed, float), 6)
    minutes = (np.arange(len(values)) + 1.0) * EVERY
    return TableHistory(readings_frame("m1", minutes.tolist(), level=values.tolist(), speed=ran.tolist()))


def at(hours: float, history: TableHistory, level: Characteristic = LEVEL, **kept: dict[str, object]) -> Watched:
    return watched(plant(level=level), history, "m1", level, START + hours * HOUR, kept)


def test_a_point_is_the_mean_of_its_span_and_the_single_its_last_reading() -> None:
    history = hourly([20, 30, 40])
    own = history.readings["level"].to_numpy(float)

    found = points(plant(), history, "m1", LEVEL, START, START + 3 * HOUR)

    np.testing.assert_allclose(found.means, own.reshape(3, 6).mean(axis=1))
    np.testing.assert_allclose(found.singles, own.reshape(3, 6)[:, -1])
    assert found.means.index[0] == START + HOUR
    assert found.means.index.tz == ZoneInfo("Europe/Berlin")


def test_time_in_which_the_machine_stood_has_no_point() -> None:
    standing = plant(running="speed > 50")

    found = points(standing, hourly([20] * 6, speed=[100, 0, 0, 100, 100, 100]), "m1", LEVEL, START, after(hours=6))

    assert [each.hour for each in found.means.index.tz_convert("UTC")] == [1, 4, 5, 6]
    assert np.isfinite(found.means).all()


def test_a_span_in_which_the_machine_ran_for_minutes_has_no_point() -> None:
    history = hourly([20] * 4)
    speed = np.full(24, 100.0)
    speed[7:12] = 0
    history.readings = history.readings.assign(speed=speed)

    found = points(plant(running="speed > 50"), history, "m1", LEVEL, START, after(hours=4))

    assert [each.hour for each in found.means.index.tz_convert("UTC")] == [1, 3, 4]


@pytest.mark.parametrize("running", [None, "speed > 50"])
@pytest.mark.parametrize("left", [0, 1])
def test_a_span_of_which_little_or_nothing_was_read_is_missing(running: str | None, left: int) -> None:
    history = hourly([20] * 6)
    gone = history.readings.index.isin(range(18 + left, 30))
    history.readings = history.readings[~gone].reset_index(drop=True)

    found = points(plant(running=running), history, "m1", LEVEL, START, after(hours=6))

    assert [each.hour for each in found.means.index.tz_convert("UTC")] == [1, 2, 3, 4, 5, 6]
    assert np.isnan(found.means.to_numpy()).tolist() == [False, False, False, True, True, False]


def test_normal_is_learnt_from_the_first_points_and_from_nothing_later() -> None:
    quiet, wild = hourly([20] * 100), hourly([20] * 60 + [90] * 40)

    learning, done, other = at(40, quiet), at(100, quiet), at(100, wild)

    assert (learning.state, learning.phase_one.known(), learning.learnt) == ("learning", 40, None)
    assert learning.says == "Normal is being learnt: 40 of 60 points of 1 h"
    assert (done.state, done.phase_one.known()) == ("in control", 60)
    assert done.learnt is not None
    assert other.learnt is not None
    assert done.learnt.digest == other.learnt.digest
    assert done.learnt.to_dict() == other.learnt.to_dict()


def test_phase_one_begins_where_the_plant_file_says() -> None:
    later = LEVEL.model_copy(update={"since": START + 40 * HOUR})

    found = at(120, hourly([60] * 40 + [20] * 80), later)

    assert found.phase_one.means.index[0] == START + 41 * HOUR
    assert found.charted is not None
    assert found.charted.centre == pytest.approx(20, abs=1)


def test_a_shift_is_a_matter_that_lasts_until_the_level_is_back() -> None:
    history = hourly([20] * 100 + [24] * 30 + [20] * 60)

    before, during, soon, over = (at(hours, history) for hours in (100, 120, 131, 190))

    assert [each.state for each in (before, during, soon, over)] == ["in control", "shifted", "shifted", "in control"]
    assert during.lasts is not None
    assert during.lasts.direction == "up"
    assert abs(during.lasts.since.at - (START + 101 * HOUR)) <= 2 * HOUR
    assert over.charted is not None
    (matter,) = over.charted.signals
    assert matter.at == during.lasts.at
    assert matter.over is not None
    assert after(hours=131) <= matter.over <= after(hours=145)
    assert matter.shift is not None
    assert matter.shift.size == pytest.approx(4, abs=1.5)


def test_a_shift_that_never_ends_is_one_matter_however_often_it_is_signalled() -> None:
    found = at(600, hourly([20] * 100 + [21.5] * 500))

    assert found.charted is not None
    (matter,) = found.charted.signals
    assert matter.over is None
    assert matter.count > 5


def test_points_that_are_missing_end_no_matter() -> None:
    history = hourly([20] * 100 + [24] * 20 + [20] * 100)
    gone = history.readings.index.isin(range(720, 1290))
    history.readings = history.readings[~gone].reset_index(drop=True)

    found = at(217, history)

    assert found.state == "shifted"
    assert int(np.isnan(found.since.means.to_numpy()).sum()) >= 95


def test_a_shift_to_the_other_side_is_another_matter_and_so_is_a_much_larger_one() -> None:
    there_and_back = at(180, hourly([20] * 100 + [24] * 20 + [14] * 60)).charted
    far = at(180, hourly([20] * 100 + [22.5] * 30 + [40] * 50)).charted

    assert there_and_back is not None
    assert far is not None
    up, down = there_and_back.signals
    assert (up.direction, down.direction) == ("up", "down")
    assert up.over == down.at
    small, large = far.signals[-2:]
    assert small.direction == large.direction == "up"
    assert abs(large.size) > 2 * abs(small.size)


def test_a_phase_one_that_was_not_stable_is_charted_and_nothing_rests_on_it() -> None:
    found = at(140, hourly([20] * 30 + [30] * 30 + [50] * 80))

    assert (found.state, found.lasts) == ("unstable", None)
    assert "was not stable" in found.says
    assert found.charted is not None
    assert found.charted.signals


def test_a_chart_that_is_kept_is_not_learnt_again_unless_phase_one_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = at(100, hourly([20] * 100))
    assert first.learnt is not None
    kept = {first.learnt.digest: json.loads(json.dumps(first.learnt.to_dict()))}

    def never(*_: object) -> ResidualChart:
        raise AssertionError("learnt again")

    monkeypatch.setattr(module, "designed", never)
    again = at(100, hourly([20] * 100), **kept)

    assert first.charted is not None
    assert again.charted is not None
    pd.testing.assert_frame_equal(again.charted.points, first.charted.points)
    assert again.says == first.says
    with pytest.raises(AssertionError, match="learnt again"):
        at(100, hourly([20] * 100, seed=2), **kept)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), phi=st.sampled_from([0.0, 0.4, 0.7]), outlier=st.booleans())
def test_a_chart_comes_back_from_its_document_as_it_was(seed: int, phi: float, outlier: bool) -> None:
    random = np.random.default_rng(seed)
    values = random.standard_normal(160)
    for place in range(1, 160):
        values[place] += phi * values[place - 1]
    values[30] = np.nan
    values[50] += 40 * outlier
    learning = learnt(values[:100], random)
    chart = designed(learning, 50, random, 40)

    back = from_document(json.loads(json.dumps(to_document(chart))), values[:100])

    series = pd.Series(values[100:], pd.date_range(START, periods=60, freq="h"))
    pd.testing.assert_frame_equal(against(back, series).points, against(chart, series).points)
    assert against(back, series).signals == against(chart, series).signals
    assert against(back, series).sentence == against(chart, series).sentence
    np.testing.assert_array_equal(back.phase_one.values, chart.phase_one.values)


def test_a_chart_is_named_by_its_values_and_by_what_is_asked_of_it() -> None:
    values = np.arange(60.0)

    names = {digest_of(values, 370), digest_of(values[:-1], 370), digest_of(values, 371), digest_of(values + 1, 370)}

    assert len(names) == 4
    assert digest_of(values.copy(), 370) in names


def test_capability_is_of_single_readings_among_the_newest() -> None:
    able = LEVEL.model_copy(update={"lower": 10.0, "upper": 30.0})

    found = at(160, hourly([50] * 60 + [20] * 100, noise=3), able)

    # It left phase I for good, and keeps its tolerance there: sigma of single readings is sqrt(1² + 3²), of means 1.6.
    assert found.capability is not None
    assert found.capability.mean == pytest.approx(20, abs=1.2)
    assert found.capability.sigma_overall == pytest.approx(3.16, abs=0.7)
    assert found.capability.ppk is not None
    assert found.capability.ppk.low < 10 / (3 * 3.162) < (found.capability.ppk.high or 0)
    none = at(160, hourly([20] * 160))
    assert (none.capability, "no tolerance is declared" in none.no_capability) == (None, True)


def test_a_signal_that_stands_still_has_no_capability_but_a_reason() -> None:
    able = LEVEL.model_copy(update={"lower": 10.0, "upper": 30.0})
    history = hourly([20] * 140)
    values = history.readings["level"].to_numpy(float).copy()
    values[-420:] = 20.0
    history.readings = history.readings.assign(level=values)

    found = at(140, history, able)

    assert (found.capability, found.no_capability) == (None, "the values do not vary, so there is nothing to chart")


def test_only_the_newest_time_is_charted_and_normal_stays_the_first_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS_BACK", 50 * HOUR)

    found = at(160, hourly([20] * 160))

    assert found.phase_one.means.index[-1] == after(hours=60)
    assert found.since.means.index[0] == after(hours=111)


def test_a_machine_of_which_nothing_was_read_has_no_chart() -> None:
    with pytest.raises(NotEnoughDataError, match="nothing was read of 'm1' yet"):
        watched(plant(), hourly([20]), "m1", LEVEL, START)


def test_a_signal_that_never_changes_is_said_to_have_nothing_to_chart() -> None:
    still = TableHistory(readings_frame("m1", [(place + 1.0) * EVERY for place in range(600)], level=[5.0] * 600))

    with pytest.raises(NotEnoughDataError, match="level of m1: the values do not vary"):
        at(100, still)


def test_spans_are_those_of_the_clock_wherever_the_look_begins() -> None:
    history = hourly([20] * 80)

    whole = points(plant(), history, "m1", LEVEL, START, START + 80 * HOUR)
    part = points(plant(), history, "m1", LEVEL, after(hours=30), START + 80 * HOUR)

    pd.testing.assert_series_equal(part.means, whole.means.iloc[30:], check_freq=False)


def test_a_signal_that_is_no_longer_read_is_said_to_be_missing() -> None:
    history = hourly([20] * 140)
    values = history.readings["level"].to_numpy(float).copy()
    values[-180:] = np.nan
    history.readings = history.readings.assign(level=values)

    assert at(140, history).says.endswith("Its newest 30 points are missing.")


def test_spans_of_which_too_little_was_read_are_told_while_normal_is_learnt() -> None:
    history = hourly([20] * 50)
    history.readings = history.readings[history.readings.index % 6 == 0].reset_index(drop=True)

    assert "; 50 are missing, of which less was read than half of what 'every'" in at(50, history).says


def test_a_phase_one_of_centuries_is_waited_for() -> None:
    long = LEVEL.model_copy(update={"every": timedelta(days=300), "phase_one": 5000, "false_signals_per_year": 0.01})

    assert at(100, hourly([20] * 100), long).state == "learning"
