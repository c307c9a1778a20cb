"""What a plant file says of pieces, their conditions and their order: what is taken, and what is told of mistakes."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)

TEXT = """
[[classes]]
name = "press"
components = ["valve"]
histograms = [{ name = "height", signals = ["bin_00..02"] }]
[[classes.signals]]
names = ["bin_00..02", "kind"]
every = "1 s"

[[machines]]
name = "m"
class = "press"

[[sources]]
name = "pieces"
path = "pieces.csv"
machine_is = "m"
cycle_is_row = true
cycle_length = "10 s"
levels = { kind = ["L", "M", "H"] }
signals = { kind = "Type", bin_00 = "b0" }
events = [{ kind = "inspection", code = "quality", component_is = "valve" }]

[[models]]
name = "quality"
task = "condition"
class = "press"
horizon = "0 s"
windows = ["10 s"]
target = { kind = "inspection" }
split = "group"
[models.condition]
good = ["1"]
groups = ["valve"]
mistakes = [{ was = "1", said = "2", costs = 3 }]
"""


def loaded(folder: Path, text: str = TEXT) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def test_signals_share_an_entry_as_machines_do(tmp_path: Path) -> None:
    plant = loaded(tmp_path)

    assert [signal.name for signal in plant.classes[0].signals] == ["bin_00", "bin_01", "bin_02", "kind"]
    assert {str(signal.every) for signal in plant.classes[0].signals} == {"0:00:01"}


def test_rows_without_a_time_are_placed_by_their_order_and_words_are_read_as_levels(tmp_path: Path) -> None:
    (tmp_path / "pieces.csv").write_text("Type,b0,quality\nL,1.5,1\nH,2.5,2\nX,3.5,1\n", encoding="utf-8")
    plant = loaded(tmp_path)
    store = Store(plant.data_folder)

    report = ingest_files(plant, store, now=NOW)

    readings = store.read("press").table.to_pandas()
    events = store.events(machines=["m"])
    store.close()
    start = pd.Timestamp("2000-01-01", tz="UTC")
    assert ((readings["time"] - start) / pd.Timedelta(seconds=10)).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(readings["kind"], [0, 2, np.nan])
    assert events["code"].tolist() == ["1", "2", "1"]
    assert (events["time"] == readings["time"]).all()
    assert [each.reason for each in report.files[0].rejections] == ["is none of L, M or H"]


def test_readings_within_a_cycle_are_placed_by_their_step(tmp_path: Path) -> None:
    (tmp_path / "pieces.csv").write_text("n,tick,Type,b0,quality\n3,0,L,1,1\n3,4,L,2,1\n4,0,L,3,1\n4,,L,4,1\n", "utf-8")
    text = changed("cycle_is_row = true", 'cycle = "n"\nstep = "tick"\nstep_length = "500 ms"')
    plant = loaded(tmp_path, text)
    store = Store(plant.data_folder)

    report = ingest_files(plant, store, now=NOW)

    times = store.read("press").table.to_pandas()["time"]
    store.close()
    start = pd.Timestamp("2000-01-01", tz="UTC")
    assert ((times - start) / pd.Timedelta(seconds=1)).tolist() == [30, 32, 40]
    assert "no step is given" in [each.reason for each in report.files[0].rejections]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cycle_is_row = true", 'cycle_is_row = true\ntime = "t"', "sources[1].time: stands beside 'cycle_is_row'"),
        ("cycle_is_row = true", 'cycle_is_row = true\ncycle = "n"', "sources[1].cycle_is_row: stands beside 'cycle'"),
        ('cycle_length = "10 s"\n', "", "sources[1].cycle_length: is missing"),
        ("cycle_is_row = true", 'cycle = "n"\nstep = "i"', "sources[1].step_length: is missing"),
        ("{ kind = [", "{ kid = [", "sources[1].levels.kid: no signal 'kid'; did you mean 'kind'?"),
        ('"bin_00..02", "kind"', '"bin_02..00", "kind"', "classes[1].signals[1].names: 'bin_02..00' is no range"),
        ('signals = ["bin_00..02"]', 'signals = ["bin_00..03"]', "histograms[1].signals: no signal 'bin_03'"),
        ('signals = ["bin_00..02"]', 'signals = ["kind"]', "histograms[1].signals: is one signal"),
        ('windows = ["10 s"]\n', "", "models[1].windows: is missing"),
        ('horizon = "0 s"', 'horizon = "1 h"', "models[1].horizon: is not 0"),
        ('target = { kind = "inspection" }\n', "", "models[1].target: are no inspections"),
        ('groups = ["valve"]\n', "", "models[1].condition.groups: is missing"),
        (
            'split = "group"',
            'split = "random"',
            "models[1].condition.random_because: is missing; a random split flatters",
        ),
        ('good = ["1"]', 'good = ["1"]\nwatched = ["2"]', "models[1].condition.watched: stands beside 'good'"),
        ('said = "2"', 'said = "1"', "models[1].condition.mistakes[1]: '1' for '1' is none"),
        ('task = "condition"', 'task = "anomaly"', "models[1].condition: has no meaning for task = 'anomaly'"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(PlantFileError) as caught:
        loaded(tmp_path, changed(old, new))

    assert told in str(caught.value)
