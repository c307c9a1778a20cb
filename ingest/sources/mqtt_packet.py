"""Packets of MQTT 3.1.1 and 5, as far as a subscriber with quality of service 0 and 1 needs them.

Reading cuts a whole buffer at once, and acknowledging writes many packets at once: a client library that
reads packet by packet spends more on each message than all the rest of Andon does.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ingest.errors import SourceError

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 11, 13, 14
PING, BYE = b"\xc0\x00", b"\xe0\x00"
DUP, RETAIN = 8, 1
_QOS = 6
_SERVER_KEEP_ALIVE, _MAXIMUM_QOS = 0x13, 0x24
_PROPERTY_KINDS = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), "B"),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), "H"),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), "I"),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), "text"),
    0x26: "pair",
    0x0B: "varint",
}
_REFUSALS = {
    1: "it does not speak this version of MQTT",
    2: "it does not like the client_id",
    3: "it is not available",
    4: "user or password is wrong",
    5: "this client is not authorized",
    0x82: "protocol error",
    0x84: "it does not speak this version of MQTT",
    0x85: "it does not like the client_id",
    0x86: "user or password is wrong",
    0x87: "this client is not authorized",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "this client is banned",
    0x8B: "it is shutting down",
    0x8D: "it heard nothing for too long",
    0x8E: "another client uses the same client_id",
    0x93: "more was unacknowledged than agreed",
    0x95: "a packet was too large",
    0x97: "a quota is used up",
    0x98: "an administrator ended it",
    0x9F: "too many connections",
}


class Incoming(NamedTuple):
    """A message: its topic and payload, its packet's number (0 if none is to be acknowledged), its flags."""

    topic: bytes
    payload: bytes
    packet: int
    flags: int


class Control(NamedTuple):
    """Any other packet: what it is, and its body."""

    kind: int
    body: bytes


class Accepted(NamedTuple):
    """What a broker says to a connection: whether it has the session still, and how often it wants to hear of us."""

    session: bool
    keep_alive: int | None


def take(data: bytes, version: int) -> tuple[list[Incoming], list[Control], int]:
    """Cut all whole packets off the front of a buffer.

    Returns
    -------
    messages, other packets, and how many bytes they took

    Raises
    ------
    SourceError
        When it is not MQTT.
    """
    messages: list[Incoming] = []
    controls: list[Control] = []
    at, end = 0, len(data)
    while at + 2 <= end:
        head, size, body = data[at], data[at + 1], at + 2
        if size >= 128:
            read = _varint(data, at + 1)
            if read is None:
                break
            size, body = read
        stop = body + size
        if stop > end:
            break
        if head >> 4 == PUBLISH:
            begin = body + 2
            behind = begin + (data[body] << 8 | data[body + 1]) if begin <= stop else stop + 1
            topic = data[begin:behind]
            packet = 0
            if head & _QOS:
                packet = int.from_bytes(data[behind : behind + 2], "big")
                behind += 2
            if version == 5 and behind < stop:
                length, behind = _varint(data, behind) or (0, stop + 1)
                behind += length
            if behind > stop:
                raise SourceError("the broker sends what is not MQTT")
            messages.append(Incoming(topic, data[behind:stop], packet, head & 15))
        else:
            controls.append(Control(head >> 4, data[body:stop]))
        at = stop
    return messages, controls, at


def connect(
    version: int,
    client_id: str,
    *,
    keep_alive: int,
    expiry: int,
    receive_maximum: int,
    largest: int,
    user: str | None = None,
    password: str | None = None,
    fresh: bool = False,
) -> bytes:
    """Return the packet that begins a session, or goes on with one that the broker still has.

    Parameters
    ----------
    keep_alive, expiry : seconds
    receive_maximum : how many messages may be unacknowledged (MQTT 5)
    largest : bytes of the largest packet that is wanted (MQTT 5)
    fresh : whether what the broker has of an earlier session is to be forgotten
    """
    flags = (2 if fresh else 0) | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    properties = struct.pack("!BIBHBI", 0x11, expiry, 0x21, receive_maximum, 0x27, largest) if version == 5 else None
    body = [_text("MQTT"), struct.pack("!BBH", version, flags, keep_alive), _sized(properties), _text(client_id)]
    body += [_text(each) for each in (user, password) if each is not None]
    return _packet(0x10, b"".join(body))


