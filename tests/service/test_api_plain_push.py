"""A plain push goes past the router and is answered as every other push is."""

import json
from typing import Any

import pytest

from service.api.plain_push import PlainPush

PATH = "/api/v1/readings"
NOT_PLAIN = f"{PATH}?precision=ns&more=1"
ROW = {"machine": "press-1", "time": "2026-05-03T03:00:00Z", "temperature": 61.5}
BODIES = {
    "good": json.dumps([ROW]).encode(),
    "partly good": json.dumps([ROW, {**ROW, "machine": "press-9"}, {**ROW, "temperature": "hot"}]).encode(),
    "nothing good": json.dumps([{**ROW, "machine": "press-9"}]).encode(),
    "no JSON": b"{",
    "empty": b"",
}


def matches(path: str, query: bytes = b"", kind: bytes = b"application/json", **headers: bytes) -> bool:
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": query}
    found, _ = PlainPush(PATH).matches({**scope, "headers": [(b"content-type", kind), *named]})
    return found.value > 0


def test_only_a_push_of_a_known_format_with_nothing_else_is_plain() -> None:
    assert matches(PATH)
    assert matches(PATH, b"precision=s", b"text/plain; charset=utf-8", idempotency_key=b"k" * 200)
    assert not matches("/api/v1/events")
    assert not matches(PATH, b"precision=h")
    assert not matches(PATH, b"more=1")
    assert not matches(PATH, kind=b"text/html")
    assert not matches(PATH, idempotency_key=b"k" * 201)
    assert not matches(PATH, idempotency_key=b"")


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_plain_and_other_pushes_are_answered_the_same(works: Any, body: bytes) -> None:
    answers = [
        works.client.post(path, content=body, headers={"Content-Type": "application/json", "Idempotency-Key": path})
        for path in (PATH, NOT_PLAIN)
    ]

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers == answers[1].headers


def test_a_key_is_known_whichever_way_it_came(works: Any) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "batch 1"}
    works.client.post(PATH, content=BODIES["good"], headers=headers)

    again = works.client.post(NOT_PLAIN, content=BODIES["good"], headers=headers)
    other = works.client.post(PATH, content=BODIES["partly good"], headers=headers)

    assert again.json()["repeated"]
    assert (other.status_code, other.json()["type"]) == (422, "urn:andon:other-content")
