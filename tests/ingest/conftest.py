from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.reading import Readings, readings_schema
from ingest.store import Store

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


@pytest.fixture
def store(tmp_path: Path, database: str) -> Iterator[Store]:
    store = Store(tmp_path / "data", database=database)
    yield store
    store.close()
