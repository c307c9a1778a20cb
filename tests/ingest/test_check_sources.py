"""What a plant lacks so that it can be read: variables and files of its streams, and units that nobody knows."""

from pathlib import Path
from typing import Any

import pytest

from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.sources.check import check_streams, doubtful_units
from ingest.unit import doubt

VARIABLE = "HALL_WORD"
TOPIC = MqttTopic(template="plant/{machine}/{signal}")


def plant(folder: Path, unit: str = "", **stream: Any) -> Plant:
    return Plant(
        classes=[MachineClass(name="press", signals=[Signal(name="a", unit=unit)])],
        machines=[Machine(name="m1", machine_class="press")],
        mqtt=[Mqtt(name="hall", host="localhost", topics=[TOPIC], **stream)],
        folder=folder,
    )


def test_a_variable_that_is_not_set_and_a_file_that_is_not_there_are_named(tmp_path: Path) -> None:
    known = plant(tmp_path, user_variable="HALL_USER", password_variable=VARIABLE, tls=True, ca_file="ca.pem")

    assert check_streams(known, {"HALL_USER": "anna"}) == [
        "stream 'hall': the environment has no HALL_WORD, which password_variable names; set it",
        f"stream 'hall': {tmp_path / 'ca.pem'}: no such file, which ca_file names;"
        " the path is relative to the plant file",
    ]
    (tmp_path / "ca.pem").write_text("-")
    assert check_streams(known, {"HALL_USER": "anna", "HALL_WORD": ""}) == []


@pytest.mark.parametrize(
    ("unit", "right"),
    [
        ("degX", "did you mean 'degC' or 'degF'?"),
        ("dB", "is of a logarithm"),
        ("pH", "is of a logarithm"),
        ("C", "write 'degC' if that is what it is"),
        ("U/min", "write 'rpm' if that is what it is"),
        ("smoots per fortnigth", "write one such as degC, K, bar"),
    ],
)
def test_a_unit_that_is_perhaps_not_what_was_meant_is_named_with_what_would_be_right(
    tmp_path: Path, unit: str, right: str
) -> None:
    (line,) = doubtful_units(plant(tmp_path, unit))

    assert line.startswith(f"signal 'a' of class 'press': unit {unit!r} ")
    assert right in line


@pytest.mark.parametrize(
    "unit",
    ["", "degC", "°C", "K", "bar", "mm/s", "m3/h", "L/min", "1/min", "rpm", "%", "ppm", "kWh", "Nm", "g", "Hz", "1"],
)
def test_usual_units_raise_no_doubt(unit: str) -> None:
    assert doubt(unit) == ""
