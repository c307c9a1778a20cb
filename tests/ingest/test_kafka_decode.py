"""Messages to readings, by the topics of the plant file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue import to_microseconds
from ingest.dead_letter import DeadLetter
from ingest.decode.kafka import Message, MessageDecoder, decode_kafka, head_of
from ingest.errors import SourceError
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.reading import Readings
from ingest.sources.understanding import understand

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MADE = to_microseconds(NOW) - 5_000_000
TEN = "2026-01-01T10:00:00Z"


def plant(**topic: Any) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a", range=(0, 100)), Signal(name="b")])
    return Plant(
        classes=[press],
        machines=[Machine(name=each, machine_class="press") for each in ("m1", "m2")],
        kafka=[Kafka(name="bus", servers=["k:9092"], topics=[KafkaTopic(topic="t", **topic)])],
    )


def message(body: bytes | None, offset: int = 0, key: bytes = b"m1", time: int | None = MADE) -> Message:
    return Message("t", 0, offset, key, body, time)


def letter(message: Message, reason: str) -> DeadLetter:
    return DeadLetter(kind="kafka", body=message.body or b"", reason=reason, arrived=NOW, head=head_of(message, "bus"))


def hear(known: Plant, *messages: Message) -> tuple[list[Readings], list[DeadLetter]]:
    understood = understand(messages, NOW, MessageDecoder(known.kafka[0], known).decode, letter)
    return understood.readings, understood.letters


def cells(readings: list[Readings]) -> list[tuple[str, datetime, str, float]]:
    return sorted(
        (row["machine"], row["time"], name, row[name])
        for each in readings
        for row in each.table.to_pylist()
        for name in each.signals
        if row[name] is not None
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


ROW = {"machine": "m1", "time": TEN, "a": 1, "b": 2.5}
EXPECTED = [("m1", at(TEN), "a", 1.0), ("m1", at(TEN), "b", 2.5)]


def arrow(rows: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ({}, json.dumps(ROW).encode()),
        ({}, json.dumps([ROW]).encode()),
        ({}, json.dumps({"readings": [ROW]}).encode()),
        ({}, json.dumps({name: [cell] for name, cell in ROW.items()}).encode()),
        ({"format": "csv"}, b"machine,time,a,b\r\nm1,2026-01-01T10:00:00Z,1,2.5\r\n"),
        (
            {"format": "csv", "columns": ["t", "a", "x", "b"], "machine_is": "{key}", "time": "t", "delimiter": ";",
             "decimal": ",", "signals": {"a": "a", "b": "b"}},
            b"2026-01-01T10:00:00Z;1;ignored;2,5",
        ),
        ({"format": "line_protocol"}, b"any,machine=m1 a=1,b=2.5 1767261600000000000"),
        ({"format": "line_protocol", "machine": "host", "time_format": "s"}, b"any,host=m1,x=y a=1,b=2.5 1767261600"),
        ({"format": "line_protocol", "machine_is": "m1", "time_format": "s"}, b"any a=1,b=2.5 1767261600"),
        ({"format": "arrow"}, arrow([ROW])),
        ({"machine_is": "{key}"}, json.dumps({"time": TEN, "a": 1, "b": 2.5}).encode()),
        (
            {"machine": ["plant", "unit"], "time": "ts", "time_format": "s", "signals": {"a": "T", "b": "P"}},
            json.dumps({"plant": "x", "unit": "y", "ts": 1767261600, "T": 1, "P": 2.5, "other": {}}).encode(),
        ),
        (
            {"signal_column": "tag", "value_column": "v", "signals": {"a": "A", "b": "B"}},
            json.dumps(
                [{"machine": "m1", "time": TEN, "tag": tag, "v": v} for tag, v in (("A", 1), ("B", 2.5), ("C", 3))]
            ).encode(),
        ),
    ],
)  # fmt: skip
def test_each_format_gives_the_same_readings(topic: dict[str, Any], body: bytes) -> None:
    known = plant(**topic)
    if topic.get("machine") == ["plant", "unit"]:
        known = known.model_copy(update={"machines": [Machine(name="x/y", machine_class="press")]})

    readings, letters = hear(known, message(body))

    assert letters == []
    assert [("m1", *each[1:]) for each in cells(readings)] == EXPECTED


def test_a_row_without_a_time_is_of_its_message() -> None:
    rows = json.dumps([{"machine": "m1", "a": 1}, {"machine": "m2", "a": 1, "time": TEN}]).encode()

    readings, _ = hear(plant(), message(rows, time=MADE + 1))

    assert [each[1] for each in cells(readings)] == [NOW - timedelta(seconds=5) + timedelta(microseconds=1), at(TEN)]


def test_lines_with_and_without_a_time_may_stand_together() -> None:
    readings, letters = hear(
        plant(format="line_protocol"), message(b"x,machine=m1 a=1 1767261600000000000\nx,machine=m2 a=2")
    )

    assert letters == []
    assert [(each[0], each[1].year, each[1].month) for each in cells(readings)] == [("m1", 2026, 1), ("m2", 2026, 5)]


def test_a_message_without_any_time_is_a_letter() -> None:
    readings, (only,) = hear(plant(), message(json.dumps({"machine": "m1", "a": 1}).encode(), time=None))

    assert readings == []
    assert only.reason == "time of the message: no time is given"


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ({}, b"{", "the body is not JSON"),
        ({}, b"[1]", "the body is not a list of rows"),
        ({}, b'{"a": 1}', "machine: no machine is named"),
        ({}, b'{"machine": "m3", "a": 1}', "machine: the plant has no machine 'm3'"),
        ({}, b'{"machine": "m1", "a": 1, "c": 3}', "c: class 'press' has no signal 'c'"),
        ({}, b'{"machine": "m1", "a": 101}', "a: outside the range of 'a': 0 to 100"),
        ({}, b'{"machine": "m1", "a": "hot"}', "a: "),
        ({"format": "csv"}, b"machine,a\nm1,1,2\n", "line 2: the line has 3 fields, the header has 2"),
        ({"format": "csv"}, b"", "the body is empty"),
        ({"format": "line_protocol"}, b"x,machine=m1 a\n", "line 1: 'a' is not 'field=value'"),
        ({"format": "arrow"}, b"ARROW", "the body is not an Arrow IPC stream"),
        ({"machine_is": "{key}"}, b'{"a": 1}', "key of the message: no machine is named"),
    ],
)
def test_what_is_not_understood_is_a_letter_and_holds_nothing_else_up(
    topic: dict[str, Any], body: bytes, reason: str
) -> None:
    good = {
        "csv": b"machine,a\nm2,7\n",
        "line_protocol": b"x,machine=m2 a=7",
        "arrow": arrow([{"machine": "m2", "a": 7}]),
    }.get(topic.get("format", ""), b'{"a": 7}' if "machine_is" in topic else b'{"machine": "m2", "a": 7}')

    known = plant(**topic)
    readings, letters = hear(known, message(good, 1, b"m2"), message(body, 2, b""), message(good, 3, b"m2"))

    assert [each[3] for each in cells(readings) if each[0] == "m2"] == [7.0, 7.0]
    assert [each.body for each in letters] == [body]
    assert reason in letters[0].reason


def test_a_message_in_a_flood_of_mistakes_is_not_overlooked() -> None:
    many = json.dumps([{"machine": "nobody", "a": each} for each in range(8_000)]).encode()

    _, letters = hear(plant(), message(many, 1), message(many, 2), message(b'{"machine": "none", "a": 1}', 3))

    assert [each.head["offset"] for each in letters] == ["1", "2", "3"]


def test_a_message_with_too_many_keys_is_a_letter_alone() -> None:
    poison = json.dumps({f"k{each}": each for each in range(6_000)}).encode()

    readings, letters = hear(plant(), message(b'{"machine": "m1", "a": 1}', 1), message(poison, 2))

    assert len(cells(readings)) == 1
    assert ["6,000 columns" in each.reason for each in letters] == [True]


def test_a_deleted_key_and_machines_that_are_none_of_ours_say_nothing() -> None:
    assert hear(plant(other_machines="ignore"), message(None), message(b'{"machine": "x", "a": 1}')) == ([], [])


def test_a_letter_is_read_again_as_its_message_was() -> None:
    known = plant(machine_is="{key}")
    _, (kept,) = hear(known, message(b'{"a": 1}', offset=12, key=b"m3"))
    mended = known.model_copy(update={"machines": [*known.machines, Machine(name="m3", machine_class="press")]})

    decoded = decode_kafka(kept.body, kept.head, mended, now=kept.arrived)

    assert cells(decoded.readings) == [("m3", NOW - timedelta(seconds=5), "a", 1.0)]
    with pytest.raises(SourceError, match=r"the plant has no \[\[kafka\]\] stream 'bus' any more"):
        decode_kafka(kept.body, kept.head, known.model_copy(update={"kafka": []}), now=NOW)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["json", "csv", "line_protocol", "arrow"]), st.lists(st.binary(max_size=60), min_size=1, max_size=4)
)
def test_no_bytes_break_it(kind: str, bodies: list[bytes]) -> None:
    hear(plant(format=kind), *(message(each, number) for number, each in enumerate(bodies)))
