"""The runner of the public benchmark: rows that say what they are, plant files copied to where they may write."""

import json
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from ingest.plant_file import load_plant
from tests.benchmarks.public.__main__ import chosen, table
from tests.benchmarks.public.plant_copy import CATALOGUE, copied
from tests.benchmarks.public.protocols import PROTOCOLS, protocols_of
from tests.benchmarks.public.published import FILE, beside
from tests.benchmarks.public.row import Goal, Row, at_least, at_most, between

PLANTS = Path(__file__).parent / "plants"
ROW = Row("pump", "time split", "error, h", 12.5, low=11.0, goal=at_most(13), published="14 | 15", tried=3)


def test_a_row_outlives_json() -> None:
    assert Row.from_dict(json.loads(json.dumps(ROW.to_dict()))).to_dict() == ROW.to_dict()
    assert ROW.to_dict()["high"] is None


@pytest.mark.parametrize(
    ("goal", "good", "bad"), [(at_least(0.8), 0.8, 0.79), (at_most(10.5), 10.5, 10.6), (between(87, 93), 90, 94)]
)
def test_a_goal_is_held_on_one_side_only(goal: Goal, good: float, bad: float) -> None:
    assert replace(ROW, value=good, goal=goal).verdict == "held"
    assert replace(ROW, value=bad, goal=goal).verdict == "missed"
    assert replace(ROW, value=nan, goal=goal).verdict == "missed"


def test_the_table_has_a_line_for_each_row_and_every_line_as_many_cells() -> None:
    lines = table([ROW, replace(ROW, goal=None)]).splitlines()

    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {12}


def test_a_copied_plant_file_writes_beside_the_copy_and_reads_the_data_that_is_named(tmp_path: Path) -> None:
    original = load_plant(PLANTS / "skab.toml")

    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    same = load_plant(copied(PLANTS / "skab.toml", here))
    moved = load_plant(copied(PLANTS / "skab.toml", there, tmp_path / "kept"))

    assert same.data_folder == here / "andon-data"
    assert Path(same.sources[0].path) == CATALOGUE / "skab" / "skab.parquet"
    assert Path(moved.sources[0].path) == tmp_path / "kept" / "skab" / "skab.parquet"
    assert same.model_copy(update={"data": "", "sources": [], "folder": ""}) == original.model_copy(
        update={"data": "", "sources": [], "folder": ""}
    )


def test_every_protocol_is_a_module_of_the_folder() -> None:
    for names in PROTOCOLS.values():
        for name in names:
            assert FILE.with_name(f"{name}.py").exists()


def test_a_plant_without_a_protocol_is_named(tmp_path: Path) -> None:
    plant = tmp_path / "empty.toml"
    plant.write_text('[[classes]]\nname = "a"\nsignals = [{ name = "b" }]\n[[machines]]\nname = "m"\nclass = "a"\n')

    assert protocols_of(load_plant(plant)) == ()
    with pytest.raises(SystemExit, match="no protocol serves"):
        chosen([str(plant)])


def test_a_figure_that_nobody_published_stays_as_it_is() -> None:
    assert beside(ROW) == ROW
