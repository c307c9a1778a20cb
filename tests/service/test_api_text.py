"""Texts that no database can keep are turned away wherever they come in, with a reason."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.keepable import why_unkeepable
from service.api.text import Told

BAD = ["NUL \0 inside", "half \ud83d a character", "\udfff"]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://testserver", "Accept": "text/html"}


def post(works: Any, path: str, body: object) -> Any:
    return works.client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v1/alerts/1/acknowledge", {}, "by"),
        ("/api/v1/alerts/1/acknowledge", {"by": "Ines"}, "note"),
        ("/api/v1/alerts/1/close", {"by": "Ines", "verdict": "right"}, "note"),
        ("/api/v1/alerts/1/comment", {"by": "Ines"}, "text"),
        ("/api/v1/models/press failure/promote", {"version": "ab", "by": "Ines"}, "why"),
        ("/api/v1/models/press failure/rollback", {}, "by"),
        ("/api/v1/dead-letters/replay", {}, "source"),
    ],
)
def test_a_body_with_a_text_that_cannot_be_kept_is_refused(
    works: Any, path: str, body: dict[str, str], field: str, text: str
) -> None:
    works.alert()

    response = post(works, path, {**body, field: text})

    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert fault == {"where": f"body.{field}", "reason": why_unkeepable(text)}


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("field", ["code", "component", "note"])
def test_an_event_with_a_text_that_cannot_be_kept_is_turned_away_and_the_others_are_kept(
    works: Any, field: str, text: str
) -> None:
    event = {"machine": "press-1", "kind": "error", "time": "2026-05-03T03:00:00Z"}

    answer = post(works, "/api/v1/events", [{**event, field: text}, event]).json()

    assert (answer["added"], answer["rejected"]) == (1, 1)
    assert answer["errors"] == [{"where": "event 1", "reason": f"{field}: {why_unkeepable(text)}"}]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/v1/events?machine=press-1&machine=a%00", "query.machine"),
        ("/api/v1/runs?job=%00", "query.job"),
        ("/api/v1/machines/press%00", "path.machine"),
        ("/machines/press%00", "path.machine"),
    ],
)
def test_an_address_with_a_text_that_cannot_be_kept_is_refused(works: Any, path: str, where: str) -> None:
    response = works.client.get(path)

    assert response.status_code == 422
    assert f"{where}: U+0000 at place" in response.text


def test_a_form_with_a_text_that_cannot_be_kept_is_refused(works: Any) -> None:
    number = works.alert().number

    response = works.client.post(f"/alerts/{number}/acknowledge", content="by=In%00es", headers=FORM)

    assert response.status_code == 422
    assert "by: U+0000 at place 3 cannot be kept" in response.text
    assert works.get(f"/api/v1/alerts/{number}")["state"] == "unacknowledged"


def test_every_body_that_is_told_over_http_is_checked(works: Any) -> None:
    paths = works.client.app.openapi()["paths"].items()
    # Alertmanager's clients are told in its own words: its room checks texts where it reads them.
    operations = (each for path, own in paths if path.startswith("/api/v1/") for each in own.values())
    bodies = json.dumps([each["requestBody"] for each in operations if "requestBody" in each])

    named = re.compile(r"#/components/schemas/(\w+)")
    told = set(named.findall(bodies))
    schemas = works.client.app.openapi()["components"]["schemas"]
    # A body may hold others.
    told |= {inner for each in told for inner in named.findall(json.dumps(schemas[each]))} & {
        each.__name__ for each in Told.__subclasses__()
    }

    assert len(told) >= 7
    assert told == {each.__name__ for each in Told.__subclasses__()}


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_any_other_text_can_be_kept(text: str) -> None:
    assert why_unkeepable(text) == ""
