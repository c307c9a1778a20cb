"""Loads: what the records of a spool come to as requests, each of which can be halved."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import pyarrow as pa

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.spool import Record
from ingest.spool_record import event_rows

_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")
_JSON = "application/json"

CELLS_IN_A_LOAD = 1_000_000
EVENTS_IN_A_LOAD = 100
"""As many as the centre lists faults of, so that each event that it turns away is known."""
LETTERS_IN_A_LOAD = 100


@dataclass(frozen=True, slots=True)
class Load:
    """Rows for one address of the centre.

    Attributes
    ----------
    path : behind the centre's address
    name : names the load among all that were ever sent; a part of it is named by its rows, too
    rows : a table of readings, events as plain values, or dead letters
    source : who brought it
    begin : place of the first row in the whole
    """

    path: str
    media_type: str
    name: str
    rows: Any
    encode: Callable[["Load"], bytes]
    source: str = ""
    begin: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def key(self) -> str:
        """Its idempotency key: the same whenever it is sent again."""
        return f"{self.name}:{self.begin}+{len(self)}"

    def body(self) -> bytes:
        """Return it as bytes."""
        return self.encode(self)

    def parts(self, most: int) -> Iterator[Self]:
        """Give the load in pieces of at most so many rows."""
        for begin in range(0, len(self), most):
            rows = self.rows.slice(begin, most) if isinstance(self.rows, pa.Table) else self.rows[begin : begin + most]
            yield replace(self, rows=rows, begin=self.begin + begin)


def loads_of(spool: str, records: Sequence[Record]) -> Iterator[Load]:
    """Give what records come to, the readings of each class in the order of their arrival.

    A machine is of one class, so that its order is kept.

    Parameters
    ----------
    spool : name of the spool, no two of which have the same
    """
    name = f"{spool}:{records[0].number}-{records[-1].number}"
    deliveries = [each.delivery for each in records]
    tables: dict[str, list[pa.Table]] = {}
    for part in (each for delivery in deliveries for each in delivery.readings):
        if part.table.num_rows:
            tables.setdefault(part.machine_class, []).append(part.table)
    for place, some in enumerate(tables.values()):
        table = pa.concat_tables(some, promote_options="default")
        whole = Load("/api/v1/readings", "application/vnd.apache.arrow.stream", f"{name}:r{place}", table, _arrow)
        yield from whole.parts(max(1, CELLS_IN_A_LOAD // table.num_columns))
    events = [row for each in deliveries if each.events is not None for row in event_rows(each.events)]
    yield from Load("/api/v1/events", _JSON, f"{name}:e", events, _events).parts(EVENTS_IN_A_LOAD)
    letters: dict[str, list[DeadLetter]] = {}
    for each in deliveries:
        letters.setdefault(each.source, []).extend(each.dead_letters)
    for place, (source, those) in enumerate(letters.items()):
        yield from letters_load(f"{name}:d{place}", source, those).parts(LETTERS_IN_A_LOAD)


def letters_load(name: str, source: str, letters: Sequence[DeadLetter]) -> Load:
    """Return dead letters of one source as a load."""
    return Load("/api/v1/dead-letters", _JSON, name, list(letters), _letters, source)


def is_letters(load: Load) -> bool:
    """Whether the load is of dead letters."""
    return load.encode is _letters


def refused_letter(load: Load, reason: str, now: datetime) -> DeadLetter:
    """Return a load, as a whole, as a letter to be read again at the centre."""
    return DeadLetter(kind="arrow" if load.encode is _arrow else "event", body=load.body(), reason=reason, arrived=now)


def turned_away_letters(load: Load, faults: Sequence[tuple[str, str]], now: datetime) -> list[DeadLetter]:
    """Return the events that the centre turned away; of readings it keeps the letters itself.

    Parameters
    ----------
    faults : pairs of place, such as ``event 3``, and reason
    """
    if load.encode is not _events:
        return []
    return [
        DeadLetter(kind="event", body=json.dumps(load.rows[int(place) - 1]).encode(), reason=reason, arrived=now)
        for where, reason in faults
        if (place := where.removeprefix("event ")).isdecimal() and 1 <= int(place) <= len(load)
    ]


def first_arrival(delivery: Delivery) -> datetime | None:
    """Return when a delivery came, as far as it says so."""
    found = [part.table["arrived"][0].as_py() for part in delivery.readings if part.table.num_rows]
    found += [each.arrived for each in delivery.dead_letters]
    return min(found, default=None)


def _arrow(load: Load) -> bytes:
    sink = pa.BufferOutputStream()
    table = load.rows.combine_chunks()
    with pa.ipc.new_stream(sink, table.schema, options=_ZSTD) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _events(load: Load) -> bytes:
    return json.dumps(load.rows).encode()


def _letters(load: Load) -> bytes:
    letters = [
        {
            "kind": each.kind,
            "base64": b64encode(each.body).decode(),
            "reason": each.reason[:10_000],
            "arrived": each.arrived.isoformat(),
            "head": dict(each.head),
        }
        for each in load.rows
    ]
    return json.dumps({"source": load.source, "letters": letters}).encode()
