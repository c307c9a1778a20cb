"""Upkeep: every duty is seen to, whatever becomes of the others."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from ingest.errors import StoreBusyError
from service import upkeep
from service.control_room import ControlRoom
from tests.service.conftest import Works

NOW = datetime(2026, 5, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("error", [StoreBusyError("busy"), OSError("no such disk"), ZeroDivisionError()])
def test_a_duty_that_fails_holds_up_no_other(works: Works, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fails(room: ControlRoom, now: datetime, worker: str) -> None:
        raise error

    def done(room: ControlRoom, now: datetime, worker: str) -> None:
        seen.append((now, worker))

    monkeypatch.setattr(upkeep, "DUTIES", {"this": fails, "that": done})

    upkeep.keep_up(works.room, NOW, worker="here")

    assert seen == [(NOW, "here")]


def test_a_plant_that_asks_for_nothing_has_nothing_left_undone(works: Works) -> None:
    with capture_logs() as logged:
        upkeep.keep_up(works.room, NOW, worker="here")

    assert logged == []
