"""Dead letters over HTTP and in the metrics."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from sqlalchemy import select

from ingest.catalogue import POSITIONS
from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.plant import Machine

PATH = "/api/v1/dead-letters"
ROW = {"machine": "press-9", "time": "2026-05-03T03:00:00Z", "temperature": 61.5}


def push(works: Any, *rows: dict[str, Any]) -> None:
    works.client.post("/api/v1/readings", json=list(rows))


def build(works: Any, name: str) -> None:
    """Add a machine to the plant file that the service runs with."""
    works.room.plant.machines.append(Machine(name=name, machine_class="press"))


def test_a_pushed_row_that_is_not_understood_is_a_letter_with_its_reason_and_bytes(works: Any) -> None:
    push(works, ROW, {**ROW, "machine": "press-1"})

    (item,) = works.get(PATH)["items"]
    detail = works.get(f"{PATH}/{item['number']}")

    assert item["reason"] == "machine: the plant has no machine 'press-9'; did you mean 'press-3'?"
    assert (item["source"], item["kind"], item["tries"]) == ("api", "json", 0)
    assert item["arrived"] == "2026-05-03T04:00:00Z"
    assert json.loads(detail["text"]) == json.loads(b64decode(detail["base64"])) == [ROW]


def test_a_replay_delivers_what_is_understood_now_and_keeps_the_rest(works: Any) -> None:
    push(works, ROW, {**ROW, "machine": "press-8"})
    build(works, "press-9")

    answer = works.client.post(f"{PATH}/replay")

    assert answer.json() == {"tried": 2, "understood": 1, "readings": 1, "events": 0, "staying": 1}
    assert works.get("/api/v1/readings", machine="press-9")["signals"]["temperature"]["value"] == [61.5]
    (left,) = works.get(PATH)["items"]
    assert left["tries"] == 1
    assert "press-8" in left["reason"]


def test_a_letter_can_be_chosen_by_number_or_source(works: Any) -> None:
    push(works, ROW, {**ROW, "machine": "press-8"})
    first, second = (each["number"] for each in works.get(PATH)["items"])

    assert works.client.post(f"{PATH}/replay", json={"numbers": [second]}).json()["tried"] == 1
    assert works.client.post(f"{PATH}/replay", json={"source": "nobody"}).json()["tried"] == 0
    assert [works.get(f"{PATH}/{each}")["tries"] for each in (first, second)] == [0, 1]
    assert works.client.post(f"{PATH}/replay", json={"number": 1}).status_code == 422


def test_a_letter_that_was_dropped_is_gone(works: Any) -> None:
    push(works, ROW)
    (item,) = works.get(PATH)["items"]

    assert works.client.delete(f"{PATH}/{item['number']}").status_code == 204

    for again in (works.client.delete, works.client.get):
        response = again(f"{PATH}/{item['number']}")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


def test_pages_hold_every_letter_once(works: Any) -> None:
    push(works, *({**ROW, "temperature": each} for each in range(25)))
    found: list[int] = []
    link: str | None = f"{PATH}?limit=10&source=api"

    while link:
        page = works.get(link)
        found += [json.loads(each["begin"])[0]["temperature"] for each in page["items"]]
        link = page["next"]

    assert found == list(range(25))


@pytest.mark.parametrize("path", [f"{PATH}/0", f"{PATH}/{2**63}", f"{PATH}?limit=0", f"{PATH}?after=-1"])
def test_a_wrong_question_is_a_problem(works: Any, path: str) -> None:
    response = works.client.get(path)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_bytes_that_are_no_text_are_shown_all_the_same(works: Any) -> None:
    letter = DeadLetter(kind="smoke", body=b"\xff\x00", reason="?", arrived=works.now, head={"topic": "a/b"})
    works.room.store.deliver([Delivery(source="broker", dead_letters=(letter,))])

    detail = works.get(f"{PATH}/1")

    assert (detail["text"], b64decode(detail["base64"]), detail["head"]) == (None, b"\xff\x00", {"topic": "a/b"})


def test_letters_are_counted_in_the_metrics(works: Any) -> None:
    push(works, ROW, {**ROW, "machine": "press-8"}, {**ROW, "machine": "press-7"})
    works.client.delete(f"{PATH}/{works.get(PATH)['items'][0]['number']}")
    build(works, "press-7")
    works.client.post(f"{PATH}/replay")

    metrics = works.client.get("/metrics").text

    for line in (
        'andon_dead_letters{source="api"} 1.0',
        'andon_dead_letters_kept_total{source="api"} 3.0',
        'andon_dead_letters_gone_total{source="api",why="replayed"} 1.0',
        'andon_dead_letters_gone_total{source="api",why="discarded"} 1.0',
        'andon_dead_letters_gone_total{source="api",why="dropped"} 0.0',
    ):
        assert line in metrics


def handed_on(**changes: Any) -> dict[str, Any]:
    letter = {
        "kind": "mqtt",
        "base64": b64encode(b"\xff").decode(),
        "reason": "no number",
        "arrived": "2026-05-02T03:00:00Z",
        "head": {"topic": "a"},
    }
    return {"source": "hall", "letters": [{**letter, **changes}]}


def test_other_letters_under_a_known_key_are_refused(works: Any) -> None:
    works.client.post(PATH, json=handed_on(), headers={"Idempotency-Key": "e:1"})
    other = works.client.post(PATH, json=handed_on(reason="other"), headers={"Idempotency-Key": "e:1"})

    assert (other.status_code, other.json()["type"]) == (422, "urn:andon:other-content")


def test_keys_of_letters_events_and_readings_are_apart_and_none_is_known_for_ever(works: Any) -> None:
    event = {"machine": "press-1", "kind": "failure", "time": "2026-05-02T03:00:00Z"}
    for path, body in (
        (PATH, handed_on()),
        ("/api/v1/events", event),
        ("/api/v1/readings", [{**ROW, "machine": "press-1"}]),
    ):
        assert works.client.post(path, json=body, headers={"Idempotency-Key": "e:1"}).is_success
    with works.room.store._database.read() as connection:
        always = connection.execute(select(POSITIONS.c.source).where(POSITIONS.c.position.contains("e:1"))).all()

    assert always == []


def test_an_edge_hands_its_letters_on_once(works: Any) -> None:
    first = works.client.post(PATH, json=handed_on(), headers={"Idempotency-Key": "e:1"})
    again = works.client.post(PATH, json=handed_on(), headers={"Idempotency-Key": "e:1"})
    without_key = works.client.post(PATH, json=handed_on())

    assert first.json() == {"accepted": 1, "repeated": False}
    assert again.json() == {"accepted": 1, "repeated": True}
    assert without_key.status_code == 200
    (item,) = works.get(PATH)["items"]
    assert (item["source"], item["kind"], item["reason"]) == ("hall", "mqtt", "no number")
    assert item["arrived"] == "2026-05-02T03:00:00Z"
    detail = works.get(f"{PATH}/{item['number']}")
    assert (b64decode(detail["base64"]), detail["head"]) == (b"\xff", {"topic": "a"})


def test_a_letter_did_not_arrive_after_now(works: Any) -> None:
    works.client.post(PATH, json=handed_on(arrived="2030-01-01T00:00:00Z"))
    assert works.get(PATH)["items"][0]["arrived"] == "2026-05-03T04:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"base64": "no base 64!"},
        {"kind": ""},
        {"arrived": "2026-05-02T03:00:00"},
        {"head": {"topic": "\x00"}},
        {"head": {"topic": 1}},
        {"more": 1},
    ],
)
def test_a_letter_that_cannot_be_kept_is_refused(works: Any, wrong: dict[str, Any]) -> None:
    assert works.client.post(PATH, json=handed_on(**wrong)).status_code == 422
    assert works.get(PATH)["items"] == []
