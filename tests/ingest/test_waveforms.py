"""A waveform comes in as any other readings, and does not burden who reads the signals beside it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingest.errors import PlantFileError
from ingest.plant_file import load_plant
from ingest.reading import Readings, readings_schema
from ingest.store import Store

START = datetime(2026, 1, 5, tzinfo=UTC)
RATE = 25_600
PLANT = """
[[classes]]
name = "fan"
signals = [
    { name = "speed", unit = "rpm", every = "1 s" },
    { name = "temperature", unit = "degC", every = "1 min" },
    { name = "vibration", unit = "g", rate = "25.6 kHz", every = "10 min", speed = "speed", bands = [[500, 2000]] },
]
[[classes.bearings]]
name = "drive end"
elements = 9
ball_diameter = 7.94
pitch_diameter = 39.04

[[machines]]
name = "fan-1"
class = "fan"
"""


def _plant(folder: Path, text: str = PLANT) -> Path:
    path = folder / "plant.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _snapshot(start: int, samples: int) -> Readings:
    """Return a snapshot that begins some seconds after START, with stamps rounded to microseconds."""
    begin = int(START.timestamp() * 1e6) + start * 1_000_000
    time = begin + np.rint(np.arange(samples) * 1e6 / RATE).astype(np.int64)
    values = np.random.default_rng(start).normal(size=samples)
    columns = {
        "machine": pa.array(["fan-1"] * samples),
        "time": pa.array(time).cast(pa.timestamp("us", "UTC")),
        "arrived": pa.array(np.full(samples, time[-1])).cast(pa.timestamp("us", "UTC")),
        "vibration": pa.array(values),
        "speed": pa.array([1500.0] + [None] * (samples - 1), pa.float64()),
    }
    schema = readings_schema(("speed", "vibration"))
    return Readings("fan", pa.table([columns[name] for name in schema.names], schema=schema))


def test_rates_speeds_bands_and_bearings_are_read(tmp_path: Path) -> None:
    fan = load_plant(_plant(tmp_path)).classes[0]

    (vibration,) = fan.waveforms
    assert float(vibration.rate or 0) == 25_600
    assert vibration.bands == [(500, 2000)]
    assert [each.name for each in fan.slow_signals] == ["speed", "temperature"]
    assert fan.bearings[0].contact_angle == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('rate = "25.6 kHz"', 'rate = "fast"', "'fast' is not a rate; write a number and Hz or kHz"),
        ('rate = "25.6 kHz"', 'rate = "1000 kHz"', "out of reach; write a rate above 0 and up to '250 kHz'"),
        ('rate = "25.6 kHz", ', "", "signals[3].speed: has no meaning without 'rate'"),
        (', every = "10 min"', "", "signals[3].every: is missing; write how often a snapshot comes"),
        ('rate = "25.6 kHz"', 'rate = "25.6 kHz", max_age = "1 h"', "signals[3].max_age: has no meaning with 'rate'"),
        ('rate = "25.6 kHz"', 'rate = "25.6 kHz", limits = [0, 9]', "signals[3].limits: has no meaning with 'rate'"),
        ('speed = "speed", ', "", "signals[3].speed: is missing: it hears the bearing 'drive end'"),
        ('speed = "speed"', 'speed = "sped"', "'sped' is no signal, and no speed such as '1480 rpm'; did you mean"),
        ('speed = "speed"', 'speed = "temperature"', "signal 'temperature' has the unit 'degC'; a speed is in rpm"),
        ("[[500, 2000]]", "[[500, 20000]]", "[500, 20000] is no band below half the rate"),
        ("[[500, 2000]]", "[[500]]", "is not two numbers such as [0, 10]"),
        ("ball_diameter = 7.94", "ball_diameter = 79.4", "79.4 is not below the pitch diameter, 39.04"),
        ("elements = 9", "elements = 2", "2 is too small; write 3 or more"),
        ("elements = 9", 'elements = 9\nsignals = ["temperature"]', "no waveform signal 'temperature'"),
        ('name = "drive end"', 'name = "a__b"', "'a__b' stands in names of columns; leave out '__' and '@'"),
        ('every = "10 min"', 'every = "10 min", snapshot = "2 min"', "is not above zero and up to a minute"),
    ],
)
def test_what_is_wrong_with_a_waveform_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in PLANT

    with pytest.raises(PlantFileError) as error:
        load_plant(_plant(tmp_path, PLANT.replace(old, new, 1)))

    assert any(told in line for line in error.value.problems), error.value.problems


def test_a_snapshot_is_kept_sample_by_sample_through_log_and_lake(store: Store) -> None:
    snapshot = _snapshot(0, 25_600)
    store.append(snapshot, source="s", position="1")
    waiting = store.read("fan", signals=["vibration"]).table
    store.seal()
    store.append(snapshot, source="s", position="again")
    sealed = store.read("fan", signals=["vibration"]).table

    for table in (waiting, sealed):
        assert table["time"].equals(snapshot.table["time"])
        assert table["vibration"].equals(snapshot.table["vibration"])


def test_who_reads_a_slow_signal_holds_no_row_for_each_sample_of_a_waveform(store: Store) -> None:
    store.append(_snapshot(0, 10_000), source="s", position="1")
    store.seal()
    store.append(_snapshot(600, 10_000), source="s", position="2")

    assert store.read("fan", signals=["speed"]).table.num_rows == 2
    assert store.read("fan", signals=["temperature"]).table.num_rows == 0
    assert store.read("fan", signals=["speed", "vibration"]).table.num_rows == 20_000
    assert store.read("fan", signals=()).table.num_rows == 20_000
