"""Deliveries as bytes: how a spool writes them, and finds the last whole one after a crash.

A record is ``length, checksum, number`` and then so many bytes; the checksum covers all of it. A number
of 0 marks what the spool itself must remember. Numbers grow by one.
"""

import json
import re
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.event import Event, events_table
from ingest.reading import Readings
from ingest.report import Rejection

FRAME = struct.Struct("<IIQ")
_LOOKED_FOR = 64
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True)
class Found:
    """A whole record in a file: its number, its content, and where the next one begins."""

    number: int
    payload: bytes
    end: int


def framed(number: int, payload: bytes) -> bytes:
    """Return a record, ready to be written.

    Examples
    --------
    >>> [each.payload for each in whole_records(framed(1, b"ab") + framed(2, b"c") + b"torn")]
    [b'ab', b'c']
    """
    return FRAME.pack(len(payload), _checksum(number, payload), number) + payload


def whole_records(data: bytes, before: int = 0) -> Iterator[Found]:
    """Give the whole records; what was altered between two of them is passed over.

    Parameters
    ----------
    before : number of the record before the first
    """
    at, number = 0, before
    while True:
        found = record_at(data, at) or _next_whole(data, at, number)
        if found is None:
            return
        yield found
        at, number = found.end, found.number or number


def record_at(data: bytes, at: int) -> Found | None:
    """Return the record that begins at ``at``; ``None`` if it is not whole."""
    if len(data) - at < FRAME.size:
        return None
    length, checksum, number = FRAME.unpack_from(data, at)
    begin, end = at + FRAME.size, at + FRAME.size + length
    if end > len(data) or not length:
        return None
    payload = data[begin:end]
    return Found(number, payload, end) if _checksum(number, payload) == checksum else None


def to_bytes(delivery: Delivery) -> bytes:
    """Return a delivery as bytes; ``from_bytes`` returns it again."""
    bodies = [_arrow(each.table) for each in delivery.readings]
    head = {
        "source": delivery.source,
        "position": delivery.position,
        "notes": dict(delivery.notes),
        "readings": [[each.machine_class, len(body)] for each, body in zip(delivery.readings, bodies, strict=True)],
        "events": [] if delivery.events is None else event_rows(delivery.events),
        "rejections": [asdict(each) for each in delivery.rejections],
        "dead_letters": [_letter(each) for each in delivery.dead_letters],
    }
    return b"\n".join([json.dumps(head).encode(), b"".join(bodies)])


def from_bytes(payload: bytes) -> Delivery:
    """Return the delivery that ``to_bytes`` wrote."""
    line, _, body = payload.partition(b"\n")
    head = json.loads(line)
    readings, at = [], 0
    for machine_class, length in head["readings"]:
        with pa.ipc.open_stream(pa.py_buffer(body[at : at + length])) as reader:
            readings.append(Readings(machine_class, reader.read_all()))
        at += length
    return Delivery(
        source=head["source"],
        readings=tuple(readings),
        events=events_of(head["events"]) if head["events"] else None,
        rejections=tuple(Rejection(**each) for each in head["rejections"]),
        position=head["position"],
        notes=head["notes"],
        dead_letters=tuple(
            DeadLetter(
                kind=each["kind"],
                body=b64decode(each["body"]),
                reason=each["reason"],
                arrived=datetime.fromisoformat(each["arrived"]),
                head=each["head"],
            )
            for each in head["dead_letters"]
        ),
    )


def event_rows(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Return events as plain values, as ``POST /api/v1/events`` takes them."""
    return [
        {
            **{name: row[name] for name in ("machine", "kind", "component", "code", "note")},
            "time": row["time"].isoformat(),
            "end": None if pd.isna(row["end"]) else row["end"].isoformat(),
            "value": None if pd.isna(row["value"]) else float(row["value"]),
        }
        for row in events.to_dict("records")
    ]


def events_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the events that ``event_rows`` wrote down."""
    return events_table(
        Event(
            **{
                **row,
                "time": datetime.fromisoformat(row["time"]),
                "end": None if row["end"] is None else datetime.fromisoformat(row["end"]),
            }
        )
        for row in rows
    )


def _next_whole(data: bytes, at: int, before: int) -> Found | None:
    """Look for the next record behind bytes that were altered, by its number."""
    for place in _marks(before).finditer(data, at + 8):
        found = record_at(data, place.start() - 8)
        if found is not None and before < found.number <= before + _LOOKED_FOR:
            return found
    return None


def _marks(before: int) -> re.Pattern[bytes]:
    """Return what finds the numbers of the next records, also where one begins within another."""
    ends: dict[bytes, bytearray] = {}
    for number in range(before + 1, before + 1 + _LOOKED_FOR):
        mark = struct.pack("<Q", number)
        ends.setdefault(mark[1:], bytearray()).append(mark[0])
    # The lowest byte differs, the others are alike: so one look at the bytes finds the nearest of all these numbers.
    either = b"|".join(b"[%s]%s" % (re.escape(bytes(first)), re.escape(rest)) for rest, first in ends.items())
    return re.compile(b"(?s)(?=%s)" % either)


def _checksum(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<IQ", len(payload), number)))


def _arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_LZ4) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "kind": letter.kind,
        "body": b64encode(letter.body).decode(),
        "reason": letter.reason,
        "arrived": letter.arrived.isoformat(),
        "head": dict(letter.head),
    }
