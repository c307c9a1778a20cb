"""What the models said of one machine, read back without reading what they said of others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen, remove

from ingest.database import Database
from models.assessment import Assessments, Reason
from models.life.life import Life
from service.database import assessment_table
from service.levels import level_histories, newest_levels
from service.watch import keep_assessments
from tests.ready_state import open_state

START = datetime(2026, 1, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Database]:
    state = open_state(tmp_path / "state.db")
    said = [
        {
            "model": model,
            "machine": machine,
            "time": hour(at),
            "version": "v",
            "level": None if at == 2 else at / 10,
            "reason": "no data" if at == 2 else "ok",
            "threshold": threshold + at / 100,
        }
        for model, threshold in (("wear", 0.5), ("leak", 0.3))
        for machine in ("press-1", "press-2")
        for at in range(5)
        if (model, machine) != ("wear", "press-2")
    ]
    with state.write() as connection:
        connection.execute(assessment_table.insert(), said)
    yield state
    state.close()


def test_each_model_that_spoke_of_the_machine_has_a_history(state: Database) -> None:
    leak, wear = level_histories(state, "press-1", hour(0), hour(3))

    assert (leak.model, wear.model) == ("leak", "wear")
    assert (leak.threshold, wear.threshold) == pytest.approx((0.33, 0.53))
    assert wear.series.value.tolist() == [0.1, 0.3]
    assert wear.series.time.tolist() == [hour(at).replace(tzinfo=None) for at in (1, 3)]
    assert [each.model for each in level_histories(state, "press-2", hour(0), hour(3))] == ["leak"]
    assert level_histories(state, "press-1", hour(4), hour(9)) == []


def test_a_model_that_could_say_nothing_has_an_empty_history(state: Database) -> None:
    (leak, _) = level_histories(state, "press-1", hour(1), hour(2))

    assert len(leak.series) == 0
    assert leak.series.time.dtype == np.dtype("datetime64[us]")


def test_a_machines_history_is_sought_and_not_picked_out_of_all(state: Database) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    listen(Engine, "before_cursor_execute", note)
    level_histories(state, "press-1", hour(0), hour(3))
    remove(Engine, "before_cursor_execute", note)

    with state.read() as connection:
        plans = [
            row.detail
            for statement, values in asked
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert any("model=? AND machine=? AND time>?" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN")]


def test_a_remaining_life_is_kept_with_its_level_and_read_back(state: Database) -> None:
    lives = np.array([[10.0, 12.0, 20.0, 30.0, 45.0, np.inf, np.inf], np.full(7, np.nan)])
    said = Assessments(
        model="life",
        version="v",
        machine=np.array(["press-1", "press-2"], object),
        time=np.array(["2026-01-01T01:00", "2026-01-01T01:00"], "datetime64[us]"),
        level=np.array([0.4, 0.001]),
        reason=np.array([Reason.OK.value, Reason.NOT_DEGRADING.value], object),
        threshold=0.5,
        life=lives,
        reach=100.0,
    )
    with state.write() as connection:
        keep_assessments(connection, [said])
    worn, quiet = newest_levels(state, [("life", "press-1"), ("life", "press-2")], until=hour(2))

    assert worn.life == Life(12.0, 30.0, np.inf, 100.0)
    assert quiet.life is None
    assert (quiet.level, quiet.reason) == (0.001, Reason.NOT_DEGRADING)
