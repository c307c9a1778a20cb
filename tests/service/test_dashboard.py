"""The pages: what they show, what they escape, and what their forms do."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ingest.plant import Plant
from ingest.plant_route import Route
from service.jobs import ledger
from service.jobs.ledger import Origin
from tests.service.conftest import small_plant

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://testserver", "Accept": "text/html"}
HOSTILE_PATH = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"


class Tags(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    VOID = ("meta", "link", "input", "br", "path", "rect", "circle")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag


def page(works: Any, path: str) -> str:
    response = works.client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return str(response.text)


def fill(works: Any) -> int:
    """Give every page something to show, hostile words among it."""
    for machine in ("press-1", "press-2", "<script>alert(1)</script>"):
        works.send(machine, minutes=120, temperature=60.0)
    works.assess("press-1", level=0.7)
    works.assess("press-2", level=0.1)
    works.client.post(
        "/api/v1/events",
        json={"machine": "press-1", "kind": "failure", "time": works.now.isoformat(), "note": "<b>hostile</b>"},
    )
    with works.room.state.write() as connection:
        ledger.plan(connection, "score", [works.now], origin=Origin.SCHEDULE)
    works.alert("<script>alert(1)</script>", cause="<img src=x onerror=alert(1)>")
    return int(works.alert("press-1").number)


PAGES = [
    "/",
    "/alerts",
    "/alerts/1",
    "/alerts/2",
    "/losses",
    "/losses?line=Line+1&days=30&energy=1",
    "/levers/press",
    "/models",
    "/jobs",
    "/runs/1",
    "/machines/press-1",
    "/machines/press-3",
    f"/machines/{HOSTILE_PATH}",
]


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_well_formed_and_needs_nothing_from_elsewhere(works: Any, path: str) -> None:
    fill(works)

    tags = Tags(page(works, path))

    assert tags.open == []
    names = {tag for tag, _ in tags.tags}
    assert not names & {"style", "iframe", "img"}
    assert all((each["src"] or "").startswith("/static/") for tag, each in tags.tags if tag == "script")
    for tag, attributes in tags.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action"):
            assert not (attributes.get(name) or "").startswith(("http", "//", "javascript:")), attributes
    assert ("html", {"lang": "en"}) in tags.tags
    assert [tag for tag, _ in tags.tags].count("h1") == 1
    assert "main" in names


@pytest.mark.parametrize("path", PAGES)
def test_every_picture_and_field_has_a_name(works: Any, path: str) -> None:
    fill(works)

    tags = Tags(page(works, path)).tags

    labels = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    for tag, attributes in tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
        if tag in ("input", "textarea") and attributes.get("type") not in ("hidden", "radio"):
            assert attributes["id"] in labels


def test_hostile_names_are_shown_as_text(works: Any) -> None:
    fill(works)

    for path in PAGES:
        text = page(works, path)
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<b>hostile" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(works, "/")


def test_the_first_page_ranks_alerts_and_says_until_when(works: Any) -> None:
    works.alert("press-1", hours=48)
    works.alert("press-2", hours=5)

    text = page(works, "/")

    assert text.index("press-2: bearing likely to fail") < text.index("press-1: bearing likely to fail")
    assert re.search(r"Act before</dt><dd><time datetime=\"2026-05-03T09:00:00\+00:00\"[^>]*>today 11:00</time>", text)
    assert "as of Sun 3 May 2026, 06:00 CEST" in text


@pytest.mark.parametrize(
    ("prepare", "command"),
    [(lambda _: None, "andon ingest"), (lambda works: works.send(), "andon train")],
    ids=["no readings", "no model"],
)
def test_an_empty_first_page_says_what_to_do_next(works: Any, prepare: Any, command: str) -> None:
    prepare(works)

    assert f"<code>{command}</code>" in page(works, "/")


def test_a_silent_machine_is_never_shown_as_normal(works: Any) -> None:
    works.send("press-1", until=works.now - timedelta(hours=5))
    works.assess("press-1", level=0.1)

    text = page(works, "/")
    tile = text[text.index("<b>press-1</b>") :][:900]

    assert "no recent readings" in tile
    assert "state-normal" not in tile.split("</li>")[0]


def test_a_machine_that_is_off_says_so_and_is_not_shown_as_normal(works: Any) -> None:
    works.send("press-1")
    works.assess("press-1", level=None, reason="off")

    text = page(works, "/")
    tile = text[text.index("<b>press-1</b>") :].split("</li>")[0]

    assert "state-off" in tile
    assert "press failure: off" in tile
    assert "state-normal" not in tile
    assert "press failure says nothing of" in page(works, "/machines/press-1")


def test_the_machine_page_names_a_silent_signal_and_since_when(works: Any) -> None:
    works.send("press-1", until=works.now - timedelta(days=3))
    works.send("press-1", vibration=float("nan"))

    told = page(works, "/machines/press-1")

    assert "<b>vibration</b> is silent since" in told
    assert "2026-04-30" in told.split("<b>vibration</b> is silent since")[1][:200]
    assert "<b>temperature</b> is silent" not in told


def test_health_is_told_by_a_word_and_a_shape(works: Any) -> None:
    works.send("press-1")
    works.send("press-2", until=works.now - timedelta(hours=5))
    works.assess("press-1", level=0.9)
    works.alert("press-3")

    text = page(works, "/")

    shapes = dict(re.findall(r'<span class="state state-(\w+)"><svg[^>]*>\s*(<[^>]*>)', text))
    assert len(shapes) == len(set(shapes.values())) == 4


def test_the_machine_page_draws_risk_threshold_and_events(works: Any) -> None:
    fill(works)

    text = page(works, "/machines/press-1?days=1")

    assert "threshold 50 %" in text
    assert '<path class="mark mark-failure"' in text
    assert 'aria-label="temperature: between 60 and 179 °C' in text
    assert "mm/s" in text


def test_the_machine_page_says_what_the_newest_level_was_built_from(works: Any) -> None:
    works.send()
    works.assess(level=0.3, filled=0.83, thin={"vibration": 0.41})

    text = page(works, "/machines/press-1?days=1")
    assert "built from 83 % of the expected readings; vibration 41 %." in " ".join(text.split())


def test_the_machine_page_says_what_the_number_of_a_model_means(works: Any) -> None:
    fill(works)

    assert "press failure: probability of a failure within 24 h" in page(works, "/machines/press-1?days=1")


def test_a_time_says_its_day_and_on_hover_its_zone(works: Any) -> None:
    works.send("press-1", until=works.now - timedelta(hours=3))
    works.send("press-2", until=works.now - timedelta(days=2))

    text = page(works, "/")

    assert 'title="2026-05-03 03:00 CEST">today 03:00</time>' in text
    assert 'title="2026-05-01 06:00 CEST">Fri 1 May 06:00</time>' in text


def test_a_machine_page_offers_the_days_that_have_readings(works: Any) -> None:
    works.send(until=works.now - timedelta(days=60))

    text = page(works, "/machines/press-1")

    assert "No readings in this span." in text
    link = re.search(r'href="(\?days=7&amp;until=[^"]*)">show the days before', text)
    assert link is not None
    assert 'class="trace" d="M' in page(works, "/machines/press-1" + link[1].replace("&amp;", "&"))


def test_an_alert_is_acknowledged_from_its_page(works: Any) -> None:
    number = works.alert().number

    response = works.client.post(
        f"/alerts/{number}/acknowledge", content="by=In%C3%A8s+M", headers=FORM, follow_redirects=False
    )

    assert (response.status_code, response.headers["location"]) == (303, f"/alerts/{number}")
    assert works.get(f"/api/v1/alerts/{number}")["acknowledged_by"] == "Inès M"


def test_an_alert_answers_who_was_called_and_why_not(works_with: Any) -> None:
    def with_route(folder: Path) -> Plant:
        route = Route(name="day shift", targets=["phone"], group_wait=timedelta(0))
        return small_plant(folder).model_copy(update={"routes": [route]})

    works = works_with(plant_in=with_route)
    number = works.alert().number
    shelf = {"by": "Ines", "why": "known <i>", "lasting": "8 h"}
    assert works.client.post(f"/api/v1/alerts/{number}/shelve", json=shelf).status_code == 200

    page = " ".join(works.client.get(f"/alerts/{number}", headers={"Accept": "text/html"}).text.split())

    held = page.index("day shift</td><td>held: shelved")
    assert (
        page.index("<h2>Who was called</h2>") < held < page.index("Why, and why not") < page.index("<h2>History</h2>")
    )
    assert "<b>shelved</b> – " in page[held:]
    assert "known <i>" not in page


def test_an_alert_of_a_plant_without_routes_says_that_nobody_is_called(works: Any) -> None:
    page = works.client.get(f"/alerts/{works.alert().number}", headers={"Accept": "text/html"}).text
    assert "The plant file has no routes, so nobody is called for alerts." in page


def test_the_name_is_remembered_so_that_the_next_one_takes_a_click(works: Any) -> None:
    first, second = works.alert("press-1").number, works.alert("press-2").number
    works.client.post(f"/alerts/{first}/acknowledge", content="by=In%C3%A8s", headers=FORM)

    assert "Acknowledge as Inès" in page(works, "/")

    body = "by=In%C3%A8s&back=first"
    response = works.client.post(f"/alerts/{second}/acknowledge", content=body, headers=FORM, follow_redirects=False)
    assert response.headers["location"] == "/"


def test_an_alert_is_closed_from_its_page(works: Any) -> None:
    number = works.alert().number

    works.client.post(f"/alerts/{number}/close", content="by=Ines&verdict=right&note=worn", headers=FORM)

    text = page(works, f"/alerts/{number}")
    assert "right: worn" in text
    assert "Close with a verdict" not in text


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 422), ("by=", 422), ("by=Ines", 422), ("by=Ines&verdict=x", 422), ("by=%ff&verdict=right", 422)],
)
def test_a_form_that_lacks_something_says_what(works: Any, body: str, status: int) -> None:
    number = works.alert().number

    response = works.client.post(f"/alerts/{number}/close", content=body, headers=FORM)

    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")


def test_a_field_that_is_too_long_is_refused_and_not_cut(works: Any) -> None:
    number = works.alert().number

    response = works.client.post(
        f"/alerts/{number}/comment", data={"by": "Ines", "text": "x" * 10_001}, headers={"Origin": "http://testserver"}
    )

    assert response.status_code == 422
    assert "has more than 10,000 characters" in response.text
    assert len(works.get(f"/api/v1/alerts/{number}")["history"]) == 1


@pytest.mark.parametrize("origin", [None, "https://elsewhere.example", "null"])
def test_a_form_of_another_page_changes_nothing(works: Any, origin: str | None) -> None:
    number = works.alert().number
    headers = {key: value for key, value in FORM.items() if key != "Origin"} | ({"Origin": origin} if origin else {})

    response = works.client.post(f"/alerts/{number}/acknowledge", content="by=Ines", headers=headers)

    assert response.status_code == 403
    assert works.get(f"/api/v1/alerts/{number}")["state"] == "unacknowledged"


def test_a_job_is_run_from_its_page(works: Any) -> None:
    response = works.client.post("/jobs/by%20hand/run", content="", headers=FORM)

    assert response.status_code == 200
    assert "by hand: waiting" in response.text


def test_a_remembered_name_that_is_hostile_is_shown_as_text(works: Any) -> None:
    works.alert()
    works.client.cookies.set("andon_name", "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>" not in page(works, "/")


@pytest.mark.parametrize("query", ["days=0", "days=x", "until=never", "until=0001-01-01", "days=99999999999999999999"])
def test_a_question_that_cannot_be_answered_is_a_page_that_says_so(works: Any, query: str) -> None:
    response = works.client.get(f"/machines/press-1?{query}", headers={"Accept": "text/html"})

    assert response.status_code == 422
    assert "<h1>The request is not valid</h1>" in response.text or "<h1>Unprocessable" in response.text


def test_pages_come_again_by_themselves_but_not_under_a_form(works: Any) -> None:
    works.alert()

    assert 'http-equiv="refresh" content="60"' in page(works, "/")
    assert "http-equiv" not in page(works, "/alerts/1")


def test_how_a_version_was_judged_is_drawn_from_its_card(works: Any) -> None:
    version = works.learn(right=(7, 9))
    card = works.client.get(f"/models/press failure/versions/{version}")
    report = works.client.get(f"/models/press failure/versions/{version}/report")
    css = works.client.get("/report.css")

    assert f"/versions/{version}/report" in card.text
    assert report.status_code == css.status_code == 200
    assert '<link rel="stylesheet" href="/report.css">' in report.text
    assert "<style" not in report.text, "the server's policy would forbid it"
    assert "7 of 9" in report.text
    assert css.headers["content-type"].startswith("text/css")


def test_a_version_that_was_not_judged_has_no_report(works: Any) -> None:
    version = works.learn()

    assert works.client.get(f"/models/press failure/versions/{version}/report").status_code == 404
    assert "/report" not in works.client.get(f"/models/press failure/versions/{version}").text
