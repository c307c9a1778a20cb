from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.lake import ROWS_IN_A_SEGMENT
from ingest.place import Place, open_place
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from tests.object_server import lake_address
from tests.postgresql import schema

START = datetime(2026, 1, 1, tzinfo=UTC)

Row = tuple[str, float, Mapping[str, float | None]]
MakeReadings = Callable[..., Readings]


def readings_of(rows: Sequence[Row], signals: Sequence[str] = ("a", "b"), machine_class: str = "press") -> Readings:
    """Rows of (machine, minutes after START, values) as readings."""
    columns = {
        "machine": [machine for machine, _, _ in rows],
        "time": [START + timedelta(minutes=minutes) for _, minutes, _ in rows],
        "arrived": [START] * len(rows),
        **{name: [values.get(name) for _, _, values in rows] for name in signals},
    }
    return Readings(machine_class, pa.table(columns, schema=readings_schema(tuple(signals))))


@pytest.fixture
def make_readings() -> MakeReadings:
    return readings_of


@dataclass(frozen=True)
class Kept:
    """Where a store keeps its tables and its files; beside its folder when empty."""

    database: str = ""
    lake: str = ""

    def open(self, folder: Path, rows_in_a_segment: int = ROWS_IN_A_SEGMENT) -> Store:
        return Store(folder, rows_in_a_segment=rows_in_a_segment, database=self.database, lake=self.lake)

    def place(self, folder: Path) -> Place:
        """Where the files of a store lie, as another process sees it."""
        return open_place(folder / "lake", self.lake)


BESIDE = Kept()


def content_of(place: Place, path: str) -> bytes:
    with place.open(path, anew=True) as file:
        return file.read_at(file.size, 0)


def put_content(place: Place, path: str, content: bytes) -> None:
    with place.making(path) as local:
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content)


EVERYWHERE = ["sqlite, folder", "postgresql, folder", "sqlite, objects"]
"""Everything that a store can be kept in: what tests of the store itself run on."""

DATABASES = EVERYWHERE[:2]
"""Where the tables can be kept: for tests of tables, which do not touch the files of the lake."""


@contextmanager
def keeping(where: str) -> Iterator[Kept]:
    """Give a place of its own to keep a store in, of one of the kinds in ``EVERYWHERE``."""
    database, lake = where.split(", ")
    with ExitStack() as several:
        yield Kept(
            several.enter_context(schema()) if database == "postgresql" else "",
            several.enter_context(lake_address()) if lake == "objects" else "",
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that names several places in ``KEPT`` on each of them."""
    several = getattr(metafunc.module, "KEPT", None)
    if several and "kept" in metafunc.fixturenames:
        metafunc.parametrize("kept", several, indirect=True)


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    """What the stores of a test are kept in: beside their folder, unless its module says otherwise."""
    with keeping(getattr(request, "param", EVERYWHERE[0])) as kept:
        yield kept


@pytest.fixture(params=["folder", "objects"])
def kept_files(request: pytest.FixtureRequest) -> Iterator[Kept]:
    """Everything that the files of a store can be kept in."""
    if request.param == "folder":
        yield Kept()
        return
    with lake_address() as lake:
        yield Kept(lake=lake)


@pytest.fixture
def store(tmp_path: Path, kept: Kept) -> Iterator[Store]:
    store = kept.open(tmp_path / "data")
    yield store
    store.close()
