"""Structured logs: a line that cannot be written stops nothing."""

import errno
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ingest.delivery import Delivery
from ingest.errors import StoreError
from ingest.store import Store
from service.app import open_intake_of
from service.structured_logs import configure_logs


class Full(io.StringIO):
    """A log on a disk that is full until it is given room."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.fixture
def log() -> Iterator[Full]:
    lines = Full()
    configure_logs(stream=lines)
    yield lines
    structlog.reset_defaults()


def test_the_next_line_that_can_be_written_says_how_many_could_not(log: Full) -> None:
    for number in range(3):
        structlog.get_logger().info("round done", number=number)
    log.full = False
    structlog.get_logger().info("round done", number=3)
    structlog.get_logger().info("round done", number=4)

    assert [json.loads(each).get("lines_lost", 0) for each in log.getvalue().splitlines()] == [3, 0]


class Failing(Store):
    """A store on the disk of the log."""

    full = True

    def deliver(self, deliveries):  # type: ignore[no-untyped-def]
        if self.full:
            raise StoreError("the disk is full")
        return super().deliver(deliveries)


def test_where_the_log_shares_a_full_disk_with_the_data_readings_are_taken_once_there_is_room(
    tmp_path: Path, log: Full
) -> None:
    store = Failing(tmp_path)
    with open_intake_of(store) as intake:
        for _ in range(2):
            with pytest.raises(StoreError, match="disk is full"):
                intake.put(Delivery(source="api")).result(timeout=10)
        store.full = log.full = False
        assert intake.put(Delivery(source="api")).result(timeout=10).fresh
    store.close()
    assert json.loads(log.getvalue().splitlines()[-1])["event"] == "intake works again"
