"""Events over HTTP: each is kept or turned away for itself."""

import json
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.event import EVENT_KINDS

PATH = "/api/v1/events"
EVENT = {"machine": "press-1", "kind": "failure", "time": "2026-05-03T03:00:00Z", "component": "bearing"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NEAR_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "machine": st.just("press-1") | JSON,
            "kind": st.sampled_from(EVENT_KINDS) | JSON,
            "time": st.datetimes().map(str) | st.sampled_from(["2026-05-03T03:00:00Z", 1e18, -1e18]) | JSON,
        },
        optional={"end": st.datetimes().map(str) | JSON, "code": st.text() | JSON, "value": st.floats(), "note": JSON},
    ),
    max_size=4,
)


def tell(works: Any, events: object, **headers: str) -> Any:
    return works.client.post(PATH, content=json.dumps(events), headers={"Content-Type": "application/json", **headers})


@pytest.mark.parametrize("body", [EVENT, [EVENT]], ids=["one", "a list"])
def test_an_event_that_was_told_can_be_read(works: Any, body: object) -> None:
    response = tell(works, body)

    assert response.status_code == 201, response.text
    assert response.json() == {"added": 1, "repeated": 0, "rejected": 0, "errors": []}
    item = works.get(PATH)["items"][0]
    assert item == {**EVENT, "end": None, "code": "", "value": None, "note": ""}


def test_the_same_event_again_is_known(works: Any) -> None:
    tell(works, EVENT)

    again = tell(works, [EVENT])

    assert again.status_code == 200
    assert again.json()["repeated"] == 1
    assert len(works.get(PATH)["items"]) == 1


def test_good_events_are_kept_whatever_is_wrong_with_others(works: Any) -> None:
    wrong = [
        {**EVENT, "machine": "pres-1"},
        {**EVENT, "kind": "explosion"},
        {**EVENT, "time": "soon"},
        {**EVENT, "end": "2026-05-03T02:00:00Z"},
        {**EVENT, "value": float("nan")},
        {**EVENT, "colour": "red"},
        "an event",
    ]

    response = tell(works, [*wrong, EVENT])

    assert response.status_code == 201
    assert response.json()["rejected"] == len(wrong)
    reasons = {each["where"]: each["reason"] for each in response.json()["errors"]}
    assert "did you mean 'press-1'?" in reasons["event 1"]
    assert "before time" in reasons["event 4"]
    assert list(reasons) == [f"event {place}" for place in range(1, 8)]
    assert len(works.get(PATH)["items"]) == 1


