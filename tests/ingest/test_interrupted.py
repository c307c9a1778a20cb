"""Sealing into object storage that is cut short at any step costs nothing and doubles nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ingest.database import Database, open_database
from ingest.errors import StoreError
from ingest.lake import Lake
from ingest.place import open_place
from ingest.store import Store
from tests.ingest.conftest import DATABASES, MakeReadings
from tests.object_server import ObjectServer, never, object_server

KEPT = DATABASES

ROWS = 8
REFUSED = 403


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    with object_server() as server:
        yield server


def appended(folder: Path, server: ObjectServer, make_readings: MakeReadings, name: str) -> Store:
    """A store with sealed readings of three days, and more in its log that make files be written anew."""
    store = Store(folder, rows_in_a_segment=ROWS, lake=server.address(name))
    for number in range(3):
        rows = [(f"m{number % 2}", float(day * 1440 + number * 7), {"a": number + day / 7}) for day in range(3)]
        store.append(make_readings(rows), source="s", position=f"{number}")
        if number < 2:
            store.seal()
    return store


def content(store: Store) -> list[dict[str, Any]]:
    return store.read("press").table.select(["machine", "time", "a"]).to_pylist()


class Nth:
    """Refuses the n-th request that changes something or lists."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, method: str, name: str) -> int | None:
        self.left -= 1
        return REFUSED if self.left == 0 else None


@pytest.mark.parametrize("way", ["fails", "loses"])
def test_sealing_that_fails_at_any_request_loses_nothing_and_works_again(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings, way: str
) -> None:
    failed = 0
    for number in range(1, 100):
        name = f"{way}-{number}"
        store = appended(tmp_path / name, server, make_readings, name)
        before = content(store)
        nth = Nth(number)
        setattr(server, way, nth)
        with suppress(StoreError):
            store.seal()
        setattr(server, way, never)
        if nth.left > 0:
            break
        failed += 1
        assert content(store) == before
        if number % 2:
            # As after a crash: what the process knew of its own files is gone.
            store.close()
            store = Store(tmp_path / name, rows_in_a_segment=ROWS, lake=server.address(name))
        store.append(make_readings([("m9", 0, {"a": 9.0})]), source="s", position="after")
        store.seal()
        assert content(store) == [*before, *content_of_machine(store, "m9")]
        assert store.find_damage() == []
        assert len(server.names(f"{name}/lake/")) == store.counts().segments
        if number % 2 == 0:
            # Who goes on knows its own files and removes them; only a crash leaves any that look like lost ones.
            assert server.names(f"{name}/damaged/") == []
        assert not list((tmp_path / name / "lake").iterdir())
        store.close()
    assert failed > 8


def content_of_machine(store: Store, machine: str) -> list[dict[str, Any]]:
    return [each for each in content(store) if each["machine"] == machine]


class Uncommitted:
    """A database that cannot commit the n-th transaction."""

    def __init__(self, database: Database, number: int) -> None:
        self.name = database.name
        self.left = number
        self._database = database
        self.read: Callable[[], Any] = database.read

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            yield connection
            self.left -= 1
            if self.left == 0:
                raise StoreError("not committed")

    def size(self) -> int:
        return self._database.size()

    def close(self) -> None:
        self._database.close()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_sealing_whose_commit_fails_leaves_all_as_it_was_and_its_files_go_at_the_next(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings, number: int
) -> None:
    store = appended(tmp_path, server, make_readings, "hall")
    before = content(store)
    database = Uncommitted(open_database(tmp_path / "readings.db"), number)
    lake = Lake(tmp_path / "lake", open_place(tmp_path / "lake", server.address()), database, ROWS)

    with pytest.raises(StoreError, match="not committed"):
        lake.seal()
    assert content(store) == before
    store.append(make_readings([("m0", 1, {"a": 9.0})]), source="s", position="after")
    lake.seal()

    assert len(content(store)) == len(before) + 1
    assert [each for each in content(store) if each["a"] != 9.0] == before
    assert len(server.names()) == store.counts().segments
    assert server.names("hall/damaged/") == []
    database.close()
    store.close()


def test_files_of_a_sealing_that_crashed_before_its_commit_are_put_aside_and_never_read(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    store = appended(tmp_path, server, make_readings, "hall")
    before = content(store)
    database = Uncommitted(open_database(tmp_path / "readings.db"), 1)
    with pytest.raises(StoreError):
        Lake(tmp_path / "lake", open_place(tmp_path / "lake", server.address()), database, ROWS).seal()
    unknown = len(server.names()) - store.counts().segments

    store.seal()

    assert unknown > 0
    assert len(server.names("hall/damaged/")) == unknown
    assert content(store) == before
    database.close()
    store.close()
