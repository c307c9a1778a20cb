"""A full disk is told of by the log and by a metric, whatever was asked for."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from math import sin
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry, Counter

from service.full_disk import LOG_SECONDS, FullDisk
from service.structured_logs import configure_logs


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    lines = io.StringIO()
    configure_logs(stream=lines)
    yield lines
    structlog.reset_defaults()


def told(log: io.StringIO) -> list[dict[str, Any]]:
    return [each for line in log.getvalue().splitlines() if (each := json.loads(line))["event"] == "disk full"]


@pytest.mark.parametrize("path", ["events", "readings"])
def test_a_request_that_finds_no_room_leaves_a_line_and_is_counted(works: Any, log: io.StringIO, path: str) -> None:
    with works.room.store._database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    times = [(works.now - timedelta(seconds=number)).isoformat() for number in range(2_000)]
    event = {"machine": "press-1", "kind": "inspection"}
    rows = {
        "events": [{**event, "time": time} for time in times],
        "readings": [{"machine": "press-1", "time": time, "temperature": 60 + sin(n)} for n, time in enumerate(times)],
    }

    for _ in range(2):
        response = works.client.post(f"/api/v1/{path}", json=rows[path])
        assert response.status_code == 507, response.text

    (line,) = told(log)
    assert line["path"] == f"/api/v1/{path}"
    assert "the disk is full" in line["why"]
    assert "andon_requests_disk_full_total 2.0" in works.client.get("/metrics").text


def test_one_line_a_minute_says_how_many_requests_it_stands_for(log: io.StringIO) -> None:
    seconds = [0.0]
    disk = FullDisk(Counter("full", "-", registry=CollectorRegistry()), lambda: seconds[0])

    for now in (0.0, 1.0, LOG_SECONDS - 1, LOG_SECONDS, LOG_SECONDS + 1):
        seconds[0] = now
        disk.note("/api/v1/events", "no room")

    assert [each["requests"] for each in told(log)] == [1, 3]
