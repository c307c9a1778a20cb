from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant_file import load_plant
from ingest.vibration_zones import vibration_zones

PLANT = """
[[classes]]
name = "fan"
signals = [{{ name = "vibration", unit = "{unit}", zones = "{zones}" }}]

[[machines]]
name = "fan-1"
class = "fan"
"""


def written(folder: Path, **words: str) -> Path:
    plant = folder / "plant.toml"
    plant.write_text(PLANT.format(**words))
    return plant


def test_every_zone_has_its_boundaries_in_order_and_says_where_they_come_from() -> None:
    assert len(vibration_zones()) == 4
    for name, zones in vibration_zones().items():
        assert 0 < zones.a_b < zones.b_c < zones.c_d, name
        assert all((zones.standard, zones.edition, zones.clause, zones.source, zones.machines)), name
        assert not zones.verified, "nobody read the standard itself"
        assert "unchecked" in zones.provenance


def test_zones_nobody_knows_are_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(PlantFileError, match="did you mean 'ISO 10816-1 I"):
        load_plant(written(tmp_path, unit="mm/s", zones="ISO 10816-1 2"))


def test_zones_of_a_signal_that_is_no_velocity_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlantFileError, match="are of a vibration velocity, and 'vibration' is none"):
        load_plant(written(tmp_path, unit="bar", zones="ISO 10816-1 II"))
