"""Live push: everybody who listens gets the same bytes, and whoever comes back misses nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event as ThreadEvent
from typing import Any, cast

import pytest

from ingest.database import Database
from service.alerts import book
from service.api.alert_stream import LiveResponse
from service.delivery.live import Line, Listener, LiveAlerts, lines_after
from tests.ready_state import open_state
from tests.service.delivery.conftest import NOW
from tests.service.test_alerts_book import FINDING


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def happen(state: Database, count: int = 1, start: int = 0) -> None:
    with state.write() as connection:
        for each in range(start, start + count):
            book.raise_alert(connection, replace(FINDING, cause=f"cause {each}"), at=NOW)


def data(wire: bytes) -> list[dict[str, Any]]:
    lines = wire.decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def ids(stream: AsyncIterator[bytes], count: int) -> list[int]:
    """The ids of so many events."""
    found: list[int] = []
    async for wire in stream:
        found += [each["id"] for each in data(wire)]
        if len(found) >= count:
            break
    return found


def live(state: Database, **keys: Any) -> LiveAlerts:
    return LiveAlerts(lambda: state, **{"poll_seconds": 0.005, **keys})


def test_what_another_process_writes_comes_to_all_who_listen_encoded_once(state: Database, tmp_path: Path) -> None:
    async def play() -> None:
        alerts = live(state)
        listeners = [await alerts.join() for _ in range(20)]
        streams = [alerts.stream(each, None) for each in listeners]
        assert [await anext(each) for each in streams] == [b"id: 0\nretry: 2000\n\n"] * 20
        waiting = [asyncio.ensure_future(anext(each)) for each in streams]
        await asyncio.to_thread(happen, state)
        got = await asyncio.gather(*waiting)
        assert len({id(each) for each in got}) == 1
        (event,) = data(got[0])
        assert got[0].startswith(b"event: alert\n")
        assert (event["id"], event["alert"], event["happening"], event["machine"]) == (1, 1, "raised", "press-3")
        await alerts.close()

    asyncio.run(play())


def test_whoever_comes_back_gets_all_that_happened_meanwhile_and_then_what_happens(state: Database) -> None:
    happen(state, 700)

    async def play() -> None:
        alerts = live(state)
        stream = alerts.stream(await alerts.join(), 40)
        first = await ids(stream, 660)
        assert first == list(range(41, 701))
        await asyncio.to_thread(happen, state, 5, 700)
        assert await ids(stream, 5) == [701, 702, 703, 704, 705]
        await alerts.close()

    asyncio.run(play())


def test_what_happens_while_somebody_catches_up_comes_once(state: Database) -> None:
    happen(state, 600)

    async def play() -> None:
        alerts = live(state)
        stream = alerts.stream(await alerts.join(), 0)
        got = await ids(stream, 1)
        await asyncio.to_thread(happen, state, 100, 600)
        got += await ids(stream, 700 - len(got))
        assert got == list(range(1, 701))
        await alerts.close()

    asyncio.run(play())


def test_nobody_is_asked_for_news_while_nobody_listens(state: Database) -> None:
    async def play() -> None:
        asked = 0

        def counted() -> Database:
            nonlocal asked
            asked += 1
            return state

        alerts = LiveAlerts(counted, poll_seconds=0.005)
        listener = await alerts.join()
        await asyncio.wait_for(_until(lambda: asked >= 3), 10)
        alerts.leave(listener)
        task = alerts._task
        assert task is not None
        await asyncio.wait_for(task, 10)
        before = asked
        assert await asyncio.to_thread(lines_after, state, 0) == []
        assert asked == before

    asyncio.run(play())


def test_once_it_is_closed_nothing_is_asked_of_the_database(state: Database) -> None:
    """Else a connection comes back to a pool that is gone already."""
    asking, answers = ThreadEvent(), ThreadEvent()

    class Slow:
        @contextmanager
        def read(self) -> Iterator[Any]:
            with state.read() as connection:
                yield connection
                asking.set()
                assert answers.wait(10)

    async def play() -> None:
        alerts = LiveAlerts(lambda: cast(Database, Slow()), poll_seconds=0)
        answers.set()
        await alerts.join()
        answers.clear()
        asking.clear()
        await asyncio.to_thread(asking.wait, 10)
        closing = asyncio.ensure_future(alerts.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        answers.set()
        await asyncio.wait_for(closing, 10)
        assert alerts._task is not None
        assert alerts._task.done()

    asyncio.run(play())


async def _until(fact: Any) -> None:
    while not fact():
        await asyncio.sleep(0.005)


def test_a_listener_that_is_too_slow_is_cut_off_and_holds_nothing() -> None:
    async def play() -> None:
        listener = Listener(most=10)
        for number in range(10):
            listener.give([Line(number, "press-1", b"x")])
        assert not listener.over.is_set()
        listener.give([Line(10, "press-1", b"x")])
        assert listener.over.is_set()
        assert await listener.next(0) == []

    asyncio.run(play())


def test_silence_is_broken_now_and_then_so_that_nobody_takes_us_for_lost(state: Database) -> None:
    async def play() -> None:
        alerts = live(state, keep_alive_seconds=0.02)
        stream = alerts.stream(await alerts.join(), None)
        await anext(stream)
        assert await anext(stream) == b": ping\n\n"
        await alerts.close()

    asyncio.run(play())


def test_a_client_that_reads_nothing_is_let_go_even_while_we_wait_to_send(state: Database) -> None:
    happen(state, 3)

    async def play() -> None:
        alerts = live(state, most_waiting=5)
        listener = await alerts.join()
        blocked = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                blocked.set()
                await asyncio.Event().wait()

        async def receive() -> Any:
            await asyncio.Event().wait()

        response = LiveResponse(alerts, listener, alerts.stream(listener, 0))
        answering = asyncio.ensure_future(response({"type": "http"}, receive, send))
        await blocked.wait()
        await asyncio.to_thread(happen, state, 20, 3)
        await asyncio.wait_for(answering, 10)
        assert alerts._listeners == set()
        await alerts.close()

    asyncio.run(play())


def test_a_server_that_ends_ends_all_streams(state: Database) -> None:
    async def play() -> None:
        alerts = live(state)
        stream = alerts.stream(await alerts.join(), None)
        await anext(stream)
        alerts.ending = lambda: True
        assert [each async for each in stream] == []
        await alerts.close()

    asyncio.run(play())


def test_a_stream_that_the_server_ends_is_ended_once(state: Database) -> None:
    async def play() -> list[bool]:
        alerts = live(state, keep_alive_seconds=5)
        listener = await alerts.join()
        ends: list[bool] = []
        listening = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                ends.append(not message.get("more_body", False))
                listening.set()

        async def receive() -> Any:
            await asyncio.Event().wait()

        response = LiveResponse(alerts, listener, alerts.stream(listener, None))
        answering = asyncio.ensure_future(response({"type": "http"}, receive, send))
        await listening.wait()
        await asyncio.sleep(0.05)
        alerts.ending = lambda: True
        await asyncio.wait_for(answering, 10)
        await alerts.close()
        return ends

    assert asyncio.run(play()) == [False, True]
