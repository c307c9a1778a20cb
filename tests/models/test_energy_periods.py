"""Readings of meters and drivers, summed up over periods."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.microsecond import HOUR
from ingest.event import Event
from ingest.plant import Plant
from models.efficiency.energy.amounts import rates_of
from models.efficiency.energy.meter import columns_of, read_periods
from models.efficiency.energy.periods import EnergyPeriods, bounds_between, periods_of
from tests.features.table_history import TableHistory

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 2, 23, tzinfo=UTC)
QUARTER = HOUR // 4


def test_a_reading_speaks_for_the_time_before_it_and_no_further_than_it_holds() -> None:
    times = np.array([0, 1, 4]) * HOUR

    power = rates_of(times, np.array([5.0, 8.0, 20.0]), 2 * HOUR, "power")

    assert power.means(np.arange(5) * HOUR)[[0, 2, 3]].tolist() == [8.0, 20.0, 20.0]
    assert np.isnan(power.means(np.arange(5) * HOUR)[1])


def test_power_energy_and_counter_of_the_same_use_are_the_same() -> None:
    random = np.random.default_rng(1)
    times = np.cumsum(random.integers(1, 30, 200)) * 60_000_000
    kw = random.uniform(0, 50, 200)
    kwh = kw * np.diff(times, prepend=times[0]) / HOUR
    bounds = np.arange(times[0], times[-1], HOUR)

    of_power, of_energy, of_counter = (
        rates_of(times, values, HOUR, reads).means(bounds)
        for values, reads in ((kw, "power"), (kwh, "energy"), (1000 + np.cumsum(kwh), "counter"))
    )

    np.testing.assert_allclose(of_energy, of_power)
    np.testing.assert_allclose(of_counter, of_power)


def test_the_energy_across_a_reset_is_not_known_and_the_reset_is_told() -> None:
    times = np.arange(6) * QUARTER

    counter = rates_of(times, np.array([90.0, 95, 99, 2, 7, 12]), HOUR, "counter")

    assert counter.resets.tolist() == [3 * QUARTER]
    assert np.isnan(counter.means(np.array([0, 4, 5]) * QUARTER)[0])
    assert counter.means(np.array([0, 4, 5]) * QUARTER)[1] == 20.0


def test_a_silence_is_not_filled() -> None:
    times = np.array([0, 1, 2, 30, 31]) * HOUR

    counter = rates_of(times, np.array([0.0, 5, 10, 150, 155]), 5 * HOUR, "counter").means(np.arange(32) * HOUR)

    assert np.isnan(counter[2:30]).all()
    assert counter[[0, 1, 30]].tolist() == [5.0, 5.0, 5.0]


def test_travel_counts_both_ways() -> None:
    way = rates_of(np.arange(5) * QUARTER, np.array([0.0, 3, 1, 1, 4]), HOUR, "travel")

    assert way.means(np.array([0, 4]) * QUARTER).tolist() == [8.0]


@given(st.dates(datetime(2000, 1, 1, tzinfo=UTC).date(), datetime(2040, 1, 1, tzinfo=UTC).date()))
def test_every_local_day_is_whole_whatever_the_length_of_periods(day: object) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN)  # type: ignore[attr-defined]
    end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=BERLIN)
    hours = (end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)

    for every in (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=8), timedelta(days=1)):
        bounds = bounds_between(start, end, every, BERLIN)
        assert (np.diff(bounds) > 0).all()
        assert np.diff(bounds).sum() == round(hours * HOUR)


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_a_day_of_a_clock_change_has_the_same_mean_power_and_its_own_energy(month: int, day: int, hours: int) -> None:
    start = datetime(2026, month, day, tzinfo=BERLIN)
    end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=BERLIN)
    index = pd.date_range(start, end, freq="15min", inclusive="right").tz_convert(UTC)
    history = TableHistory(pd.DataFrame({"machine": "m", "time": index, "power": 10.0}))
    plant = Plant.model_validate(PLANT | {"meters": [METER | {"every": "24 h", "baseline": "60 d"}]})

    found = read_periods(plant, plant.meters[0], "m", history, start, end)

    assert found.hours.tolist() == [hours]
    np.testing.assert_allclose(found.kwh, [10.0 * hours])


PLANT = {
    "time_zone": "Europe/Berlin",
    "classes": [
        {
            "name": "line",
            "signals": [{"name": name, "unit": unit, "every": "15 min"} for name, unit in [
                ("power", "kW"), ("counter", "Wh"), ("pieces", "count"), ("product", ""), ("ambient", "degC")
            ]],
        }
    ],
    "machines": [{"name": "m", "class": "line"}],
}  # fmt: skip
METER = {"name": "electricity", "machine": "m", "signal": "power", "reads": "power"}


def quarters(hours: int = 48, *, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    count = 4 * hours + 1
    power = random.uniform(10, 50, count)
    return pd.DataFrame(
        {
            "machine": "m",
            "time": pd.date_range(BEGIN, periods=count, freq="15min"),
            "power": power,
            "counter": 1000 * np.cumsum(power) / 4,
            "pieces": random.integers(0, 9, count).astype(float),
            "product": (np.arange(count) // 20 % 3).astype(float),
            "ambient": random.normal(10, 3, count),
        }
    )


def read(history: TableHistory, hours: int, **meter: object) -> EnergyPeriods:
    plant = Plant.model_validate(PLANT | {"meters": [METER | meter]})
    return read_periods(plant, plant.meters[0], "m", history, BEGIN, BEGIN + timedelta(hours=hours))


DRIVERS = [
    {"signal": "pieces", "reads": "sum"},
    {"signal": "ambient"},
    {"signal": "product", "reads": "shares"},
    {"signal": "state", "reads": "shares"},
]


def test_drivers_are_means_sums_and_shares() -> None:
    table = quarters()
    set_up = Event(machine="m", kind="state", time=BEGIN + timedelta(hours=2), code="set-up")
    runs = Event(machine="m", kind="state", time=BEGIN + timedelta(hours=2, minutes=30), code="run")

    found = read(TableHistory(table, [set_up, runs]), 48, drivers=DRIVERS, production="pieces")

    third = table.iloc[9:13]  # the readings at 2:15, 2:30, 2:45 and 3:00
    assert found.power[2] == pytest.approx(third["power"].mean())
    assert found.drivers["ambient"][2] == pytest.approx(third["ambient"].mean())
    assert found.drivers["pieces"][2] == pytest.approx(third["pieces"].sum())
    assert found.produced[2] == found.drivers["pieces"][2]
    assert found.drivers["product=0"][2] == 1.0
    assert found.drivers["product=1"][4] == pytest.approx(0.25)
    assert found.drivers["state=set-up"][2] == pytest.approx(0.5)
    assert columns_of(list(found.drivers.columns)) == ["pieces", "ambient", "product", "state"]


def test_a_counter_in_wh_and_a_power_in_kw_give_the_same_kwh() -> None:
    history = TableHistory(quarters())

    by_power, by_counter = read(history, 48), read(history, 48, signal="counter", reads="counter")

    np.testing.assert_allclose(by_counter.kwh, by_power.kwh)


def test_several_signals_of_a_meter_are_added() -> None:
    history = TableHistory(quarters())

    np.testing.assert_allclose(read(history, 8, signal=["power"]).power * 2, 2 * read(history, 8).power)


def test_what_is_made_or_an_expression_says_when_it_is_idle() -> None:
    table = quarters()
    table.loc[table.index < 17, "pieces"] = 0.0
    history = TableHistory(table)

    by_pieces = read(history, 24, drivers=DRIVERS[:1], production="pieces")
    by_words = read(history, 24, productive="product == 1")

    assert by_pieces.idle[:4].all()
    assert not by_pieces.idle[4:].any()
    assert by_words.productive[[0, 6]].tolist() == [0.0, 1.0]
    assert np.isnan(read(history, 24).productive).all()


def test_later_readings_change_no_period_that_is_known() -> None:
    table = quarters(72)
    table["time"] += timedelta(minutes=11)  # the newest period is filled to 93 % before its last reading comes
    history = TableHistory(table)

    early, late = (read(history, hours, drivers=DRIVERS[:3], production="pieces") for hours in (30, 72))

    known = ~np.isnan(early.power)
    assert known.sum() >= 28
    np.testing.assert_array_equal(late.power[: len(early)][known], early.power[known])
    np.testing.assert_array_equal(late.drivers["pieces"][: len(early)][known], early.drivers["pieces"][known])


def test_a_reading_after_a_silence_speaks_for_five_of_its_intervals() -> None:
    table = quarters()
    silent = table[(table.index <= 16) | (table.index >= 48)]

    found = read(TableHistory(silent), 48)

    # Read at 4:00 and next at 12:00, which speaks for the time from 10:45 on.
    assert np.isnan(found.power[4:11]).all()
    assert found.power[11] == pytest.approx(table["power"][48])


def test_a_table_of_a_notebook_makes_the_same_periods() -> None:
    index = pd.date_range(BEGIN, periods=3, freq="1D", tz="UTC")
    power = pd.Series([10.0, 20.0, 30.0], index=index)

    found = periods_of(power, pd.DataFrame({"x": [0.0, 1, 2]}, index=index), every=timedelta(days=1), produced="x")

    assert found.kwh.tolist() == [240.0, 480.0, 720.0]
    assert found.idle.tolist() == [True, False, False]
