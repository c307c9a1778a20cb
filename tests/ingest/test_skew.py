"""A clock that runs ahead or behind shows in when its readings arrive; a slow network and a file do not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest import skew
from ingest.decode.old import why_old
from ingest.plant import Machine, MachineClass, Plant, Signal, Source
from ingest.reading import Readings, readings_schema
from ingest.report import Rejection
from ingest.skew import clock_problems, skews
from ingest.sources.files import ingest_files
from ingest.store import Store
from tests.ingest.conftest import START

MINUTE = timedelta(minutes=1)
NAMES = ("m1", "m2", "m3")
PLANT = Plant(
    classes=[MachineClass(name="press", signals=[Signal(name="a")])],
    machines=[Machine(name=name, machine_class="press") for name in NAMES],
)


def send(store: Store, machine: str, delay: Callable[[int], float], *, rows: int = 100) -> None:
    """Give a machine one reading a minute, each of which arrives so many minutes after its time."""
    times = [START + minute * MINUTE for minute in range(rows)]
    keep(store, machine, times, [time + delay(minute) * MINUTE for minute, time in enumerate(times)])


def keep(store: Store, machine: str, times: Sequence[datetime], arrived: Sequence[datetime]) -> None:
    columns = {"machine": [machine] * len(times), "time": times, "arrived": arrived, "a": [1.0] * len(times)}
    table = pa.table(columns, schema=readings_schema(("a",)))
    store.append(Readings("press", table), source="s", position=machine)


def test_readings_that_arrive_at_once_are_no_finding(store: Store) -> None:
    send(store, "m1", lambda minute: 0.1)
    assert clock_problems(PLANT, store) == []
    (found,) = skews(PLANT, store)
    assert (found.machine, found.rows, found.delay) == ("m1", 100, 0.1 * MINUTE)


def test_a_clock_that_is_ahead_is_named(store: Store) -> None:
    send(store, "m1", lambda minute: 0.0)
    send(store, "m2", lambda minute: -5.0 + minute % 2 / 10)
    (line,) = clock_problems(PLANT, store)
    assert line.startswith("machine 'm2': its clock seems 5 min ahead of ours (the newest 100 rows took from -300 to ")


def test_a_clock_that_is_steadily_behind_is_named(store: Store) -> None:
    send(store, "m3", lambda minute: 60.0 + minute % 3 / 10)
    (line,) = clock_problems(PLANT, store)
    assert line.startswith("machine 'm3': its clock seems 60 min behind ours (")
    assert line.endswith("set it right, or look at time_zone")


@pytest.mark.parametrize(
    "delay",
    [lambda minute: 60.0 - minute % 60, lambda minute: 10.0, lambda minute: -0.5],
    ids=["sent once an hour", "ten minutes late", "half a minute ahead"],
)
def test_what_a_network_does_is_no_finding(store: Store, delay: Callable[[int], float]) -> None:
    send(store, "m1", delay)
    assert clock_problems(PLANT, store) == []


def test_a_file_of_long_ago_is_no_finding(store: Store) -> None:
    times = [START + minute * MINUTE for minute in range(100)]
    keep(store, "m1", times, [START + timedelta(days=900)] * 100)
    assert clock_problems(PLANT, store) == []


def test_only_the_newest_rows_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skew, "ROWS_LOOKED_AT", 100)
    send(store, "m1", lambda minute: -5.0 if minute < 300 else 0.0, rows=500)
    assert clock_problems(PLANT, store) == []
    (found,) = skews(PLANT, store)
    assert 90 <= found.rows <= 110


def test_rows_that_were_turned_away_as_too_far_ahead_are_counted_by_source(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("machine,time,a\nm1,2026-01-01T01:00Z,1\nm1,2026-01-01T02:00Z,2\nm1,2025-12-31,3\n")
    source = Source(name="line 3", path="a.csv", machine="machine", time="time")
    plant = PLANT.model_copy(update={"sources": [source], "folder": tmp_path})
    ingest_files(plant, store, now=START)
    assert clock_problems(plant, store) == [
        "source 'line 3': 2 rows were turned away, because they were more than 15 min ahead of their arrival;"
        " is its clock or time_zone right?"
    ]


def test_rows_of_a_clock_that_lost_the_time_are_counted_by_source(store: Store) -> None:
    old = Rejection(1, "time", "1970-01-01", why_old(START, PLANT.old_after))
    store.reject([old, replace(old, line=2)], source="hall")
    assert clock_problems(PLANT, store) == [
        "source 'hall': 2 rows were turned away, because they were more than 3650 d older than their arrival;"
        " did its clock lose the time?"
    ]
