"""The same readings in every format and packing are the same content; what is wrong is named by its row."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ingest.decode.clean.decoder import BodyDecoder
from ingest.intake import Intake
from service.api import push

PATH = "/api/v1/readings"
TIMES = ["2026-05-03T03:00:00Z", "2026-05-03T03:01:00Z"]
ARROW = "application/vnd.apache.arrow.stream"


def stream(columns: dict[str, Any]) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def arrow(machine: str, kind: pa.DataType) -> bytes:
    moments = [datetime.fromisoformat(each) for each in TIMES]
    return stream(
        {
            "machine": [machine, "press-2"],
            "time": pa.array(moments, pa.timestamp("us", "UTC")).cast(kind),
            "temperature": [61.5, 62.0],
            "vibration": [None, 2.5],
        }
    )


def wide_csv(machine: str, rows: int) -> bytes:
    begin = datetime.fromisoformat(TIMES[0])
    lines = [f"{machine},{(begin - timedelta(minutes=number)).isoformat()},{number % 97}" for number in range(rows)]
    return "\n".join(["machine,time,temperature", *lines]).encode()


def long_arrow(machine: str) -> bytes:
    moments = [datetime.fromisoformat(TIMES[each]) for each in (0, 1, 1)]
    return stream(
        {
            "machine": [machine, "press-2", "press-2"],
            "time": pa.array(moments, pa.timestamp("ns", "UTC")),
            "signal": ["temperature", "temperature", "vibration"],
            "value": [61.5, 62.0, 2.5],
        }
    )


def wide_json(machine: str) -> bytes:
    return json.dumps(
        [
            {"machine": machine, "time": TIMES[0], "temperature": 61.5},
            {"machine": "press-2", "time": TIMES[1], "temperature": 62, "vibration": 2.5},
        ]
    ).encode()


def csv(machine: str) -> bytes:
    lines = ["machine,time,temperature,vibration", f"{machine},{TIMES[0]},61.5,", f"press-2,{TIMES[1]},62,2.5"]
    return "\n".join(lines).encode()


def line_protocol(machine: str) -> bytes:
    first, second = (int(datetime.fromisoformat(each).timestamp()) * 10**9 for each in TIMES)
    return (
        f"any,machine={machine} temperature=61.5 {first}\nany,machine=press-2 temperature=62i,vibration=2.5 {second}\n"
    ).encode()


FORMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "json": ("application/json", wide_json),
    "csv": ("text/csv", csv),
    "line protocol": ("text/plain", line_protocol),
    "arrow": (ARROW, lambda machine: arrow(machine, pa.timestamp("ms", "Europe/Berlin"))),
    "long arrow": (ARROW, long_arrow),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": lambda body: bytes(pa.Codec("zstd").compress(body, asbytes=True)),
}


def post(works: Any, body: bytes, media: str, **headers: str) -> Any:
    return works.client.post(PATH, content=body, headers={"Content-Type": media, **headers})


def content(works: Any) -> list[tuple[Any, ...]]:
    columns = works.room.store.read("press", signals=["temperature", "vibration"]).table.to_pydict()
    return list(zip(columns["machine"], columns["time"], columns["temperature"], columns["vibration"], strict=True))


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_readings_are_the_same_content_however_they_come(works: Any, form: str, packing: str) -> None:
    media, body = FORMS[form]

    response = post(works, PACKINGS[packing](body("press-1")), media, **{"Content-Encoding": packing})

    assert response.status_code == 200, response.text
    assert response.json()["accepted"] == 3
    assert content(works) == [
        ("press-1", datetime(2026, 5, 3, 3, tzinfo=UTC), 61.5, None),
        ("press-2", datetime(2026, 5, 3, 3, 1, tzinfo=UTC), 62.0, 2.5),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_row_is_named_and_the_others_are_kept(works: Any, form: str) -> None:
    media, body = FORMS[form]

    response = post(works, body("press-9"), media)

    assert response.json()["accepted"] == 2
    row = 2 if form == "csv" else 1
    assert [each["where"] for each in response.json()["errors"]] == [f"row {row}, column machine"]
    assert works.room.store.counts().rejected == 1


@pytest.mark.parametrize("form", FORMS)
def test_the_same_key_again_changes_nothing_in_any_format(works: Any, form: str) -> None:
    media, body = FORMS[form]
    first = post(works, body("press-1"), media, **{"Idempotency-Key": "7"})
    kept = content(works)

    assert first.json()["repeated"] is False
    assert post(works, body("press-1"), media, **{"Idempotency-Key": "7"}).json()["repeated"] is True
    assert post(works, body("press-2"), media, **{"Idempotency-Key": "7"}).status_code == 422
    assert content(works) == kept


def test_an_arrow_time_without_a_zone_is_local(works: Any) -> None:
    post(works, arrow("press-1", pa.timestamp("us")), ARROW)

    assert content(works)[0][1] == datetime(2026, 5, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_is_refused_in_bounded_memory(works_with: Any, packing: str) -> None:
    works = works_with(largest_body=1 << 20)
    bomb = PACKINGS[packing](bytes(200 << 20))
    assert len(bomb) < 1 << 20

    tracemalloc.start()
    response = post(works, bomb, "text/csv", **{"Content-Encoding": packing})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert peak < 32 << 20


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_body_that_is_not_packed_or_cut_off_is_a_problem(works: Any, packing: str) -> None:
    for body in (b"machine,time", PACKINGS[packing](csv("press-1"))[:-6]):
        assert post(works, body, "text/csv", **{"Content-Encoding": packing}).status_code == 400


def test_a_full_intake_says_when_to_come_again_and_keeps_nothing(works_with: Any) -> None:
    works = works_with(open_intake=lambda store: Intake(store, cells_in_the_log=0))

    response = post(works, csv("press-1"), "text/csv")

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["type"] == "urn:andon:intake-full"
    assert works.room.store.counts().readings == 0


def test_a_full_disk_is_507_and_the_same_batch_is_taken_once_there_is_room(works: Any) -> None:
    with works.room.store._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA max_page_count").scalar_one()
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    refused = post(works, wide_csv("press-1", 2_000), "text/csv")

    assert refused.status_code == 507, refused.text
    assert refused.json()["type"] == "urn:andon:disk-full"
    assert works.room.store.counts().readings == 0
    with works.room.store._database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    assert post(works, wide_csv("press-1", 2_000), "text/csv").json()["accepted"] == 2_000


def test_when_too_many_batches_wait_the_next_one_is_told_to_come_again(
    works: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "MOST_WAITING", 0)

    refused = post(works, csv("press-1"), "text/csv")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert works.room.store.counts().readings == 0


def test_a_full_log_is_told_before_anything_is_decoded(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Intake, "refuses", lambda _: "the log is full")
    monkeypatch.setattr(BodyDecoder, "clean_each", lambda *_: pytest.fail("decoded"))

    refused = post(works, csv("press-1"), "text/csv")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "the log is full" in refused.text


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "9"}], ids=["without a key", "under one key"])
def test_the_same_lines_with_another_precision_are_no_repetition(works: Any, key: dict[str, str]) -> None:
    """Whoever sends them again because the precision was wrong must not hear that they are there."""

    def push(precision: str) -> Any:
        headers = {"Content-Type": "text/plain", **key}
        return works.client.post(PATH, params={"precision": precision}, content=lines, headers=headers)

    lines = b"any,machine=press-1 temperature=61.5 1777777200\n"
    refused = push("ns")
    assert refused.status_code == 422
    assert "long before its arrival" in refused.text

    again = push("s")

    assert (again.status_code, again.json()["repeated"]) == (200, False)
    assert datetime.fromtimestamp(1777777200, UTC) in [moment for _, moment, *_ in content(works)]
