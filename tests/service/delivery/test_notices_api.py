"""Messages over HTTP: listed, shown, sent again, counted."""

from random import Random
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from service.delivery.claim import claim
from service.delivery.outbox import NoticeKind, put
from service.delivery.outcome import Later, Never, Sent
from service.delivery.settle import Settled, settle
from tests.service.delivery.conftest import MES


def three(works: Any) -> None:
    """One that is sent, one that is dead, one that waits."""
    with works.room.state.write() as connection:
        for alert in (1, 2, 3):
            body = {"machine": "press-1", "sentence": f"alert {alert}"}
            put(connection, target="mes", kind=NoticeKind.RAISED, body=body, at=works.now, alert=alert)
        outcomes = (Sent(), Never("answers 404 Not Found"), Later("answers 503"))
        for notice, outcome in zip(claim(connection, MES, room=3, at=works.now), outcomes, strict=True):
            settle(connection, [Settled(notice, outcome)], at=works.now, random=Random(0))  # noqa: S311 - nothing secret


def test_messages_are_listed_newest_first_in_pages_with_the_reason(works: Any) -> None:
    three(works)
    page = works.get("/api/v1/notices", limit=2)
    assert [(each["id"], each["state"], each["why"]) for each in page["items"]] == [
        (3, "waiting", "answers 503"),
        (2, "dead", "answers 404 Not Found"),
    ]
    assert [each["id"] for each in works.get(page["next"])["items"]] == [1]
    assert [each["id"] for each in works.get("/api/v1/notices", state="dead")["items"]] == [2]
    assert [each["id"] for each in works.get("/api/v1/notices", alert=3, target="mes")["items"]] == [3]


def test_a_message_is_shown_with_what_it_says(works: Any) -> None:
    three(works)
    shown = works.get("/api/v1/notices/2")
    assert (shown["body"], shown["tries"]) == ({"machine": "press-1", "sentence": "alert 2"}, 1)
    assert works.client.get("/api/v1/notices/99").status_code == 404


def test_a_dead_message_waits_again_when_it_is_asked_for(works: Any) -> None:
    three(works)
    before = works.get("/api/v1/notices/2")["message"]
    answer = works.client.post("/api/v1/notices/replay", json={"target": "mes"})
    assert answer.json() == {"ids": [2]}
    again = works.get("/api/v1/notices/2")
    assert (again["state"], again["message"]) == ("waiting", before)
    assert works.client.post("/api/v1/notices/replay", json={"ids": [1]}).json() == {"ids": [1]}
    assert works.client.post("/api/v1/notices/replay", json={"ids": [99]}).status_code == 404


def test_a_target_says_how_it_answers(works: Any) -> None:
    three(works)
    (target,) = works.get("/api/v1/targets")["items"]
    assert {name: target[name] for name in ("name", "kind", "waiting", "sent", "dead", "why")} == {
        "name": "mes", "kind": None, "waiting": 1, "sent": 1, "dead": 1, "why": "answers 503",
    }  # fmt: skip
    assert target["failing_since"] is not None


def test_metrics_count_what_waits_how_long_and_what_is_dead(works: Any) -> None:
    three(works)
    families = text_string_to_metric_families(works.client.get("/metrics").text)
    found = {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}
    assert found["andon_notices", "waiting", "mes"] == 1
    assert found["andon_notices", "dead", "mes"] == 1
    assert found["andon_notice_oldest_age_seconds", "mes"] == 0
