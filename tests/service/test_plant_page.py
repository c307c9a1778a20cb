"""The map of the plant: each machine at its place, with a state that is told by a shape and a word."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.plant import Machine, MachineClass, Plant, Signal
from service.dashboard.first_page import TILES
from service.dashboard.plant_map import plant_map
from service.dashboard.render import STATIC
from service.health import Health, MachineHealth
from tests.service.conftest import Works, open_works
from tests.service.guarded_works import LINE_1, OTHER, OWN, open_guarded
from tests.service.test_dashboard import Tags, page


def cells(text: str) -> dict[str, tuple[str, str, str]]:
    """Class, shape and words of each machine on the map."""
    found = re.findall(
        r'<a class="cell state-(\w+)"[^>]*><svg[^>]*><use href="#shape-(\w+)"/></svg><b>(.*?)</b> <span>(.*?)</span>',
        text,
    )
    return {name: (state, shape, words) for state, shape, name, words in found}


def health_of(name: str, health: Health = Health.NORMAL, **place: str) -> MachineHealth:
    return MachineHealth(Machine(name=name, machine_class="press", **place), health, None, False, None, (), ())


def test_machines_stand_at_their_places_in_the_order_of_the_plant_file() -> None:
    areas = plant_map(
        [
            health_of("b", area="Forming", line="Line 2"),
            health_of("a", area="Packing", line="Line 2"),
            health_of("c", area="Forming", line="Line 1"),
            health_of("d", area="Forming", line="Line 2", health=Health.STALE),
        ]
    )

    shown = [
        (area.words, [(line.name, [each.machine.name for each in line.machines]) for line in area.lines])
        for area in areas
    ]
    assert shown == [
        ("Forming", [("Line 2", ["b", "d"]), ("Line 1", ["c"])]),
        ("Packing", [("Line 2", ["a"])]),
    ]
    assert areas[0].lines[0].counts == ((Health.STALE, 1), (Health.NORMAL, 1))


def test_what_is_quiet_is_left_out_but_counted() -> None:
    ((area),) = plant_map([health_of("a"), health_of("b", Health.WATCH), health_of("c", Health.STALE)], quiet=False)

    (line,) = area.lines
    assert [each.machine.name for each in line.machines] == ["b", "c"]
    assert line.total == 3


def test_each_state_has_a_word_and_a_shape_and_silence_is_never_normal(works: Works) -> None:
    works.send("press-1")
    works.assess("press-1", level=0.1)
    works.send("press-2", until=works.now - timedelta(hours=5))
    works.assess("press-2", level=0.1)
    works.send("press-3", until=works.now - timedelta(hours=5))
    works.alert("press-3")

    text = page(works, "/plant")

    shown = cells(text)
    assert shown["press-1"] == ("normal", "normal", "normal")
    assert shown["press-2"] == ("stale", "stale", "no recent readings")
    assert shown["press-3"] == ("alert", "alert", "needs attention, no recent readings")
    drawn = dict(re.findall(r'<symbol id="shape-(\w+)"[^>]*>\s*(.*?)</symbol>', text, re.DOTALL))
    assert {shape for _, shape, _ in shown.values()} <= set(drawn)
    assert len(set(drawn.values())) == len(drawn) == 4


def test_no_colour_of_the_style_is_green() -> None:
    colours = re.findall(r"#([0-9a-f]{6})\b", (STATIC / "andon.css").read_text(encoding="utf-8"))

    assert len(colours) > 20
    for each in colours:
        red, green, blue = (int(each[at : at + 2], 16) for at in (0, 2, 4))
        assert green <= max(red, blue) + 8, each


def test_only_those_that_are_not_normal_on_request(works: Works) -> None:
    works.send("press-1")
    works.assess("press-1", level=0.1)
    works.alert("press-2")

    shown = cells(page(works, "/plant?show=abnormal"))

    assert "press-2" in shown
    assert "press-1" not in shown
    assert works.client.get("/plant?show=none").status_code == 422


def test_the_map_is_well_formed_linked_and_shows_hostile_names_as_text(works: Works) -> None:
    works.alert("<script>alert(1)</script>")

    text = page(works, "/plant")

    tags = Tags(text)
    assert tags.open == []
    assert "<script>alert" not in text
    links = [each.get("href") for tag, each in tags.tags if tag == "a"]
    assert "/machines/press-1" in links
    for path in ("/", "/plant"):
        assert 'href="/plant"' in page(works, path)


def test_machines_out_of_reach_are_not_on_the_map(tmp_path: Path) -> None:
    for works in open_guarded(tmp_path):
        text = works.signed_in("Ines", reach=LINE_1).look("/plant").text

        assert OWN in cells(text)
        assert OTHER not in text
        assert "Hidden line" not in text


def large_plant(folder: Path) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="vibration", every="1 min")])
    machines = [Machine(name=f"press-{each}", machine_class="press", line=f"Line {each // 20}") for each in range(1000)]
    return Plant(classes=[press], machines=machines, folder=folder)


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Works]:
    yield from open_works(tmp_path, large_plant)


def test_a_thousand_machines_are_all_on_the_map_and_the_first_page_shows_what_is_not_normal(large: Any) -> None:
    large.alert("press-777")

    text = page(large, "/plant")

    assert len(cells(text)) == 1000
    assert len(text) < 400_000
    first = page(large, "/")
    assert first.count('<ul class="tiles">') <= TILES
    assert len(re.findall(r'<li><a href="/machines/', first)) == TILES
    assert "940 more machines are on" in first