def test_when_no_event_is_good_it_is_a_problem(works: Any) -> None:
    response = tell(works, {**EVENT, "machine": "nobody"})

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("body", "status"), [("", 400), ("{", 400), ("[" * 100_000, 400), ("3", 422), ("[null]", 422)])
def test_a_body_that_is_no_event_is_a_problem(works: Any, body: str, status: int) -> None:
    response = works.client.post(PATH, content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_another_content_type_is_refused(works: Any) -> None:
    assert works.client.post(PATH, content="{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert works.client.post(PATH, content="<a/>", headers={"Content-Type": "application/xml"}).status_code == 415


def test_too_many_events_for_one_request_are_refused(works: Any) -> None:
    assert tell(works, [0] * 10_001).status_code == 413


def test_a_local_time_is_understood_in_the_plants_zone(works: Any) -> None:
    tell(works, {**EVENT, "time": "2026-05-03T05:00:00"})

    assert works.get(PATH)["items"][0]["time"] == "2026-05-03T03:00:00Z"


def test_events_are_filtered_by_machine_kind_and_span(works: Any) -> None:
    times = [(works.now - timedelta(hours=each)).isoformat() for each in range(4)]
    tell(works, [{**EVENT, "time": time} for time in times])
    tell(works, [{**EVENT, "time": times[0], "machine": "press-2"}, {**EVENT, "time": times[0], "kind": "error"}])

    assert len(works.get(PATH, machine="press-2")["items"]) == 1
    assert len(works.get(PATH, kind="error")["items"]) == 1
    assert len(works.get(PATH, machine=["press-1", "press-2"], kind="failure")["items"]) == 5
    assert len(works.get(PATH, kind="failure", start=times[2], end=times[1])["items"]) == 1
    assert works.client.get(PATH, params={"machine": "nobody"}).status_code == 404
    assert works.client.get(PATH, params={"kind": "nothing"}).status_code == 422


def test_pages_hold_every_event_once(works: Any) -> None:
    tell(works, [{**EVENT, "time": (works.now - timedelta(hours=each)).isoformat()} for each in range(7)])
    found: list[str] = []
    link: str | None = f"{PATH}?limit=3"

    while link:
        page = works.get(link)
        found += [each["time"] for each in page["items"]]
        link = page["next"]

    assert len(found) == 7
    assert found == sorted(set(found))


def test_a_page_of_events_is_read_as_a_page(works: Any) -> None:
    tell(works, [{**EVENT, "time": (works.now - timedelta(hours=each)).isoformat()} for each in range(7)])
    whole = works.room.store.events(machines=["press-1"])

    page = works.room.store.event_page(machines=["press-1"], offset=2, limit=3)

    pd.testing.assert_frame_equal(page, whole.iloc[2:5].reset_index(drop=True))
    works.room.store.events = None
    assert len(works.get(PATH, limit=3, offset=5, machine="press-1")["items"]) == 2


def test_an_answer_lists_the_first_faults_and_counts_the_others(works: Any) -> None:
    answer = tell(works, [*[{**EVENT, "machine": "nobody"}] * 300, EVENT]).json()

    assert (answer["rejected"], len(answer["errors"])) == (300, 100)
    assert len(tell(works, [{**EVENT, "machine": "nobody"}] * 300).json()["errors"]) == 100


def test_more_machines_than_one_question_may_name_are_refused(works: Any) -> None:
    assert works.client.get(PATH, params={"machine": ["press-1"] * 501}).status_code == 422


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=NEAR_EVENTS | JSON, key=st.sampled_from([{}, {"Idempotency-Key": "k"}]))
def test_no_json_is_an_error_of_ours(lasting_works: Any, body: object, key: dict[str, str]) -> None:
    response = tell(lasting_works, body, **key)

    assert response.status_code in (200, 201, 422), response.text
    assert lasting_works.client.get(PATH).status_code == 200


def test_a_failure_ahead_of_the_present_is_turned_away(works: Any) -> None:
    failure = {"machine": "press-1", "kind": "failure", "time": "2099-01-01T00:00:00Z"}

    answer = tell(works, [failure, {**failure, "kind": "maintenance"}])

    assert (answer.json()["added"], answer.json()["rejected"]) == (1, 1)
    assert "ahead of its arrival" in answer.json()["errors"][0]["reason"]


def test_an_event_of_a_clock_that_lost_the_time_is_turned_away(works: Any) -> None:
    stop = {"machine": "press-1", "kind": "stop", "time": "1970-01-01T00:00:00Z"}

    answer = tell(works, [stop, {**stop, "time": "2017-01-01T00:00:00Z"}])

    assert (answer.json()["added"], answer.json()["rejected"]) == (1, 1)
    assert "long before its arrival" in answer.json()["errors"][0]["reason"]


def test_another_event_under_a_known_key_is_refused(works: Any) -> None:
    event = {"machine": "press-1", "kind": "failure", "time": "2026-05-03T02:00:00Z"}
    key = {"Idempotency-Key": "k"}

    assert tell(works, event, **key).status_code == 201
    assert tell(works, event, **key).json()["repeated"] == 1
    assert tell(works, {**event, "kind": "error"}, **key).status_code == 422
    assert len(works.room.store.events()) == 1
