"""The backtest is what a replay round by round through the path of live operation gives."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.store import Store
from tests.features.table_history import after
from tests.models.pumps import PLANT, pump_entry, pump_history
from tests.trials.replayed import compare


@pytest.mark.slow(seconds=8)
@pytest.mark.parametrize(("task", "hours"), [("failure_risk", 8), ("anomaly", 4)])
def test_the_alerts_of_a_backtest_are_those_that_live_rounds_raise(tmp_path: Path, task: str, hours: int) -> None:
    entry = pump_entry(name="pump", task=task, false_alarms_per_machine_year=50)
    plant = PLANT.model_copy(update={"models": [entry]})
    pumps = pump_history()
    with closing(Store(tmp_path / "readings")) as store:
        store.append(pumps.read("pump"), source="test", position="")
        store.add_events(pumps.events(), source="test")
        found = compare(plant, store, entry, tmp_path, timedelta(hours=hours), start=after(hours=424))

    assert found.equal
    assert len(found.live) >= 2
