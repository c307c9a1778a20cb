"""The outbox: what is written with a change is there when the change is, and gone when it is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.database import Database
from service.delivery.outbox import NoticeKind, put
from service.delivery.tables import notice_table
from tests.ready_state import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def test_a_message_stands_as_it_was_written_and_waits(state: Database) -> None:
    with state.write() as connection:
        message = put(connection, target="shift", kind=NoticeKind.RAISED, body={"machine": "pump-1"}, at=NOW, alert=7)
    with state.read() as connection:
        row = connection.execute(select(notice_table)).one()
    assert (row.message, row.target, row.kind, row.alert) == (message, "shift", "raised", 7)
    assert (row.body, row.state, row.due, row.tries) == ({"machine": "pump-1"}, "waiting", NOW, 0)


def _write_and_fail(state: Database) -> None:
    with state.write() as connection:
        put(connection, target="shift", kind=NoticeKind.RAISED, body={}, at=NOW)
        raise RuntimeError("killed")


def test_a_change_that_fails_leaves_no_message(state: Database) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        _write_and_fail(state)
    with state.read() as connection:
        assert connection.execute(select(notice_table)).all() == []
