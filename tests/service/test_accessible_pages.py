"""Pages for everybody: axe finds nothing wrong with any of them, and keys alone are enough to act on an alert."""

import re
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ingest.store import Store
from models.registry.registry import Registry
from service.access import links, users
from service.access.reach import EVERYTHING
from service.access.role import Role
from service.alerts import book
from service.alerts.alert import Verdict
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.browser import Tab, axe, chromium
from tests.ready_state import open_state
from tests.running_app import running_app
from tests.service.conftest import Works, small_plant
from tests.service.guarded_works import PASSWORD, QUICK

pytestmark = pytest.mark.slow(seconds=60)
Open = Callable[..., Tab]
COLOURED = """async (shown) => {
    const picture = new Image();
    picture.src = "data:image/png;base64," + shown;
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
    const drawing = canvas.getContext("2d");
    drawing.drawImage(picture, 0, 0);
    const values = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
    let coloured = 0;
    for (let at = 0; at < values.length; at += 4) {
        const [red, green, blue] = values.slice(at, at + 3);
        if (Math.max(red, green, blue) - Math.min(red, green, blue) > 0.3 * 255) coloured += 1;
    }
    return coloured / (values.length / 4);
}"""
"""Share of the pixels of a picture that have more than three tenths of the colour that a pixel can have."""

