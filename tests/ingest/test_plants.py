"""The plant files of public data sets: that they are valid, and that they fit the data."""

import os
from pathlib import Path

import pyarrow.parquet
import pytest

from ingest.plant import Plant, Source
from ingest.plant_file import load_plant

FOLDER = Path(__file__).parents[1] / "plants"
FILES = sorted(FOLDER.glob("*.toml"))
PLANTS = {path.stem: load_plant(path) for path in FILES}
SOURCES = [
    pytest.param(plant, source, id=f"{stem}-{source.name}")
    for stem, plant in PLANTS.items()
    for source in plant.sources
]


def data_of(plant: Plant, source: Source) -> Path:
    """The data file of a source; skips where it is not there, except in continuous integration."""
    path = (plant.folder / source.path).resolve()
    if not path.exists():
        told = f"{path} is missing; these are public data sets that are not part of the repository"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return path


def machines_in(plant: Plant, source: Source) -> set[str]:
    """The names of the machines whose rows stand in the data of a source."""
    each = pyarrow.parquet.read_table(data_of(plant, source), columns=source.machine).group_by(source.machine)
    return set(source.machine_prefix + each.aggregate([]).to_pandas().astype(str).agg("/".join, axis=1))


def test_there_is_one_for_each_of_the_data_sets() -> None:
    assert {
        *("azure_pdm", "cmapss_fd001", "nab_machine_temperature", "skab"),
        *("ai4i2020", "aps_scania", "hydraulic", "injection_molding", "secom"),
        *("hrss_storage", "steel_energy"),
    } <= set(PLANTS)


@pytest.mark.parametrize("stem", PLANTS)
def test_each_has_models_or_meters_and_a_data_folder_of_its_own(stem: str) -> None:
    assert PLANTS[stem].models or PLANTS[stem].meters
    assert PLANTS[stem].data_folder == FOLDER / "andon-data" / stem


@pytest.mark.parametrize(("plant", "source"), SOURCES)
def test_every_column_that_is_named_stands_in_the_data(plant: Plant, source: Source) -> None:
    columns = pyarrow.parquet.read_schema(data_of(plant, source)).names
    mappings = [
        each for event in source.events for each in (event.component, event.code, event.flag, *(event.time or []))
    ]
    named = [
        *source.machine,
        *(source.time or []),
        source.cycle,
        source.step,
        *(source.signals or {}).values(),
        *mappings,
    ]

    assert {name for name in named if name} <= set(columns)


@pytest.mark.parametrize(("plant", "source"), SOURCES)
def test_the_machines_and_components_are_those_of_the_data(plant: Plant, source: Source) -> None:
    if source.machine:
        machines = machines_in(plant, source)
        known = {machine.name for machine in plant.machines}
        assert machines & known
        if source.other_machines == "reject":
            assert machines <= known
    for event in source.events:
        if event.component:
            table = pyarrow.parquet.read_table(data_of(plant, source), columns=[event.component])
            assert set(table[event.component].to_pylist()) == set(plant.classes[0].components)


@pytest.mark.parametrize("stem", PLANTS)
def test_every_signal_has_a_column(stem: str) -> None:
    plant = PLANTS[stem]
    held: set[str] = set()
    for source in plant.sources:
        columns = pyarrow.parquet.read_schema(data_of(plant, source)).names
        named = {
            signal.name: (source.signals or {}).get(signal.name, signal.name) for signal in plant.classes[0].signals
        }
        held |= {signal for signal, column in named.items() if column in columns}

    assert held == {signal.name for signal in plant.classes[0].signals}


@pytest.mark.parametrize("stem", PLANTS)
def test_every_machine_stands_in_the_data(stem: str) -> None:
    plant = PLANTS[stem]
    found: set[str] = set()
    for source in plant.sources:
        if not source.machine:
            return
        found |= machines_in(plant, source)

    assert {machine.name for machine in plant.machines} <= found
