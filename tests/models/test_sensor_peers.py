"""What machines of a class are off by at once is the weather: it blames no sensor, and hides none that is off."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from ingest.plant import MachineClass, Signal
from models.sensors.health import APART, sensor_health
from models.sensors.peers import FEWEST, MOST, common, peers_of
from tests.features.table_history import TableHistory

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNALS = ("flow", "power", "pressure", "heat")
PUMP = MachineClass(name="pump", signals=[Signal(name=name) for name in SIGNALS])
FAULT, DAYS = BEGIN + 30 * DAY, 34
NAMES = tuple(f"m{number}" for number in range(5))


@cache
def readings() -> pd.DataFrame:
    """Five pumps, each with a load of its own; what is hot follows the weather, too, which is the same for all."""
    random = np.random.default_rng(2)
    count = DAYS * 24
    weather = 6 * np.sin(np.arange(count) * 2 * np.pi / (4.3 * 24)) + 4 * np.sin(np.arange(count) / 31)
    frames = []
    for machine in NAMES:
        load = 10 * np.sin(np.arange(count) / random.uniform(5, 9)) + random.normal(0, 1, count)
        values = {name: 50 + (1 + place) * load / 2 + random.normal(0, 1, count) for place, name in enumerate(SIGNALS)}
        values["heat"] += weather
        times = pd.date_range(BEGIN + timedelta(hours=1), periods=count, freq="h")
        frames.append(pd.DataFrame({"machine": machine, "time": times, **values}))
    return pd.concat(frames, ignore_index=True)


def off(machine: str, by: float) -> pd.DataFrame:
    """Return the readings with one sensor of heat that drifts so far in two days and stays there."""
    changed = readings().copy()
    days = (changed["time"] - pd.Timestamp(FAULT)) / pd.Timedelta(DAY)
    changed["heat"] += np.where(changed["machine"] == machine, by * (days / 2).clip(0, 1), 0.0)
    return changed


def apart(frame: pd.DataFrame) -> set[tuple[str, str]]:
    """Return which signals of which machines are apart at any time after the fault began."""
    machines = sorted(set(frame["machine"]))
    health = sensor_health(TableHistory(frame), PUMP, machines, FAULT, BEGIN + DAYS * DAY)
    return {
        (machine, name)
        for machine, own in health.items()
        for name, row in zip(own.signals, own.fault, strict=True)
        if (row == APART).any()
    }


def test_a_drift_that_the_weather_hides_is_found_beside_peers_and_not_alone() -> None:
    frame = off("m3", 14.0)
    assert apart(frame) == {("m3", "heat")}
    assert apart(frame[frame["machine"] == "m3"]) == set()


def test_weather_alone_blames_no_sensor() -> None:
    assert apart(readings()) == set()


def test_a_machine_is_told_the_same_whoever_else_is_asked_about() -> None:
    frame = off("m3", 14.0)
    asked = (TableHistory(frame), PUMP)
    alone = sensor_health(*asked, ["m3"], FAULT + DAY, FAULT + 3 * DAY)["m3"]
    together = sensor_health(*asked, list(NAMES), FAULT, FAULT + 4 * DAY)["m3"]
    np.testing.assert_array_equal(alone.fault, together.fault[:, 24:72])
    assert (alone.fault == APART).any()


def test_readings_of_peers_to_come_change_nothing() -> None:
    frame, until = off("m3", 14.0), FAULT + 2.5 * DAY
    whole = sensor_health(TableHistory(frame), PUMP, ["m3"], FAULT, FAULT + 4 * DAY)["m3"]
    known = frame[frame["time"] <= pd.Timestamp(until)]
    then = sensor_health(TableHistory(known), PUMP, ["m3"], FAULT, until)["m3"]
    np.testing.assert_array_equal(then.fault, whole.fault[:, :60])


def test_a_machine_that_is_added_later_is_no_peer_of_before() -> None:
    spans = dict.fromkeys(NAMES, (BEGIN, BEGIN + 90 * DAY))
    before = peers_of("m1", spans, BEGIN + DAY)
    assert before == ["m2", "m3", "m4", "m0"]
    assert peers_of("m1", {**spans, "m11": (BEGIN + 60 * DAY, BEGIN + 90 * DAY)}, BEGIN + DAY) == before


def test_peers_are_few_and_none_where_they_are_too_few() -> None:
    spans = {f"m{number:02}": (BEGIN, BEGIN) for number in range(40)}
    assert len(peers_of("m20", spans, BEGIN)) == MOST
    assert peers_of("m0", {f"m{number}": (BEGIN, BEGIN) for number in range(FEWEST)}, BEGIN) == []


@pytest.mark.parametrize(("known", "expected"), [(2, np.nan), (3, 2.0), (4, 2.5), (5, 3.0)])
def test_the_median_is_that_of_those_who_are_known(known: int, expected: float) -> None:
    each = [np.array([[number + 1.0 if number < known else np.nan]]) for number in range(5)]
    assert common(each)[0, 0] == pytest.approx(expected, nan_ok=True)
