"""The tables of a store: made, completed, or refused."""

from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.catalogue import FORMAT
from ingest.database import Database
from ingest.errors import StoreError
from ingest.tables import NEWEST_FORMAT, ready_tables
from tests.ingest.conftest import DATABASES, Kept

KEPT = DATABASES


def formats(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(select(FORMAT.c.number)))


def test_tables_are_made_once_and_say_which_format_they_are_of(tmp_path: Path, kept: Kept) -> None:
    for _ in range(2):
        kept.open(tmp_path).close()
    with_tables = kept.open(tmp_path)

    assert formats(with_tables._database) == [NEWEST_FORMAT]
    with_tables.close()


def test_a_store_of_a_newer_andon_is_left_alone(tmp_path: Path, kept: Kept) -> None:
    store = kept.open(tmp_path)
    with store._database.write() as connection:
        connection.execute(FORMAT.update(), {"number": NEWEST_FORMAT + 1})
    store.close()

    with pytest.raises(StoreError, match=f"written by a newer Andon .format {NEWEST_FORMAT + 1}, .*up to"):
        kept.open(tmp_path)


def test_a_store_from_before_there_were_formats_is_completed(tmp_path: Path, kept: Kept) -> None:
    store = kept.open(tmp_path)
    with store._database.write() as connection:
        FORMAT.drop(connection)

    ready_tables(store._database)

    assert formats(store._database) == [NEWEST_FORMAT]
    store.close()
