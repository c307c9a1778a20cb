"""What a plant file says of energy meters: what is taken, and what is told of mistakes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

TEXT = """
time_zone = "Europe/Berlin"
classes = [
    { name = "line", signals = [
        { name = "power", unit = "kW" },
        { name = "energy", unit = "MWh" },
        { name = "pieces", unit = "count" },
        { name = "product" },
    ] },
    { name = "station", signals = [{ name = "ambient", unit = "degC" }] },
]
machines = [{ name = "line-a", class = "line" }, { name = "roof", class = "station" }]
costs = { energy_per_kwh = 0.21, co2e_per_kwh = 0.38 }

[[meters]]
name = "electricity"
machine = "line-a"
signal = "power"
reads = "power"
drivers = [
    { signal = "pieces", reads = "sum" },
    { signal = "ambient", machine = "roof" },
    { signal = "product", reads = "shares" },
    { signal = "state", reads = "shares" },
]
production = "pieces"
productive = "pieces > 0 and state != 'set-up'"
baseline = "60 d"
baseline_from = 2026-01-01 00:00:00
static_factors = ["new oven"]
"""


def loaded(folder: Path, text: str = TEXT) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def told(folder: Path, old: str, new: str) -> list[str]:
    assert TEXT.count(old) == 1, old
    with pytest.raises(PlantFileError) as raised:
        loaded(folder, TEXT.replace(old, new))
    return raised.value.problems


def test_a_meter_its_drivers_and_prices_are_read(tmp_path: Path) -> None:
    plant = loaded(tmp_path)

    (meter,) = plant.meters
    assert meter.signal == ["power"]
    assert meter.every == timedelta(hours=1)
    assert [each.reads for each in meter.drivers] == ["sum", "mean", "shares", "shares"]
    assert meter.baseline_from == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert plant.costs.energy_per_kwh == 0.21
    assert plant.costs.co2e_per_kwh == 0.38


def test_without_prices_nothing_is_made_up(tmp_path: Path) -> None:
    plant = loaded(tmp_path, TEXT.replace("costs = { energy_per_kwh = 0.21, co2e_per_kwh = 0.38 }", ""))

    assert plant.costs.energy_per_kwh is None
    assert plant.costs.co2e_per_kwh is None


MISTAKES = [
    ('machine = "line-a"\n', "", "meters[1].machine: is missing; write the machine that it measures, or class ="),
    ('machine = "line-a"\n', 'machine = "line-b"\n', "no machine 'line-b'; did you mean 'line-a'?"),
    ('machine = "line-a"\n', 'machine = "line-a"\nclass = "line"\n', "stands beside 'class'; keep one of the two"),
    ('machine = "line-a"\n', 'class = "lines"\n', "meters[1].class: no class 'lines'; did you mean 'line'?"),
    ('signal = "power"\n', 'signal = "powr"\n', "meters[1].signal: no signal 'powr'; did you mean 'power'?"),
    ('signal = "power"\n', 'signal = ["power", "pieces"]\n', "'power' needs signal 'pieces' in a unit such as kW"),
    ('reads = "power"\n', 'reads = "counter"\n', "'kW' does not convert to 'kWh'"),
    ('reads = "power"\n', 'reads = "counter"\n', "write reads = 'power', or give the signal the unit that it has"),
    ('reads = "power"\n', 'reads = "watts"\n', "'watts' is none of power, energy, counter"),
    ('reads = "power"\n', 'reads = "power"\nevery = "7 h"\n', "every: is no whole part of a day; write such as"),
    ('baseline = "60 d"', 'baseline = "9 h"', "is shorter than 10 times 'every'; a baseline needs that many points"),
    ('production = "pieces"', 'production = "product"', "'product' is no amount; it needs reads = 'sum', 'increase'"),
    ('production = "pieces"', 'production = "piece"', "no driver 'piece'; did you mean 'pieces'?"),
    ("pieces > 0 and", "piecez > 0 and", "meters[1].productive: no signal 'piecez'; did you mean 'pieces'?"),
    ('signal = "pieces", reads = "sum"', 'signal = "power"', "is the meter itself; it would always be as expected"),
    ('signal = "pieces", reads = "sum"', 'signal = "piece"', "drivers[1].signal: no signal 'piece'; did you mean"),
    ('machine = "roof"', 'machine = "rof"', "meters[1].drivers[2].machine: no machine 'rof'; did you mean 'roof'?"),
    ('"state", reads = "shares"', '"state"', "drivers[4].reads: a state is no number; write reads = 'shares'"),
    ('"product", reads = "shares"', '"pieces", reads = "sum"', "'pieces' stands here a second time; once is enough"),
    ('static_factors = ["new oven"]', "price = -1", "meters[1].price: -1 is too small; write 0 or more"),
    ('static_factors = ["new oven"]', 'driver = "x"', "meters[1].driver: unknown key; did you mean 'drivers'?"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[each[2][:60] for each in MISTAKES])
def test_a_mistake_names_the_key_and_what_would_be_right(tmp_path: Path, old: str, new: str, said: str) -> None:
    problems = told(tmp_path, old, new)

    assert any(said in each for each in problems), problems
    assert all('(meter "electricity")' in each for each in problems if "meters[1]" in each)


def test_a_meter_that_nothing_drives_is_a_mistake(tmp_path: Path) -> None:
    begin, end = TEXT.index("drivers = ["), TEXT.index("baseline = ")

    with pytest.raises(PlantFileError, match="is empty without the calendar; name what the energy use depends on"):
        loaded(tmp_path, TEXT[:begin] + "calendar = false\n" + TEXT[end:])


def test_two_meters_need_two_names(tmp_path: Path) -> None:
    meter = TEXT[TEXT.index("[[meters]]") :]

    with pytest.raises(PlantFileError, match="'electricity' stands here a second time"):
        loaded(tmp_path, TEXT + meter)
