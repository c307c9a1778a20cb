"""Products, shifts and words of the plant file, and every mistake in them by name."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
[[classes]]
name = "press"
words = { stopped = ["7"] }
power = "current"
signals = [{ name = "current", unit = "A" }]

[[machines]]
names = ["press-1..2"]
class = "press"
line = "A"

[[products]]
name = "cap"
ideal_cycle = "1.2 s"
ideal_cycles = { press-1 = "900 ms" }

[[shifts]]
name = "early"
hours = "06:00-14:00"
days = ["mon", "tue"]
breaks = ["09:00-09:15"]

[[shifts]]
name = "night"
hours = "22:00-06:00"
breaks = ["02:00-02:30"]
lines = ["A"]

[production]
minor_stop = "3 min"
words = { running = ["AUTO"], starved = "NO PARTS" }
closed = [2026-12-25]
hour_values = { A = 120 }

[[sources]]
name = "counts"
path = "counts.csv"
machine = "machine"
time = "time"
events = [{ kind = "count", product = "article", code_is = "good", value = "pieces" }]
"""


def load(folder: Path, text: str) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def test_what_is_said_of_production_is_read(tmp_path: Path) -> None:
    plant = load(tmp_path, PLANT)

    assert plant.products[0].ideal_cycle == timedelta(seconds=1.2)
    assert plant.products[0].ideal_cycles == {"press-1": timedelta(milliseconds=900)}
    assert [(each.hours.begin, each.hours.end) for each in plant.shifts] == [(360, 840), (1320, 1800)]
    assert plant.production.words.starved == ["NO PARTS"]
    assert plant.production.closed == [date(2026, 12, 25)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"06:00-14:00"', '"6 to 14"', "shifts[1].hours: '6 to 14' is not a span of hours; write two times of day"),
        ('"06:00-14:00"', '"06:00-06:00"', "shifts[1].hours: '06:00-06:00' ends where it begins; write '00:00-24:00'"),
        ('"06:00-14:00"', '"06:00-25:00"', "shifts[1].hours: '06:00-25:00' is no time of day"),
        ('"06:00-14:00"', '"06:00-22:30"', "shifts[2].hours: 22:00-06:00 on mon overlaps shift 'early', 06:00-22:30"),
        ('"06:00-14:00"', '"05:00-14:00"', "shifts[2].hours: 22:00-06:00 on mon overlaps shift 'early'"),
        ('"09:00-09:15"', '"14:00-14:15"', "shifts[1].breaks[1]: 14:00-14:15 lies outside the shift's hours"),
        ('"mon", "tue"', '"monday"', "shifts[1].days[1]: 'monday' is none of mon, tue"),
        ('name = "night"', 'name = "early"', "shifts[2].name: 'early' stands here a second time"),
        ('lines = ["A"]', 'lines = ["B"]', "shifts[2].lines[1]: no line 'B'; known: A"),
        (
            'lines = ["A"]',
            'machines = ["pres-1"]',
            "shifts[2].machines[1]: no machine 'pres-1'; did you mean 'press-1'?",
        ),
        ('"1.2 s"', '"0 s"', "products[1].ideal_cycle: is not above zero; write a duration such as '30 s'"),
        ('"1.2 s"', "1.2", "products[1].ideal_cycle: 1.2 is not a duration"),
        ("{ press-1", "{ pres", "products[1].ideal_cycles.pres: no machine or class 'pres'; did you mean 'press'?"),
        ('starved = "NO PARTS"', 'starved = "AUTO"', "words.starved: 'AUTO' stands under 'running' already"),
        ("starved =", "straved =", "production.words.straved: unknown key; did you mean 'starved'?"),
        ("{ A = 120 }", "{ B = 120 }", "production.hour_values.B: no machine, class or line 'B'"),
        ("{ A = 120 }", "{ A = -1 }", "production.hour_values.A: -1 is too small; write 0 or more"),
        ("{ A = 120 }", '{ A = "much" }', "production.hour_values.A: 'much' is not a number"),
        ("[2026-12-25]", '["christmas"]', "production.closed[1]: 'christmas' is not a date such as 2026-12-25"),
        ('"3 min"', '"0 s"', "production.minor_stop: is not above zero"),
        ('power = "current"', 'power = "curent"', "classes[1].power: no signal 'curent'; did you mean 'current'?"),
        ('power = "current"', 'power = "current"\nrunning = "current > 1"', "power: stands beside 'running'"),
        (
            'kind = "count"',
            'kind = "stop"',
            "events[1].product: has no meaning for kind 'stop'; only an order or a count",
        ),
        ('product = "article"', 'product_is = "cup"', "events[1].product_is: no product 'cup'"),
        ('product = "article"', 'product = "a", component = "b"', "events[1].product: stands beside a component"),
        ('product = "article"', 'product = "a", product_is = "cap"', "product: stands beside 'product_is'"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert PLANT.count(old) == 1

    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, PLANT.replace(old, new))

    assert any(told in each for each in caught.value.problems), caught.value.problems


def test_the_product_of_an_order_by_hand_is_one_of_the_products(tmp_path: Path) -> None:
    event = '[[events]]\nmachine = "press-1"\nkind = "order"\ntime = 2026-01-01 06:00:00\ncomponent = "cup"\n'

    with pytest.raises(PlantFileError, match="no product 'cup'; did you mean 'cap'"):
        load(tmp_path, PLANT + event)


def test_shifts_that_meet_or_of_other_machines_do_not_overlap(tmp_path: Path) -> None:
    text = PLANT.replace('breaks = ["09:00-09:15"]', 'machines = ["press-1"]').replace('"06:00-14:00"', '"06:00-23:00"')

    plant = load(tmp_path, text.replace('lines = ["A"]', 'machines = ["press-2"]'))

    assert [each.machines for each in plant.shifts][:2] == [["press-1"], ["press-2"]]