def accepted(body: bytes, version: int) -> Accepted:
    """Read the answer to ``connect``; raises ``SourceError`` with the reason if it is no."""
    if len(body) < 2:
        raise SourceError("the broker sends what is not MQTT")
    if body[1]:
        raise SourceError(f"the broker refuses: {reason(body[1])}")
    given = _properties(body[2:]) if version == 5 else {}
    if given.get(_MAXIMUM_QOS) == 0:
        raise SourceError("the broker offers no quality of service 1; nothing could be acknowledged")
    return Accepted(bool(body[0] & 1), given.get(_SERVER_KEEP_ALIVE))


def subscribe(version: int, packet: int, filters: Sequence[str]) -> bytes:
    """Return the packet that subscribes with quality of service 1; kept messages come for new filters only."""
    # MQTT 3.1.1 has no such option, and reserves its bit.
    options = bytes([0x11 if version == 5 else 1])
    topics = b"".join(_text(each) + options for each in filters)
    return _packet(0x82, struct.pack("!H", packet) + _sized(b"" if version == 5 else None) + topics)


def unsubscribe(version: int, packet: int, filters: Sequence[str]) -> bytes:
    """Return the packet that ends subscriptions."""
    topics = b"".join(map(_text, filters))
    return _packet(0xA2, struct.pack("!H", packet) + _sized(b"" if version == 5 else None) + topics)


def granted(body: bytes, version: int) -> list[int]:
    """Return the code of each filter in the answer to ``subscribe``: 0 or 1 is well, 128 and more is no."""
    if version != 5:
        return list(body[2:])
    length, behind = _varint(body, 2) or (0, 2)
    return list(body[behind + length :])


def acknowledge(packets: Iterable[int]) -> bytes:
    """Return the packets that acknowledge messages, in this order."""
    numbers = np.fromiter(packets, np.uint16)
    made = np.empty((len(numbers), 4), np.uint8)
    made[:, 0], made[:, 1] = PUBACK << 4, 2
    made[:, 2], made[:, 3] = numbers >> 8, numbers & 255
    return made.tobytes()


def publish(version: int, topic: str, payload: bytes) -> bytes:
    """Return a message with quality of service 0."""
    return _packet(PUBLISH << 4, _text(topic) + _sized(b"" if version == 5 else None) + payload)


def reason(code: int) -> str:
    """Say what a broker means by a code."""
    return _REFUSALS.get(code, f"reason code {code}")


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _varint_bytes(len(body)) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded


def _sized(properties: bytes | None) -> bytes:
    """Return properties with their length; nothing at all where the protocol has none."""
    return b"" if properties is None else _varint_bytes(len(properties)) + properties


def _varint_bytes(number: int) -> bytes:
    made = bytearray()
    while True:
        number, low = divmod(number, 128)
        made.append(low | (128 if number else 0))
        if not number:
            return bytes(made)


def _varint(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a number and where it ends; ``None`` if it does not end in the buffer."""
    number = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        number |= (data[at + place] & 127) << (7 * place)
        if data[at + place] < 128:
            return number, at + place + 1
    raise SourceError("the broker sends what is not MQTT")


def _properties(data: bytes) -> Mapping[int, int]:
    """Return the properties that are numbers."""
    found: dict[int, int] = {}
    length, at = _varint(data, 0) or (0, 0)
    end = at + length
    while at < min(end, len(data)):
        name, kind = data[at], _PROPERTY_KINDS.get(data[at])
        at += 1
        if kind in ("text", "pair"):
            for _ in range(2 if kind == "pair" else 1):
                at += 2 + int.from_bytes(data[at : at + 2], "big")
        elif kind == "varint":
            found[name], at = _varint(data, at) or (0, end)
        elif kind is not None:
            size = struct.calcsize(f"!{kind}")
            found[name], at = int.from_bytes(data[at : at + size], "big"), at + size
        else:
            raise SourceError("the broker sends what is not MQTT")
    return found
