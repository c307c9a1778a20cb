from datetime import UTC, datetime

import pytest

from features.extract import extract
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from tests.features.table_history import TableHistory, after
from tests.models.pumps import HOURS, MACHINES, PLANT, pump_entry, pump_history


@pytest.fixture(scope="session")
def pumps() -> TableHistory:
    return pump_history()


@pytest.fixture(scope="session")
def seal_risk(pumps: TableHistory) -> Bundle:
    """A failure risk fitted to the whole history of the pumps."""
    return fitted(pumps)


@pytest.fixture(scope="session")
def strange_pump() -> Bundle:
    """An anomaly model fitted to pumps that never failed."""
    return fitted(pump_history(failures=False), name="strange pump", task="anomaly")


def fitted(history: TableHistory, **fields: object) -> Bundle:
    entry, end = pump_entry(**fields), after(hours=HOURS)
    recipe = recipe_until(PLANT, history, entry, end)
    table = extract(recipe, history, MACHINES, datetime(2000, 1, 1, tzinfo=UTC), end)
    return fit_bundle(entry, PLANT, recipe, table, history.events(), end)
