"""Values come in the unit of their signal, whatever unit a source delivers."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue import to_microseconds
from ingest.decode.kafka import Message as KafkaMessage
from ingest.decode.kafka import MessageDecoder as KafkaDecoder
from ingest.decode.mqtt import Message, MessageDecoder
from ingest.errors import PlantFileError, UnitError
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from ingest.unit import conversion, same

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "temperature", unit = "degC", range = [-40, 200] }, { name = "pressure", unit = "bar" }]
[[classes]]
name = "oven"
signals = [{ name = "temperature", unit = "K" }]
[[machines]]
name = "m1"
class = "press"
[[machines]]
name = "o1"
class = "oven"
"""
WIDE = """
[[sources]]
name = "old control"
path = "wide.csv"
machine = "machine"
time = "time"
units = { temperature = "degF", pressure = "psi" }
"""
LONG = """
[[sources]]
name = "old control"
path = "long.csv"
machine = "machine"
time = "time"
signal_column = "signal"
value_column = "value"
units = { temperature = "degF", pressure = "psi" }
"""


@pytest.mark.parametrize(
    ("delivered", "wanted", "value", "expected"),
    [
        ("degF", "degC", 32.0, 0.0),
        ("degF", "degC", 212.0, 100.0),
        ("°C", "degF", -40.0, -40.0),
        ("K", "degC", 273.15, 0.0),
        ("degC", "K", -273.15, 0.0),
        ("bar", "kPa", 1.5, 150.0),
        ("m3/h", "l/min", 3.0, 50.0),
        ("m³/h", "m3/h", 7.0, 7.0),
        ("in/s", "mm/s", 0.5, 12.7),
        ("kNm", "Nm", 2.0, 2000.0),
        ("%", "ppm", 0.5, 5000.0),
        ("kWh", "MJ", 1.0, 3.6),
        ("degC/min", "K/s", 60.0, 1.0),
        ("1/min", "Hz", 60.0, 1.0),
    ],
)
def test_a_value_is_the_same_thing_in_another_unit(delivered: str, wanted: str, value: float, expected: float) -> None:
    assert conversion(delivered, wanted)(np.array([value, np.nan])) == pytest.approx([expected, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("delivered", "wanted", "why"),
    [
        ("degC", "bar", r"they measure different things \(kelvin, gram × meter\^-1 × second\^-2\)"),
        ("rpm", "Hz", "they measure different things"),
        ("degZ", "degC", r"unit 'degZ' is not known; write it as in degC"),
        ("degC", "", "there is no unit to convert from or to"),
        ("dBm", "mW", "'dBm' does not convert to 'mW'"),
        ("__import__('os')", "m", "is not known"),
    ],
)
def test_what_does_not_convert_is_refused_with_the_reason(delivered: str, wanted: str, why: str) -> None:
    with pytest.raises(UnitError, match=why):
        conversion(delivered, wanted)


@given(
    st.sampled_from([("degF", "degC"), ("degC", "K"), ("bar", "psi"), ("m3/h", "l/s"), ("in", "mm")]),
    st.floats(-1e6, 1e6),
)
def test_there_and_back_is_the_value_again(units: tuple[str, str], value: float) -> None:
    there, back = conversion(*units), conversion(*reversed(units))
    assert back(there(np.array([value]))) == pytest.approx([value], rel=1e-12, abs=1e-9)


def test_a_unit_in_other_words_is_the_same_and_one_that_nobody_knows_is_its_words() -> None:
    assert same("degC", "°C")
    assert same("pps/psi", "pps/psi")
    assert not same("bar", "kPa")
    assert not same("pps/psi", "pps")


def test_pint_is_loaded_only_where_units_differ() -> None:
    code = "import sys; from ingest.unit import same; assert same('bar', 'bar') and 'pint' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("source", [WIDE, LONG], ids=["wide", "long"])
def test_each_class_gets_its_own_unit_and_the_range_is_that_of_the_signal(tmp_path: Path, source: str) -> None:
    at = "2026-01-01T00:0{}:00Z"
    cells = [("m1", 0, 212, 14.5037738), ("m1", 1, 500, 0), ("o1", 0, 32, None)]
    wide = [
        f"{machine},{at.format(minute)},{value},{'' if psi is None else psi}" for machine, minute, value, psi in cells
    ]
    (tmp_path / "wide.csv").write_text("\n".join(["machine,time,temperature,pressure", *wide]) + "\n")
    long = [f"{machine},{at.format(minute)},temperature,{value}" for machine, minute, value, _ in cells]
    long += [f"{machine},{at.format(minute)},pressure,{psi}" for machine, minute, _, psi in cells if psi is not None]
    (tmp_path / "long.csv").write_text("\n".join(["machine,time,signal,value", *long]) + "\n")
    (tmp_path / "plant.toml").write_text(PLANT + source)
    store = Store(tmp_path / "data")
    report = ingest_files(load_plant(tmp_path / "plant.toml"), store, now=datetime(2026, 1, 2, tzinfo=UTC))
    press = store.read("press", signals=["temperature", "pressure"]).table
    assert press["temperature"].to_pylist() == [100.0, None], "500 degF is above 200 degC"
    assert press["pressure"].to_pylist() == pytest.approx([1.0, 0.0], rel=1e-7)
    assert store.read("oven").table["temperature"].to_pylist() == pytest.approx([273.15])
    assert [each.value for each in report.files[0].rejections] == ["500"]
    store.close()


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ('template = "t/{machine}/{signal}"', {"t/m1/temperature": b"212", "t/o1/temperature": b"32"}, [100.0, 273.15]),
        ('template = "w/{machine}"\npayload = "json"', {"w/m1": b'{"temperature": 212}'}, [100.0]),
    ],
    ids=["number", "json"],
)
def test_messages_are_converted_as_files_are(
    tmp_path: Path, topic: str, payload: dict[str, bytes], expected: list[float]
) -> None:
    path = tmp_path / "plant.toml"
    stream = '[[mqtt]]\nname = "hall"\nhost = "b"\n[[mqtt.topics]]\nunits = { temperature = "degF" }\n'
    path.write_text(PLANT + stream + topic + "\n")
    plant = load_plant(path)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    messages = [Message(name.encode(), body, to_microseconds(now)) for name, body in payload.items()]
    decoded = MessageDecoder(plant.mqtt[0], plant).decode(messages, now)
    found = [value for each in decoded.readings for value in each.table["temperature"].to_pylist()]
    assert sorted(found) == pytest.approx(expected)


