"""Messages to readings, by the templates of the plant file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue import to_microseconds
from ingest.dead_letter import DeadLetter
from ingest.decode.mqtt import Message, MessageDecoder
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.replay import replay
from ingest.sources.mqtt import MqttStream
from ingest.store import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ARRIVED = to_microseconds(NOW)


def plant(*topics: dict[str, Any], machines: tuple[str, ...] = ("m1", "m2")) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a", range=(0, 100)), Signal(name="b")])
    return Plant(
        classes=[press],
        machines=[Machine(name=each, machine_class="press") for each in machines],
        mqtt=[Mqtt(name="hall", host="localhost", topics=[MqttTopic(**each) for each in topics])],
    )


NUMBER = {"template": "plant/{line}/{machine}/{signal}"}
JSON = {"template": "plant/{line}/{machine}/{signal}", "payload": "json"}
WIDE = {"template": "wide/{machine}", "payload": "json"}


def decode(known: Plant, *messages: tuple[str, bytes]) -> Decoded:
    came = [Message(topic.encode(), payload, ARRIVED + place) for place, (topic, payload) in enumerate(messages)]
    return MessageDecoder(known.mqtt[0], known).decode(came, NOW + timedelta(seconds=1))


def cells(decoded: Decoded) -> list[tuple[str, datetime, str, float]]:
    return sorted(
        (row["machine"], row["time"], name, row[name])
        for each in decoded.readings
        for row in each.table.to_pylist()
        for name in each.signals
        if row[name] is not None
    )


def after(microseconds: int) -> datetime:
    return NOW + timedelta(microseconds=microseconds)


def test_a_number_is_of_the_moment_when_it_came() -> None:
    decoded = decode(plant(NUMBER), ("plant/l1/m1/a", b"21.5"), ("plant/l2/m1/a", b" 22 "), ("plant/l1/m2/b", b"-1e3"))

    assert cells(decoded) == [
        ("m1", after(0), "a", 21.5),
        ("m1", after(1), "a", 22.0),
        ("m2", after(2), "b", -1000.0),
    ]
    assert decoded.rejected == 0


def test_a_topic_that_names_the_line_of_other_machines_is_turned_away() -> None:
    lines = {"m1": "l1", "m2": "l2", "m3": ""}
    known = plant(NUMBER)
    known = known.model_copy(
        update={"machines": [Machine(name=name, machine_class="press", line=line) for name, line in lines.items()]}
    )

    decoded = decode(
        known, ("plant/l1/m1/a", b"1"), ("plant/l2/m1/a", b"2"), ("plant/west/m1/a", b"3"), ("plant/l1/m3/a", b"4")
    )

    assert [value for _, _, _, value in cells(decoded)] == [1, 3, 4]
    assert [(each.line, each.reason) for each in decoded.rejections] == [
        (2, "its topic says line 'l2', and the plant file has 'm1' on line 'l1'; mend one of them"),
    ]


def test_json_of_one_signal_may_have_its_own_time() -> None:
    time = "2026-05-31T23:00:00Z"
    decoded = decode(
        plant(JSON),
        ("plant/l/m1/a", json.dumps({"value": 1, "time": time, "unit": "bar"}).encode()),
        ("plant/l/m1/a", b'{"value": 2}'),
        ("plant/l/m1/b", b"3.5"),
        ("plant/l/m2/a", json.dumps([{"value": 4, "time": time}, {"value": 5, "time": "2026-05-31 23:01Z"}]).encode()),
    )

    hour = datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert cells(decoded) == [
        ("m1", hour, "a", 1.0),
        ("m1", after(1), "a", 2.0),
        ("m1", after(2), "b", 3.5),
        ("m2", hour, "a", 4.0),
        ("m2", hour + timedelta(minutes=1), "a", 5.0),
    ]


def test_a_json_object_has_a_key_for_each_signal() -> None:
    known = plant({**WIDE, "time": "ts", "time_format": "ms", "signals": {"a": "Temp", "b": "P1"}})

    decoded = decode(known, ("wide/m1", b'{"Temp": 1, "P1": 2, "site": "Ulm", "ts": 1767225600000}'))

    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    assert cells(decoded) == [("m1", new_year, "a", 1.0), ("m1", new_year, "b", 2.0)]
    assert decoded.rejected == 0


def test_machine_and_signal_are_made_of_words_or_are_fixed() -> None:
    known = plant(
        {"template": "x/{line}/{number}", "machine": "{line}{number}", "signal": "a"},
        {"template": "y/#", "machine": "m2", "signal": "b"},
    )

    decoded = decode(known, ("x/m/1", b"1"), ("y/what/ever", b"2"))

    assert cells(decoded) == [("m1", after(0), "a", 1.0), ("m2", after(1), "b", 2.0)]


def test_what_the_broker_had_kept_says_nothing_of_its_time() -> None:
    known = plant(JSON)
    timed = b'{"value": 1, "time": "2026-01-01T00:00:00Z"}'
    came = [Message(b"plant/l/m1/a", each, ARRIVED, old=True) for each in (b"5", timed)]

    decoded = MessageDecoder(known.mqtt[0], known).decode(came, NOW)

    assert [value for *_, value in cells(decoded)] == [1.0]
    assert decoded.rejected == 0


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("plant/l/m1/a", b"hot", "text where a number should be"),
        ("plant/l/m1/a", b"\xff\xfe", "text where a number should be"),
        ("plant/l/m1/a", b"101", "outside the range of 'a'"),
        ("plant/l/m9/a", b"1", "the plant has no machine 'm9'"),
        ("plant/l/m1/c", b"1", "class 'press' has no signal 'c'"),
        ("other", b"1", "no template of stream 'hall' fits its topic 'other'"),
        ("wide/m1", b"{", "not JSON"),
        ("wide/m1", b"[" * 100_000, "not JSON"),
        ("wide/m1", b"1", "no JSON object with a key for each signal"),
        ("wide/m1", b'[{"a": 1}, {"a": 2}]', "several entries, and one of them has no time"),
        ("wide/m1", b'{"a": 1, "time": "yesterday"}', "not an ISO time"),
        ("wide/m1", b'{"a": 1, "time": "2026-06-02T00:00:00Z"}', "ahead of its arrival"),
        ("wide/m1", b'{"a": 1, "time": "1970-01-01T00:00:07Z"}', "long before its arrival at 2026-06-01"),
        ("wide/m1", b'{"a": 1, "time": "2000-01-01T00:00:00Z"}', "did the clock lose the time?"),
        ("wide/m1", b'{"a": {"deep": 1}}', "text where a number should be"),
        ("one/m1/a", b'{"v": 1}', "no value under the key 'value'; the keys are: v"),
    ],
)
def test_what_cannot_be_understood_spoils_no_other_message(topic: str, payload: bytes, why: str) -> None:
    known = plant(NUMBER, WIDE, {"template": "one/{machine}/{signal}", "payload": "json"})

    decoded = decode(known, ("plant/l/m1/a", b"1"), (topic, payload), ("plant/l/m1/a", b"3"))

    assert [value for *_, value in cells(decoded)] == [1.0, 3.0]
    assert {each.line for each in decoded.rejections} == {2}
    assert why in decoded.rejections[0].reason


def test_a_letter_is_understood_once_the_plant_has_the_machine_and_keeps_its_time(store: Store) -> None:
    head = {"stream": "hall", "topic": "plant/l/m9/a"}
    letter = DeadLetter(kind="mqtt", body=b"7", reason="?", arrived=NOW, head=head)
    store.deliver([Delivery(source="hall", dead_letters=(letter,))])
    assert replay(store, plant(NUMBER)).staying == 1
    assert "no machine 'm9'" in store.dead_letters()[0].letter.reason

    report = replay(store, plant(NUMBER, machines=("m9",)))

    assert (report.understood, report.readings) == (1, 1)
    assert store.dead_letters() == []
    assert store.read("press").table.select(["machine", "time", "a"]).to_pylist() == [
        {"machine": "m9", "time": NOW, "a": 7.0}
    ]


def test_a_letter_of_a_stream_that_is_gone_stays_and_says_so(store: Store) -> None:
    letter = DeadLetter(kind="mqtt", body=b"7", reason="?", arrived=NOW, head={"stream": "old", "topic": "x"})
    store.deliver([Delivery(source="old", dead_letters=(letter,))])

    assert replay(store, plant(NUMBER)).staying == 1
    assert store.dead_letters()[0].letter.reason == "the plant has no [[mqtt]] stream 'old' any more"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["plant/l/m1/a", "plant/l/m9/c", "wide/m1", "one/m1/a", "one/m1/c"]),
            st.one_of(
                st.binary(max_size=20),
                st.recursive(
                    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
                    lambda inner: (
                        st.lists(inner, max_size=3)
                        | st.dictionaries(st.sampled_from(["a", "b", "value", "time", "\ud800"]), inner, max_size=3)
                    ),
                    max_leaves=6,
                ).map(lambda value: json.dumps(value).encode()),
            ),
        ),
        max_size=6,
    )
)
def test_any_message_is_read_or_turned_away(messages: list[tuple[str, bytes]]) -> None:
    known = plant(NUMBER, WIDE, {"template": "one/{machine}/{signal}", "payload": "json"})

    decoded = decode(known, *messages)

    assert {each.line for each in decoded.rejections} <= set(range(1, len(messages) + 1))
    assert decoded.rejected == len(decoded.rejections)


def test_a_clock_that_is_put_back_is_believed_and_small_steps_keep_messages_apart() -> None:
    moments = iter([NOW, NOW - timedelta(seconds=5), NOW - timedelta(hours=1), NOW - timedelta(hours=1)])
    known = plant(NUMBER)
    stream = MqttStream(known.mqtt[0], known, clock=lambda: next(moments), environment={})
    now = to_microseconds(NOW)

    assert stream.stamps(2) == range(now, now + 2)
    assert stream.stamps(2) == range(now + 2, now + 4)
    earlier = now - 3_600_000_000
    assert stream.stamps(2) == range(earlier, earlier + 2)
    assert stream.stamps(1) == range(earlier + 2, earlier + 3)
