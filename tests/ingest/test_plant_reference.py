from pathlib import Path

import pytest

from ingest.part import Part
from ingest.plant_file import load_plant
from ingest.plant_reference import EXAMPLE, reference
from ingest.plant_words import keys_of

PAGE = Path(__file__).parents[2] / "docs" / "plant_file.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m ingest.plant_reference > docs/plant_file.md"


def test_the_example_is_a_valid_plant() -> None:
    plant = load_plant(EXAMPLE)

    assert plant.machines_of("press")[:3] == ("press-1", "press-2", "03")
    assert len(plant.machines) == 12


@pytest.mark.parametrize("part", Part.__subclasses__(), ids=lambda part: part.__name__)
def test_every_key_stands_on_the_page_with_a_meaning(part: type[Part]) -> None:
    page = reference()

    for key, field in keys_of(part).items():
        assert field.description
        assert f"| `{key}` | {field.description} |" in page
