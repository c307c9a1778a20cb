"""The packets of MQTT, as a subscriber reads and writes them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.sources import mqtt_packet as packet
from ingest.sources.mqtt_packet import Incoming

Sent = tuple[bytes, bytes, int, bool]


def size(number: int) -> bytes:
    made = bytearray()
    while True:
        number, low = divmod(number, 128)
        made.append(low | (128 if number else 0))
        if not number:
            return bytes(made)


def publish(topic: bytes, payload: bytes, number: int, dup: bool, version: int) -> bytes:
    head = 0x30 | (8 if dup else 0) | (2 if number else 0)
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", number) if number else b"")
    properties = b"\x02\x00\x00\x00\x09" * 30  # longer than a length of one byte can say
    body += (size(len(properties)) + properties if version == 5 else b"") + payload
    return bytes([head]) + size(len(body)) + body


messages = st.lists(
    st.tuples(st.binary(max_size=200), st.binary(max_size=300), st.integers(0, 65_535), st.booleans()), max_size=8
)


@given(messages, st.sampled_from([4, 5]), st.integers(1, 400))
def test_messages_are_the_same_however_their_bytes_are_cut(sent: list[Sent], version: int, step: int) -> None:
    data = b"".join(publish(*each, version) + packet.PING for each in sent)
    found: list[Incoming] = []
    pings = 0
    rest = b""
    for at in range(0, len(data), step):
        rest += data[at : at + step]
        some, others, end = packet.take(rest, version)
        found, pings, rest = found + some, pings + len(others), rest[end:]

    assert rest == b""
    assert pings == len(sent)
    assert [(each.topic, each.payload, each.packet, bool(each.flags & packet.DUP)) for each in found] == sent


@given(st.binary(max_size=60), st.sampled_from([4, 5]))
def test_any_bytes_are_cut_or_refused(data: bytes, version: int) -> None:
    try:
        assert packet.take(data, version)[2] <= len(data)
        packet.accepted(data, version)
        packet.granted(data, version)
    except SourceError:
        pass


def test_a_message_that_is_longer_inside_than_outside_is_refused() -> None:
    with pytest.raises(SourceError, match="not MQTT"):
        packet.take(b"\x32\x04\xff\xff\x00\x00", 4)


def test_acknowledgements_are_four_bytes_each_in_order() -> None:
    assert packet.acknowledge([1, 65_535, 258]) == b"\x40\x02\x00\x01\x40\x02\xff\xff\x40\x02\x01\x02"
    assert packet.acknowledge([]) == b""


def test_a_broker_that_refuses_says_why_in_words() -> None:
    for version, code, why in ((4, 5, "not authorized"), (5, 0x86, "user or password"), (5, 0xF0, "reason code 240")):
        with pytest.raises(SourceError, match=why):
            packet.accepted(bytes([0, code, 0]), version)


def test_what_a_broker_of_version_5_wants_is_heard() -> None:
    properties = b"\x12\x00\x02ab" + b"\x26\x00\x01k\x00\x01v" + b"\x13\x00\x0f" + b"\x25\x01"

    answer = packet.accepted(bytes([1, 0, len(properties)]) + properties, 5)

    assert (answer.session, answer.keep_alive) == (True, 15)
    with pytest.raises(SourceError, match="no quality of service 1"):
        packet.accepted(b"\x00\x00\x02\x24\x00", 5)
