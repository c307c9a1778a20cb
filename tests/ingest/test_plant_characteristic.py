"""Characteristics in the plant file, and every mistake in them by name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
time_zone = "Europe/Berlin"

[[classes]]
name = "mould"
signals = [{ name = "temperature", unit = "°C" }, { name = "noise", rate = "25600 Hz", unit = "g", every = "10 min" }]

[[classes.characteristics]]
signal = "temperature"
since = 2026-03-01 06:00:00
lower = 172
upper = 190

[[machines]]
names = ["mould-1..2"]
class = "mould"
"""


def load(folder: Path, text: str) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def test_a_characteristic_has_points_of_an_hour_and_two_false_signals_a_year(tmp_path: Path) -> None:
    (found,) = load(tmp_path, PLANT).classes[0].characteristics

    assert (found.every, found.phase_one, found.run_length) == (timedelta(hours=1), 500, 4383)
    assert (found.lower, found.upper) == (172, 190)
    assert found.since == datetime(2026, 3, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'signal = "temperature"',
            'signal = "temprature"',
            "no signal 'temprature'; did you mean 'temperature'?",
        ),
        ('signal = "temperature"', 'signal = "noise"', "signal: no signal 'noise'; known: temperature"),
        ("lower = 172", "lower = 200", "lower: 200 is not below 'upper', 190"),
        ("lower = 172", 'every = "0 s"', "every: is not above zero"),
        ("lower = 172", 'every = "1 min"', "a chart can hold 20 to 5000: write every = '53 min' or longer"),
        ("lower = 172", "false_signals_per_year = 1000", "is one in 9 points; a chart can hold 20 to 5000"),
        ("lower = 172", "false_signals_per_year = 0", "false_signals_per_year: 0 is too small; write 0.01 or more"),
        ("lower = 172", "false_signals_per_year = 1e300", "is too large; write 1e+06 or less"),
        ("lower = 172", "phase_one = 20", "phase_one: 20 is too small; write 50 or more"),
        (
            "[[machines]]",
            '[[classes.characteristics]]\nsignal = "temperature"\n\n[[machines]]',
            "characteristics[2].signal: 'temperature' stands here a second time",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in PLANT

    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, PLANT.replace(old, new, 1))

    assert told in str(caught.value)
