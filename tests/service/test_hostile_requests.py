"""Requests made to cost much: memory stays bounded, and what is odd in them can be told."""

import asyncio
import json
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import psutil
import pyarrow as pa
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from ingest.plant import Machine, MachineClass, Plant, Signal
from service.api.body import BoundedBody, unpack
from service.api.events import MOST_EVENTS, read_events
from tests.processor import cpu_seconds
from tests.service.conftest import Works
from tests.trials.parsers import NOW, TIME, packed

MEGABYTE = 1_000_000


def memory() -> int:
    """Return the memory that this process has, in bytes."""
    return int(psutil.Process().memory_info().rss)


@dataclass
class Crowd:
    """Many requests at once, and an application that reads each body and then takes its time."""

    packed: bytes
    statuses: list[int] = field(default_factory=list)
    held: int = 0
    most_held: int = 0

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        self.held += len(body)
        self.most_held = max(self.most_held, self.held)
        await asyncio.sleep(0.05)
        self.held -= len(body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def send_all(self, count: int, bounded: BoundedBody) -> None:
        await asyncio.gather(*(self._send(bounded) for _ in range(count)))

    async def _send(self, bounded: BoundedBody) -> None:
        async def receive() -> Message:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": self.packed, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        headers = [(b"content-encoding", b"zstd")]
        await bounded({"type": "http", "path": "/", "method": "POST", "headers": headers}, receive, send)


@pytest.mark.parametrize("noise", [0, 40_000], ids=["a few bytes, unpacked at once", "more bytes, unpacked in threads"])
def test_many_packed_bodies_at_once_are_no_more_in_memory_than_was_said(noise: int) -> None:
    crowd = Crowd(packed(np.random.default_rng(1).bytes(noise) + bytes(8 * MEGABYTE), "zstd"))
    bounded = BoundedBody(crowd.app, limit=16 * MEGABYTE, together=32 * MEGABYTE)

    asyncio.run(crowd.send_all(60, bounded))

    assert crowd.most_held <= 32 * MEGABYTE
    assert set(crowd.statuses) == {204, 503}
    assert len(crowd.statuses) == 60


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bodies_that_are_cut_off_leave_no_memory_behind(encoding: str) -> None:
    torn = packed(bytes(200_000) + np.random.default_rng(1).bytes(200_000), encoding)[:-5]

    def refuse(count: int) -> None:
        for _ in range(count):
            with pytest.raises(HTTPException) as refused:
                unpack(torn, encoding, MEGABYTE)
            assert refused.value.status_code == 400

    refuse(20)
    before = memory()
    refuse(200)

    assert memory() - before < 20 * MEGABYTE


def test_many_events_of_unknown_machines_take_no_second() -> None:
    press = MachineClass(name="press", signals=[Signal(name="force")])
    machines = [Machine(name=f"press number {each}", machine_class="press") for each in range(5_000)]
    rows = [{"machine": f"press nmber {each}", "kind": "stop", "time": TIME} for each in range(MOST_EVENTS)]
    plant = Plant(classes=[press], machines=machines)

    assert cpu_seconds(lambda: read_events(rows, plant, NOW), enough=1) < 1

    events, faults = read_events(rows, plant, NOW)
    assert (events, len(faults)) == ([], MOST_EVENTS)
    assert "did you mean 'press number" in faults[0].reason


def test_an_event_with_very_many_keys_is_refused_in_few_words(works: Works) -> None:
    row = {"machine": "press-1", "kind": "stop", "time": TIME, **{f"k{each}": 1 for each in range(50_000)}}

    refused = works.client.post("/api/v1/events", json=[row])

    assert refused.status_code == 422
    assert len(refused.content) < 2_000


def test_half_a_character_in_a_key_of_an_event_can_be_told(works: Works) -> None:
    good = f'{{"machine":"press-1","kind":"stop","time":"{TIME}"}}'
    body = f'[{good},{good[:-1]},"\\ud800":1}}]'

    kept = works.client.post("/api/v1/events", content=body, headers={"Content-Type": "application/json"})

    assert (kept.status_code, kept.json()["rejected"]) == (201, 1)


def test_half_a_character_in_what_is_no_row_can_be_told(works: Works) -> None:
    body = f'[{{"machine":"press-1","time":"{TIME}","vibration":1}},"\\ud800"]'

    kept = works.client.post("/api/v1/readings", content=body, headers={"Content-Type": "application/json"})

    assert (kept.status_code, kept.json()["rejected"]) == (200, 1)
    assert kept.json()["errors"]


def test_deep_and_long_bodies_are_refused_by_every_address_at_once(works: Works) -> None:
    def refuse(address: str, body: bytes) -> None:
        answer = works.client.post(f"/api/v1/{address}", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, (address, answer.text[:200])

    addresses = ("alerts/1/close", "alerts/1/comment", "events", "dead-letters", "dead-letters/replay", "readings")
    for address in addresses:
        for body in (b"[" * MEGABYTE, b'{"a":' * (MEGABYTE // 5), b"9" * MEGABYTE, json.dumps("x" * MEGABYTE).encode()):
            assert cpu_seconds(partial(refuse, address, body), enough=1) < 1


def test_arrow_that_unpacks_to_much_is_refused(works: Works) -> None:
    table = pa.table({"machine": ["press-1"], "time": [NOW], "vibration": ["\0" * 100_000_000]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)

    refused = works.client.post(
        "/api/v1/readings",
        content=sink.getvalue().to_pybytes(),
        headers={"Content-Type": "application/vnd.apache.arrow.stream"},
    )

    assert refused.status_code == 422
    assert "unpacks to more than" in refused.json()["detail"]
