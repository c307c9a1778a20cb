"""A line stands when all machines that tell what they do stand, and then nobody is called about its machines."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.event import Event, EventKind, events_table
from ingest.store import Store
from service.alerts.pipeline.stopped_lines import keep_stopped_lines, stopped_lines_at
from tests.service.called_plant import HOUR, MINUTE, MONDAY, called, plant_of

WORDS: dict[str, Any] = {"production": {"words": {"running": ["auto"], "stopped": ["halt"], "idle": ["wait"]}}}
PLANT = plant_of([{"name": "all", "targets": "phone", "group_wait": "0 s"}], **WORDS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


def tell(store: Store, machine: int, kind: EventKind, code: str, begin: float, end: float | None = None) -> None:
    over = None if end is None else MONDAY + end * HOUR
    event = Event(machine=f"press-{machine}", kind=kind, code=code, time=MONDAY + begin * HOUR, end=over)
    store.add_events(events_table([event]), source="test")


def lines(store: Store, hour: float) -> list[str]:
    return sorted(stopped_lines_at(PLANT, store, MONDAY + hour * HOUR))


def test_a_line_stands_while_all_that_tell_stand(store: Store) -> None:
    tell(store, 0, "state", "halt", 1)
    tell(store, 1, "state", "auto", 0)
    assert lines(store, 2) == []
    tell(store, 1, "state", "wait", 2)
    assert lines(store, 3) == ["A"], "press-2 tells nothing and is not asked"
    tell(store, 0, "state", "auto", 4)
    assert lines(store, 5) == []


def test_one_machine_that_tells_is_no_line(store: Store) -> None:
    tell(store, 0, "state", "halt", 1)

    assert lines(store, 2) == []


def test_a_word_that_nobody_explained_stops_no_line(store: Store) -> None:
    tell(store, 0, "state", "halt", 1)
    tell(store, 1, "state", "M37", 1)

    assert lines(store, 2) == []


def test_stops_count_while_they_last_and_without_an_end_until_something_else_is_told(store: Store) -> None:
    tell(store, 3, "stop", "jam", 1, 3)
    tell(store, 4, "stop", "jam", 1)
    assert lines(store, 2) == ["B"]
    assert lines(store, 3) == []
    tell(store, 3, "stop", "jam", 4, 9)
    assert lines(store, 5) == ["B"]
    tell(store, 4, "state", "auto", 6)
    assert lines(store, 7) == []


def test_a_round_keeps_what_stands_and_forgets_it_when_the_line_runs_or_rounds_stop(
    store: Store, tmp_path: Path
) -> None:
    tell(store, 0, "state", "halt", 0)
    tell(store, 1, "state", "halt", 0)
    with closing((world := called(tmp_path, PLANT)).state):
        world.now += HOUR
        assert keep_stopped_lines(PLANT, store, world.state, at=world.now) == []
        number = world.alert("press-2")
        assert world.messages() == []
        world.after(55 * MINUTE, step=5 * MINUTE)
        assert world.messages() == []
        world.after(10 * MINUTE, step=5 * MINUTE)
        assert world.messages() == [("raised", "phone", [number])], "no round said again that it stands"
        keep_stopped_lines(PLANT, store, world.state, at=world.now)
        tell(store, 0, "state", "auto", 3)
        world.now = MONDAY + 3.1 * HOUR
        keep_stopped_lines(PLANT, store, world.state, at=world.now)
        world.alert("press-2", "seal")
        assert len(world.messages()) == 2
