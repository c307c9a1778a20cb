"""The bell of live pages: it rings for what whoever listens may see, beats all the while, and ends in time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ingest.database import Database
from service.alerts import book
from service.dashboard.live import bell
from service.dashboard.render import STATIC
from service.delivery.live import LiveAlerts
from tests.ready_state import open_state
from tests.service.delivery.conftest import NOW
from tests.service.test_alerts_book import FINDING

BUDGET = 120_000
"""Bytes of scripts and styles that a page may ask for, as they are."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", "")
    yield opened
    opened.close()


def happen(state: Database, machine: str, cause: str = "bearing") -> None:
    with state.write() as connection:
        book.raise_alert(connection, replace(FINDING, machine=machine, cause=cause), at=NOW)


def fields(wire: bytes) -> list[tuple[str, str, str]]:
    """Event, id and data of each event."""
    events = [dict(line.split(": ", 1) for line in each.splitlines()) for each in wire.decode().strip().split("\n\n")]
    return [(each["event"], each["id"], each["data"]) for each in events]


def listening(
    state: Database, shown: frozenset[str] | None, after: int | None = 0, **options: Any
) -> Callable[[], AsyncGenerator[bytes]]:
    alerts = LiveAlerts(lambda: state, poll_seconds=0.005)

    async def stream() -> AsyncGenerator[bytes]:
        listener = await alerts.join()
        told = bell(alerts, listener, after, shown, lambda: "14:03:22", **{"beat_seconds": 0.05, **options})
        try:
            async for wire in told:
                yield wire
        finally:
            await cast(AsyncGenerator[bytes], told).aclose()
            alerts.leave(listener)
            await alerts.close()

    return stream


def heard(stream: Callable[[], AsyncGenerator[bytes]], most: int) -> list[tuple[str, str, str]]:
    async def play() -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        opened = stream()
        async for wire in opened:
            found += fields(wire)
            if len(found) >= most:
                break
        await opened.aclose()
        return found

    return asyncio.run(play())


def test_whoever_comes_back_hears_what_happened_since_the_page_was_made(state: Database) -> None:
    happen(state, "press-1")
    happen(state, "press-2")

    assert heard(listening(state, None, after=1), 2) == [("beat", "1", "14:03:22"), ("bell", "2", "14:03:22")]


def test_the_bell_does_not_ring_for_machines_out_of_reach(state: Database) -> None:
    happen(state, "hidden")
    happen(state, "press-1", "seal")
    happen(state, "hidden", "belt")

    assert {event for event, *_ in heard(listening(state, frozenset({"mixer-1"})), 5)} == {"beat"}
    assert "bell" in {event for event, *_ in heard(listening(state, frozenset({"press-1"})), 5)}


def test_it_beats_while_nothing_happens_and_ends_when_a_session_has_to_be_shown_again(state: Database) -> None:
    found = heard(listening(state, None, longest_seconds=0.3), 1000)

    assert {event for event, *_ in found} == {"beat"}
    assert 4 <= len(found) <= 8


def test_scripts_and_styles_are_small_and_bring_their_licences() -> None:
    files = [each for each in STATIC.rglob("*") if each.suffix in (".js", ".css")]
    foreign = [each for each in files if each.parent.name == "vendor"]

    assert sum(each.stat().st_size for each in files) <= BUDGET
    assert foreign
    for each in foreign:
        name, _, _ = each.name.partition(".min.")
        assert "WARRANTIES" in (each.parent / f"{name}.LICENSE").read_text(encoding="utf-8"), each.name
