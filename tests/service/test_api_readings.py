"""Readings over HTTP: what is good is kept, what is wrong is named, and nothing is a 500."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.readings import FORMATS

PATH = "/api/v1/readings"
ROW = {"machine": "press-1", "time": "2026-05-03T03:00:00Z", "temperature": 61.5}
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NEAR_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "machine": st.sampled_from(["press-1", "", "\ud800", "<script>alert(1)</script>"]) | JSON,
            "time": st.sampled_from(["2026-05-03T03:00:00Z", "0001-01-01", "9999-12-31T23:59:59", ""]) | JSON,
            "temperature": JSON,
        },
        optional={"signal": JSON, "value": JSON, "vibration": JSON},
    ),
    max_size=4,
)


def push(works: Any, rows: object, **headers: str) -> Any:
    return works.client.post(PATH, content=json.dumps(rows), headers={"Content-Type": "application/json", **headers})


def values(works: Any, machine: str = "press-1", signal: str = "temperature") -> list[float]:
    return works.get(PATH, machine=machine, signal=signal)["signals"][signal]["value"]


@pytest.mark.parametrize("zone", ["Z", ""], ids=["the fast way", "the careful way"])
def test_a_reading_of_a_clock_that_lost_the_time_is_turned_away_alone(works: Any, zone: str) -> None:
    rows = [{**ROW, "time": f"1970-01-01T00:00:00{zone}"}, ROW]

    receipt = push(works, rows).json()

    assert (receipt["accepted"], receipt["rejected"]) == (1, 1)
    assert "long before its arrival" in receipt["errors"][0]["reason"]
    assert values(works) == [61.5]


@pytest.mark.parametrize(
    "rows",
    [
        [ROW],
        ROW,
        {"machine": ["press-1"], "time": ["2026-05-03T03:00:00Z"], "temperature": [61.5]},
        [{"machine": "press-1", "time": "2026-05-03T03:00:00Z", "signal": "temperature", "value": 61.5}],
        {"readings": [ROW]},
    ],
    ids=["wide rows", "one row", "wide columns", "long rows", "wrapped"],
)
def test_a_pushed_reading_can_be_read(works: Any, rows: object) -> None:
    response = push(works, rows)

    assert response.status_code == 200, response.text
    receipt = response.json()
    assert receipt.pop("missing") in (0, 1)
    assert receipt == {"accepted": 1, "repeated": False, "rejected": 0, "errors": []}
    assert values(works) == [61.5]


def test_csv_says_the_same(works: Any) -> None:
    body = "machine,time,temperature\npress-1,2026-05-03T03:00:00Z,61.5\n"

    response = works.client.post(PATH, content=body, headers={"Content-Type": "text/csv; charset=utf-8"})

    assert response.json()["accepted"] == 1
    assert values(works) == [61.5]


def test_the_answer_comes_after_the_reading_is_in_the_store(works: Any) -> None:
    push(works, [ROW])

    assert works.room.store.counts().readings == 1


def test_the_same_key_again_changes_nothing_and_another_body_under_it_is_refused(works: Any) -> None:
    push(works, [ROW], **{"Idempotency-Key": "batch 1"})

    assert push(works, [ROW], **{"Idempotency-Key": "batch 1"}).json()["repeated"] is True
    other = push(works, [{**ROW, "temperature": 99.0}], **{"Idempotency-Key": "batch 1"})
    assert other.status_code == 422
    assert "'batch 1' came before with another content" in other.json()["detail"]
    assert values(works) == [61.5]


def test_the_same_body_without_a_key_again_changes_nothing(works: Any) -> None:
    push(works, [ROW])

    assert push(works, [ROW]).json()["repeated"] is True
    assert values(works) == [61.5]


def test_good_rows_are_kept_whatever_is_wrong_with_others(works: Any) -> None:
    rows = [{**ROW, "machine": "press-9"}, ROW, {**ROW, "time": "never"}, {**ROW, "vibration": "much"}]

    response = push(works, rows)

    assert response.status_code == 200
    assert response.json()["rejected"] == 3
    assert [each["where"] for each in response.json()["errors"]] == [
        "row 1, column machine",
        "row 3, column time",
        "row 4, column vibration",
    ]
    assert values(works) == [61.5]
    assert works.room.store.counts().rejected == 3


@pytest.mark.parametrize("cell", ["Infinity", "-Infinity", "1e999", "true", '"warm"', "[1]", "{}", "1000"])
def test_a_cell_that_is_no_number_in_range_is_named_and_not_kept(works: Any, cell: str) -> None:
    body = f'[{{"machine": "press-1", "time": "2026-05-03T03:00:00Z", "temperature": {cell}, "vibration": 1.5}}]'

    response = works.client.post(PATH, content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 200, response.text
    assert response.json()["accepted"] == 1
    assert [each["where"] for each in response.json()["errors"]] == ["row 1, column temperature"]


@pytest.mark.parametrize("cell", ["NaN", "null", '""'])
def test_an_empty_cell_is_neither_a_reading_nor_a_mistake(works: Any, cell: str) -> None:
    body = f'[{{"machine": "press-1", "time": "2026-05-03T03:00:00Z", "temperature": {cell}, "vibration": 1.5}}]'

    response = works.client.post(PATH, content=body, headers={"Content-Type": "application/json"})

    assert response.json() == {"accepted": 1, "repeated": False, "rejected": 0, "missing": 1, "errors": []}
    assert values(works) == []


@pytest.mark.parametrize(
    "body", ["", "{", "[", "null", "3", '"x"', "[1]", "[[]]", '{"machine": ["a"], "time": []}', "\xff", "[" * 100_000]
)
def test_a_body_without_rows_is_a_problem(works: Any, body: str) -> None:
    response = works.client.post(PATH, content=body.encode("latin-1"), headers={"Content-Type": "application/json"})

    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


@pytest.mark.parametrize("strange", ["1", "null", "[]", '"x"'])
def test_what_is_no_row_is_turned_away_alone(works: Any, strange: str) -> None:
    body = f"[{json.dumps(ROW)}, {strange}]"

    response = works.client.post(PATH, content=body, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["accepted"], response.json()["rejected"]) == (200, 1, 1)
    assert response.json()["errors"][0]["where"] == "row 2"
    assert [each.letter.body for each in works.room.store.dead_letters()] == [f"[{strange}]".encode()]


def test_a_number_too_long_to_be_one_spoils_only_its_cell(works: Any) -> None:
    later = json.dumps({**ROW, "time": "2026-05-03T03:01:00Z", "temperature": 0}).replace(": 0}", f": {'9' * 5000}}}")

    response = works.client.post(
        PATH, content=f"[{json.dumps(ROW)}, {later}]", headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["accepted"], response.json()["rejected"]) == (200, 1, 1)
    assert response.json()["errors"][0]["where"] == "row 2, column temperature"
    assert len(works.room.store.dead_letters()) == 1


def test_when_no_row_is_good_it_is_a_problem_that_lists_them(works: Any) -> None:
    response = push(works, [{**ROW, "machine": "pres-1"}])

    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "row 1, column machine"


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", ""])
def test_another_content_type_is_refused(works: Any, content_type: str) -> None:
    response = works.client.post(PATH, content="[]", headers={"Content-Type": content_type})

    assert response.status_code == 415
    assert response.headers["accept-post"] == ", ".join(FORMATS)


def test_what_was_taken_and_refused_is_counted(works: Any) -> None:
    push(works, [ROW, {**ROW, "machine": "press-9"}])
    push(works, [ROW, {**ROW, "machine": "press-9"}])

    metrics = works.client.get("/metrics").text

    assert "andon_readings_accepted_total 1.0" in metrics
    assert "andon_readings_rejected_total 2.0" in metrics


def test_pages_hold_every_row_once(works: Any) -> None:
    works.send(minutes=95, temperature=0.0)
    found: list[float] = []
    link: str | None = f"{PATH}?machine=press-1&signal=temperature&limit=20"
    pages = 0

    while link:
        page = works.get(link)
        found += page["signals"]["temperature"]["value"]
        link, pages = page["next"], pages + 1

    assert found == [float(each) for each in range(95)]
    assert pages == 5


def test_a_page_that_ends_with_the_data_has_no_next(works: Any) -> None:
    works.send(minutes=20)

    assert works.get(PATH, machine="press-1", limit=20)["next"] is None


def test_a_thinned_span_keeps_its_extremes(works: Any) -> None:
    works.send(minutes=600, temperature=-30.0)

    page = works.get(PATH, machine="press-1", points=20)

    thinned = page["signals"]["temperature"]["value"]
    assert page["thinned"] is True
    assert len(thinned) <= 20
    assert (min(thinned), max(thinned)) == (-30.0, 569.0)


def test_a_span_is_open_at_the_start_and_closed_at_the_end(works: Any) -> None:
    works.send(minutes=10, temperature=0.0)
    start, end = works.now - timedelta(minutes=5), works.now - timedelta(minutes=2)

    page = works.get(PATH, machine="press-1", signal="temperature", start=start.isoformat(), end=end.isoformat())

    assert page["signals"]["temperature"]["value"] == [5.0, 6.0, 7.0]


def test_a_time_without_an_offset_is_local(works: Any) -> None:
    page = works.get(PATH, machine="press-1", start="2026-05-03T05:00:00", end="2026-05-03T06:00:00")

    assert page["start"] == "2026-05-03T03:00:00Z"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"machine": "press-9"}, 404),
        ({"machine": "press-1", "signal": "temperatur"}, 404),
        ({}, 422),
        ({"machine": "press-1", "limit": 0}, 422),
        ({"machine": "press-1", "limit": 10**9}, 422),
        ({"machine": "press-1", "start": "yesterday"}, 422),
        ({"machine": "press-1", "start": "0001-01-01"}, 422),
        ({"machine": "press-1", "end": "9999-12-31T23:59:59"}, 422),
        ({"machine": "press-1", "start": "2026-05-03T03:00:00Z", "end": "2026-05-03T02:00:00Z"}, 422),
        ({"machine": "\x00"}, 422),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_problem(works: Any, query: dict[str, Any], status: int) -> None:
    response = works.client.get(PATH, params=query)

    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_a_misspelt_name_is_recognised(works: Any) -> None:
    response = works.client.get(PATH, params={"machine": "press-1", "signal": "temperatur"})

    assert "did you mean 'temperature'?" in response.json()["detail"]


@FUZZ
@given(body=NEAR_ROWS | JSON)
def test_no_json_is_an_error_of_ours(lasting_works: Any, body: object) -> None:
    response = push(lasting_works, body)

    assert response.status_code in (200, 422), response.text
    assert json.loads(response.text)


@FUZZ
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: f"machine,time,{text}".encode("utf-8", "replace")),
    content_type=st.sampled_from(sorted(FORMATS)),
)
def test_no_bytes_are_an_error_of_ours(lasting_works: Any, body: bytes, content_type: str) -> None:
    response = lasting_works.client.post(PATH, content=body, headers={"Content-Type": content_type})

    assert response.status_code in (200, 422), response.text


def test_a_key_is_remembered_with_its_body_after_a_restart(works_with: Any) -> None:
    key = {"Idempotency-Key": "batch 1"}
    event = {"machine": "press-1", "kind": "failure", "time": "2026-05-03T02:00:00Z"}
    works = works_with()
    first = push(works, [ROW], **key).json()
    works.client.post("/api/v1/events", json=event, headers={"Idempotency-Key": "event 1"})
    works.client.__exit__(None, None, None)

    works = works_with()

    assert push(works, [ROW], **key).json() == {**first, "repeated": True}
    other = push(works, [{**ROW, "temperature": 99.0}], **key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:andon:other-content")
    assert "send this one under a name of its own" in other.json()["detail"]
    for told, status in ((event, 200), ({**event, "kind": "error"}, 422)):
        answer = works.client.post("/api/v1/events", json=told, headers={"Idempotency-Key": "event 1"})
        assert answer.status_code == status
    assert values(works) == [61.5]
    assert works.get("/api/v1/events")["items"][0]["kind"] == "failure"