LOOKS = {
    "light and wide": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark and narrow": {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens tabs, and closes them in the end."""
    with ExitStack() as tabs:

        def open_tab(**options: Any) -> Tab:
            tab = Tab(browser, **options)
            tabs.callback(tab.close)
            return tab

        yield open_tab


@pytest.fixture
def works(tmp_path: Path) -> Works:
    plant = small_plant(tmp_path)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    room = ControlRoom(Settings(jobs=False), plant, store, Registry(plant.data_folder / "models"), state)
    return Works(room, now=datetime.now(UTC))


@pytest.fixture
def served(works: Works) -> Iterator[str]:
    """Where the plant is served."""
    app = create_app(works.room.settings, clock=lambda: datetime.now(UTC), open_room=lambda _: works.room)
    with running_app(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def address(works: Works, served: str) -> str:
    """Where it is served when it has something of everything to show, to people who sign in."""
    fill(works)
    return served


def fill(works: Works) -> None:
    for machine in ("press-1", "press-2"):
        works.send(machine, minutes=600, temperature=60.0)
    works.assess("press-1", level=0.7)
    works.assess("press-2", level=0.1)
    works.learn()
    works.alert("press-1")
    taken = works.alert("press-1", cause="seal", kind="anomaly").number
    gone = works.alert("press-2").number
    works.alert("press-2", cause="vibration", kind="sensor fault")
    with works.room.state.write() as connection:
        book.acknowledge(connection, taken, by="Ada", at=works.now, note="on my way")
        book.close(connection, gone, by="Ada", at=works.now, verdict=Verdict.RIGHT)
        user = users.add(connection, "Ada", role=Role.ADMIN, reach=EVERYTHING, at=works.now)
        users.set_password(connection, user, QUICK.hash(PASSWORD))


def link_of_ada(works: Works) -> str:
    with works.room.state.write() as connection:
        return links.make(connection, users.named(connection, "Ada").id, at=datetime.now(UTC))


def kind_of(address: str) -> str:
    """What a page is of: two pages of one kind differ in what they are about."""
    parts = urlsplit(address)
    path = re.sub(r"/(machines|models|versions|alerts|runs|users)/[^/]+", r"/\1/…", parts.path)
    return f"{path}?{','.join(sorted(parse_qs(parts.query)))}"


def sign_in(tab: Tab, address: str) -> None:
    tab.page.goto(f"{address}/sign-in")
    tab.page.keyboard.press("Tab")  # the link that skips what is on every page
    while tab.page.evaluate("document.activeElement.name") != "name":
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("Ada")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type(PASSWORD)
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_wrong_on_any_page_that_links_lead_to(
    works: Works, address: str, opened: Open, look: str
) -> None:
    tab, wrong, seen = opened(**LOOKS[look]), {}, set[str]()
    for path in ("/sign-in", f"/set-password?link={link_of_ada(works)}"):
        assert tab.page.goto(address + path).status == 200
        wrong[path] = axe(tab.page)
    sign_in(tab, address)

    ahead = deque([f"{address}/", f"{address}/nowhere", f"{address}/characteristics"])
    while ahead:
        page = ahead.popleft()
        if (kind := kind_of(page)) in seen:
            continue
        seen.add(kind)
        answer = tab.page.goto(page)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        wrong[page.removeprefix(address)] = axe(tab.page)
        links = tab.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
        ahead += [each.split("#")[0] for each in links if each.startswith(address)]

    assert {where: found for where, found in wrong.items() if found} == {}
    assert {"/plant?", "/alerts?", "/alerts/…?", "/machines/…?", "/models/…/versions/…?", "/jobs?", "/losses?",
            "/account?", "/users?", "/users/…?", "/characteristics?"} <= seen  # fmt: skip


def test_axe_sees_what_is_wrong(address: str, opened: Open) -> None:
    tab = opened()
    tab.page.goto(f"{address}/sign-in")
    tab.page.evaluate("document.querySelector('label').remove(); document.documentElement.removeAttribute('lang')")

    assert {each.split(":")[0] for each in axe(tab.page)} >= {"label", "html-has-lang"}


def test_an_alert_is_acknowledged_and_closed_by_keys_alone_and_each_stop_is_seen(address: str, opened: Open) -> None:
    tab = opened()
    sign_in(tab, address)
    unseen: list[str] = []

    def walk_to(what: str) -> None:
        """Press Tab until what has the focus is called so."""
        for _ in range(120):
            tab.page.keyboard.press("Tab")
            name, shown = tab.page.evaluate("""() => {
                const one = document.activeElement, style = getComputedStyle(one);
                const name = one.getAttribute("aria-label") || one.labels?.[0]?.innerText || one.innerText || one.name;
                return [name ?? "", style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
            }""")
            if not shown:
                unseen.append(name)
            if what in name:
                return
        raise AssertionError(f"no key leads to {what!r}")

    walk_to("press-1: bearing likely to fail")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    heading = tab.page.locator("h1").inner_text()
    walk_to("Acknowledge")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")

    assert heading == "press-1: bearing likely to fail"
    assert "acknowledged by Ada" in tab.page.locator(".history").last.inner_text()
    walk_to("Right: there was a fault")
    tab.page.keyboard.press("Space")
    walk_to("Close")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    assert "closed by Ada" in tab.page.locator(".history").last.inner_text()
    assert unseen == []


def test_only_a_table_that_is_wider_than_its_place_stops_the_tab_key(address: str, opened: Open) -> None:
    tab = opened()
    sign_in(tab, address)
    tab.page.goto(f"{address}/machines/press-1")
    box = tab.page.locator(".scroll").first

    def stops_when(width: str, expected: str | None) -> bool:
        box.evaluate("(each, width) => { each.style.width = width; }", width)
        until = monotonic() + 5
        while box.get_attribute("tabindex") != expected and monotonic() < until:
            tab.page.wait_for_timeout(20)
        return bool(box.get_attribute("tabindex") == expected)

    assert box.get_attribute("tabindex") is None
    assert stops_when("40px", "0")
    assert stops_when("", None)
    assert tab.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_plant_that_needs_nobody_is_grey_and_one_that_does_is_not(
    works: Works, served: str, opened: Open, scheme: str
) -> None:
    for machine in works.room.plant.machines:
        works.send(machine.name, minutes=120, temperature=60.0)
        works.assess(machine.name, level=0.1)
    tab, counting = opened(color_scheme=scheme, viewport={"width": 1280, "height": 900}), opened().page

    def coloured(path: str) -> float:
        tab.page.goto(served + path)
        return float(counting.evaluate(COLOURED, b64encode(tab.page.screenshot(full_page=True)).decode()))

    calm = {path: coloured(path) for path in ("/", "/plant", "/alerts", "/machines/press-1", "/losses", "/jobs")}
    works.alert("press-1")

    assert {path: share for path, share in calm.items() if share > 0.001} == {}
    assert coloured("/") > 0.001