def test_rows_of_a_kafka_topic_are_converted_as_files_are(tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    topic = '[[kafka.topics]]\ntopic = "t"\nunits = { temperature = "degF" }\n'
    path.write_text(PLANT + f'[[kafka]]\nname = "bus"\nservers = ["k:9092"]\n{topic}')
    plant = load_plant(path)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    body = b'{"machine": "m1", "time": "2026-01-01T00:00:00Z", "temperature": 212}'
    decoded = KafkaDecoder(plant.kafka[0], plant).decode([KafkaMessage("t", 0, 0, b"", body, 0)], now)
    (readings,) = decoded.readings
    assert readings.table["temperature"].to_pylist() == [100.0]


BROKER = '[[mqtt]]\nname = "hall"\nhost = "b"\n'
CLUSTER = '[[kafka]]\nname = "bus"\nservers = ["k:9092"]\n'


@pytest.mark.parametrize(
    "stream",
    [
        BROKER + '[[mqtt.topics]]\ntemplate = "t/{machine}/{signal}"',
        BROKER + "[mqtt.sparkplug]",
        CLUSTER + '[[kafka.topics]]\ntopic = "t"',
    ],
    ids=["mqtt", "sparkplug", "kafka"],
)
def test_a_wrong_unit_of_a_stream_is_a_mistake_of_the_plant_file(tmp_path: Path, stream: str) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(PLANT + stream + '\nunits = { temperature = "bar" }\n')
    with pytest.raises(PlantFileError, match=r"units\.temperature: 'bar' does not convert to 'degC'"):
        load_plant(path)


@pytest.mark.parametrize(
    ("units", "problem"),
    [
        (
            '{ temperature = "bar" }',
            "plant.toml: sources[1].units.temperature: 'bar' does not convert to 'degC': they measure different things"
            " (gram × meter^-1 × second^-2, kelvin) (class 'press' declares unit = 'degC') (source \"old control\")",
        ),
        (
            '{ temprature = "degF" }',
            "plant.toml: sources[1].units.temprature: no signal 'temprature'; did you mean 'temperature'?"
            ' (source "old control")',
        ),
    ],
)
def test_a_wrong_unit_is_a_mistake_of_the_plant_file(tmp_path: Path, units: str, problem: str) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(PLANT + WIDE.replace('{ temperature = "degF", pressure = "psi" }', units))
    with pytest.raises(PlantFileError) as raised:
        load_plant(path)
    assert problem in raised.value.problems
