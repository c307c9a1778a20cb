"""Pages in a real browser: they say when they are stale, miss nothing, and leave alone what a person writes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ingest.plant_route import Route
from ingest.store import Store
from models.registry.registry import Registry
from service.alerts import book
from service.alerts.pipeline.decide import keep_calls
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.browser import Tab, chromium
from tests.ready_state import open_state
from tests.running_app import running_app
from tests.service.conftest import Works, small_plant
from tests.wire import Wire, running_wire

pytestmark = pytest.mark.slow(seconds=60)
STALE_WITHIN = 5.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Works, Wire]]:
    """The small plant behind a wire, with somebody to call; time goes on."""
    route = Route(name="day shift", targets=["phone"], group_wait=timedelta(0))
    plant = small_plant(tmp_path).model_copy(update={"routes": [route]})
    settings = Settings(jobs=False)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    works = Works(
        ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state), now=datetime.now(UTC)
    )
    app = create_app(settings, clock=lambda: datetime.now(UTC), open_room=lambda _: works.room)
    with running_app(app) as port, running_wire(port) as wire:
        yield works, wire


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.close()


def open_at(tab: Tab, wire: Wire, path: str) -> None:
    with tab.page.expect_request("**/live?*"):
        tab.page.goto(f"http://127.0.0.1:{wire.port}{path}")


def until(tab: Tab, fact: Any, seconds: float) -> float:
    """Wait for a fact, and return how many seconds it took."""
    begun = monotonic()
    while not fact():
        assert monotonic() - begun < seconds, tab.page.content()
        tab.page.wait_for_timeout(50)
    return monotonic() - begun


def acknowledge(works: Works, number: int) -> None:
    with works.room.state.write() as connection:
        book.acknowledge(connection, number, by="Ada", at=datetime.now(UTC), note="")


@pytest.mark.parametrize("how", ["cut", "fall_silent"])
def test_a_lost_connection_shows_within_five_seconds_and_what_came_meanwhile_once_it_is_back(
    served: tuple[Works, Wire], tab: Tab, how: str
) -> None:
    works, wire = served
    works.alert("press-1")
    open_at(tab, wire, "/")
    banner = tab.page.locator("#stale")
    tab.page.wait_for_timeout(2500)
    assert not banner.is_visible()

    getattr(wire, how)()
    until(tab, banner.is_visible, STALE_WITHIN)
    said = banner.inner_text()
    works.alert("press-2", cause="seal")
    tab.page.wait_for_timeout(500)
    assert "press-2: seal" not in tab.page.locator("ol.first").inner_text()
    wire.mend()
    until(tab, lambda: not banner.is_visible(), 10)

    assert re.match(r"STALE since \d\d:\d\d:\d\d:", said)
    # What hides the banner is the page's being up to date, so it is there already.
    assert "press-2: seal" in tab.page.locator("ol.first").inner_text()
    assert tab.errors == []


def test_what_happened_between_making_a_page_and_its_listening_is_not_missed(
    served: tuple[Works, Wire], tab: Tab
) -> None:
    works, wire = served
    late = {"done": False}

    def then(route: Any) -> None:
        if not late["done"]:
            works.alert("press-2", cause="seal")
            late["done"] = True
        route.continue_()

    tab.page.route("**/live.js", then)
    open_at(tab, wire, "/")

    until(tab, lambda: "press-2: seal" in tab.page.locator("#main").inner_text(), 5)
    assert late["done"], "it did not happen in between"


def test_an_alert_appears_by_itself_and_only_what_changed_is_touched(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.alert("press-1")
    open_at(tab, wire, "/")
    tab.page.evaluate("document.querySelector('#alert-1 h2').remembered = 'this one'")
    tab.page.evaluate("document.querySelector('#alert-1 h2 a').focus()")

    works.alert("press-2", cause="seal", hours=1)

    until(tab, lambda: tab.page.locator("#alert-2").count() == 1, 4)
    assert tab.page.evaluate("document.querySelector('#alert-1 h2').remembered") == "this one"
    assert tab.page.evaluate("document.activeElement.closest('li').id") == "alert-1"


def test_what_a_person_is_writing_is_left_alone_while_the_rest_goes_on(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.alert("press-1")
    open_at(tab, wire, "/alerts/1")
    tab.page.locator("summary", has_text="Comment").click()
    field = tab.page.get_by_label("Comment", exact=True)
    field.fill("the bearing is ho")
    field.press("ArrowLeft")

    acknowledge(works, 1)

    until(tab, lambda: "acknowledged" in tab.page.locator(".history").last.inner_text(), 4)
    assert field.input_value() == "the bearing is ho"
    assert field.evaluate("each => [each === document.activeElement, each.selectionStart]") == [True, 16]
    assert tab.page.locator("[data-changed]").is_visible()


def test_what_a_person_opened_stays_open(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.alert("press-1")
    keep_calls(works.room.state, works.room.rules(), datetime.now(UTC))
    open_at(tab, wire, "/alerts/1")
    why = tab.page.locator("details", has_text="Why, and why not").locator("ol")
    assert not why.is_visible()
    tab.page.locator("summary", has_text="Why, and why not").click()

    acknowledge(works, 1)

    until(tab, lambda: "acknowledged by Ada" in tab.page.locator("ol.history").last.inner_text(), 5)
    assert why.is_visible()


def test_a_form_that_nobody_wrote_in_is_brought_up_to_date(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.alert("press-1")
    open_at(tab, wire, "/alerts/1")
    tab.page.locator("summary", has_text="Comment").click()
    assert tab.page.locator("h3", has_text="Acknowledge").count() == 1

    acknowledge(works, 1)

    until(tab, lambda: tab.page.locator("h3", has_text="Acknowledge").count() == 0, 4)
    assert tab.page.get_by_label("Comment", exact=True).is_visible()  # what was opened stays open


def test_no_page_breaks_its_policy_or_asks_elsewhere(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.send("press-1", minutes=120, temperature=60.0)
    works.assess("press-1", level=0.7)
    works.alert("press-1")
    for path in ("/", "/alerts", "/alerts/1", "/machines/press-1", "/losses", "/models", "/jobs"):
        open_at(tab, wire, path)
        works.alert("press-3", cause=f"seal {path}")
        until(tab, lambda: sum(each.startswith(tab.page.url) for each in tab.asked) >= 2, 6)
        tab.page.wait_for_timeout(200)
        assert tab.violations() == [], path
    assert tab.errors == []
    assert {each.split("/")[2] for each in tab.asked} == {f"127.0.0.1:{wire.port}"}


def test_a_chart_is_looked_at_closer_and_stays_so_while_the_page_goes_on(served: tuple[Works, Wire], tab: Tab) -> None:
    works, wire = served
    works.send("press-1", minutes=600, temperature=60.0)
    open_at(tab, wire, "/machines/press-1?days=1")
    figure = tab.page.locator("figure", has_text="vibration").first
    assert not [each for each in tab.asked if "uPlot" in each]

    figure.get_by_role("button", name="Look closer").click()
    plot = figure.locator(".u-over")
    until(tab, lambda: "Drag over" in figure.inner_text(), 5)
    assert not figure.locator("> svg").is_visible()
    box = plot.bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 50)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 60, steps=5)
    tab.page.mouse.up()
    until(tab, lambda: sum("/api/v1/readings" in each for each in tab.asked) == 2, 5)
    whole, part = ([query(each, name) for name in ("start", "end")] for each in tab.asked if "/api/v1/readings" in each)
    assert whole[0] < part[0] < part[1] < whole[1]

    works.alert("press-1")
    until(tab, lambda: "bearing likely to fail" in tab.page.locator("#main").inner_text(), 5)
    assert plot.is_visible()
    assert tab.violations() == []
    assert tab.errors == []
    figure.get_by_role("button").click()
    assert figure.locator("> svg").is_visible()
    assert plot.count() == 0


def query(address: str, name: str) -> datetime:
    """The moment that an address asks for."""
    return datetime.fromisoformat(parse_qs(urlsplit(address).query)[name][0])


def test_everything_is_there_without_a_script(served: tuple[Works, Wire], browser: Any) -> None:
    works, wire = served
    works.alert("press-1")
    plain = Tab(browser, java_script_enabled=False)

    plain.page.goto(f"http://127.0.0.1:{wire.port}/alerts/1")
    plain.page.locator("#ack-by").fill("Ada")
    plain.page.get_by_role("button", name="Acknowledge").click()

    assert "acknowledged by Ada" in plain.page.locator(".history").last.inner_text()
    assert not plain.page.locator("#stale").is_visible()
    works.send("press-1", minutes=600, temperature=60.0)
    plain.page.goto(f"http://127.0.0.1:{wire.port}/machines/press-1?days=1")
    assert plain.page.locator("figure svg .trace").count() > 0
    assert not plain.page.get_by_role("button", name="Look closer").first.is_visible()
    plain.page.goto(f"http://127.0.0.1:{wire.port}/")
    assert 'http-equiv="refresh"' in plain.page.content()
    plain.close()


def test_an_answer_that_is_not_the_page_is_not_shown_and_the_page_is_stale_until_it_is(
    served: tuple[Works, Wire], tab: Tab
) -> None:
    works, wire = served
    works.alert("press-1")
    open_at(tab, wire, "/")
    tab.page.route(
        "**/", lambda route: route.fulfill(status=503, content_type="text/html", body="<main id=main>no</main>")
    )

    works.alert("press-2", cause="seal")

    until(tab, tab.page.locator("#stale").is_visible, 5)
    assert "press-1" in tab.page.locator("ol.first").inner_text()
    tab.page.unroute("**/")
    until(tab, lambda: not tab.page.locator("#stale").is_visible(), 10)
    assert "press-2: seal" in tab.page.locator("ol.first").inner_text()
