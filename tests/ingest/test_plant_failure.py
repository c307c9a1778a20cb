"""Codes of failures in the plant file, and what they mean after ISO 14224."""

from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "current", unit = "A" }]

[[machines]]
names = ["press-1..2"]
class = "press"

[[failure_codes]]
code = "B12"
mode = "VIB"
mechanism = "mechanical"
words = "worn bearing"

[[failure_codes]]
code = "OHE"
"""


def load(folder: Path, text: str) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def test_a_code_means_a_mode_and_a_code_of_the_standard_means_itself(tmp_path: Path) -> None:
    plant = load(tmp_path, PLANT)

    bearing, heat = plant.failure_code("B12"), plant.failure_code("OHE")

    assert bearing is not None
    assert heat is not None
    assert (bearing.mode, bearing.mechanism, bearing.means) == ("VIB", "mechanical", "worn bearing (VIB)")
    assert (heat.mode, heat.mechanism, heat.means) == ("OHE", None, "overheating (OHE)")
    assert plant.failure_code("B13") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"VIB"', '"vib"', "failure_codes[1].mode: 'vib' is no failure mode of ISO 14224; did you mean 'VIB'?"),
        ('"VIB"', '"worn"', "failure_codes[1].mode: 'worn' is no failure mode of ISO 14224; there are: AIR, BRD, "),
        ('"OHE"', '"B13"', "failure_codes[2].mode: 'B13' is no failure mode of ISO 14224; there are: AIR, BRD, "),
        ('"OHE"', '"B12"\nmode = "OHE"', "failure_codes[2].code: 'B12' stands here a second time"),
        ('"mechanical"', '"wear"', "failure_codes[1].mechanism: 'wear' is none of mechanical, material, "),
        ('code = "OHE"', 'mode = "OHE"', "failure_codes[2].code: is missing"),
        (
            'code = "OHE"',
            'code = "sensor"\nmode = "AIR"',
            "code: 'sensor' is what an alert is closed with",
        ),
        ('code = "OHE"', "code = 7", "failure_codes[2].code: 7 is not a text in quotes"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in PLANT

    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, PLANT.replace(old, new, 1))

    assert told in str(caught.value)
