"""When machines ran that report no states, from what their signals say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.production.bucket import NAMES
from features.production.inferred import two_levels
from features.production.plant_ledger import PlantLedger, plant_ledger
from ingest.event import Event
from ingest.plant import Plant
from tests.features.table_history import TableHistory

START = datetime(2026, 6, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def plant(**of_class: object) -> Plant:
    signal = {"name": "current", "unit": "A", "every": "1 min"}
    return Plant.model_validate(
        {
            "classes": [{"name": "press", "signals": [signal], **of_class}],
            "machines": [{"name": "m", "class": "press"}],
            "production": {"words": {"running": ["RUN"]}},
        }
    )


def test_two_levels_of_one_broad_one_are_not_believed() -> None:
    chance = np.random.default_rng(2)

    for values in (
        chance.normal(5, 1, 2000),
        chance.uniform(0, 10, 2000),
        chance.exponential(3, 2000),
        np.full(100, 4.0),
    ):
        assert two_levels(values) is None


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_two_levels_are_found_whatever_the_share_of_each(share: float) -> None:
    chance = np.random.default_rng(3)
    ran = chance.random(5000) < share
    values = np.where(ran, chance.normal(12, 1.5, 5000), chance.normal(1, 0.3, 5000))

    found = two_levels(values)

    assert found is not None
    assert found.low == pytest.approx(1, abs=0.2)
    assert found.high == pytest.approx(12, abs=0.3)
    assert ((values > found.threshold) == ran).mean() > 0.999


def test_how_sure_it_is_falls_as_the_levels_come_closer() -> None:
    chance = np.random.default_rng(4)

    sure = []
    for distance in (5.0, 8.0, 20.0):
        found = two_levels(np.concatenate([chance.normal(0, 1, 3000), chance.normal(distance, 1, 3000)]))
        assert found is not None
        sure.append(found.sure)

    assert sure == sorted(sure)
    assert sure[0] < 0.9985
    assert sure[-1] > 0.9999


def hours_of(found: PlantLedger) -> dict[str, float]:
    sums = {name: int(found.table[name].sum()) / 3.6e9 for name in NAMES}
    return {name: round(value, 2) for name, value in sums.items() if value}


def ten_hours(*events: Event) -> TableHistory:
    """Return a machine that runs for six hours, stands for two, and runs again for two; read each minute."""
    chance = np.random.default_rng(5)
    times = [START + each * MINUTE for each in range(-60, 661)]
    ran = [not 360 <= each < 480 for each in range(-60, 661)]
    current = np.where(ran, chance.normal(12, 1.5, len(ran)), chance.normal(1, 0.3, len(ran)))
    return TableHistory(pd.DataFrame({"machine": "m", "time": times, "current": current}), events)


TEN_HOURS = START + 600 * MINUTE


def test_a_machine_that_reports_no_states_is_told_by_two_levels_of_its_power() -> None:
    found = plant_ledger(plant(power="current"), ten_hours(), ["m"], START, TEN_HOURS)

    assert hours_of(found) == {"unrated": 8, "stopped": 2}
    assert "two levels of current" in found.inferred["m"].how
    assert found.inferred["m"].sure == pytest.approx(1, abs=1e-3)


def test_a_machine_that_reports_no_states_is_told_by_the_expression_of_its_class() -> None:
    found = plant_ledger(plant(running="current > 5"), ten_hours(), ["m"], START, TEN_HOURS)

    assert hours_of(found) == {"unrated": 8, "stopped": 2}
    assert (found.inferred["m"].how, found.inferred["m"].sure) == ("by 'current > 5'", None)


def test_signals_are_not_asked_where_states_are_told() -> None:
    told = Event(machine="m", kind="state", time=START, code="RUN")

    found = plant_ledger(plant(power="current"), ten_hours(told), ["m"], START, TEN_HOURS)

    assert hours_of(found) == {"unrated": 10}
    assert found.inferred == {}


def test_where_nothing_says_when_it_ran_all_is_unknown() -> None:
    assert hours_of(plant_ledger(plant(), ten_hours(), ["m"], START, TEN_HOURS)) == {"unknown": 10}


def test_a_signal_that_fell_silent_says_nothing() -> None:
    history = ten_hours()
    history.readings = history.readings[history.readings["time"] < START + 300 * MINUTE]

    found = hours_of(plant_ledger(plant(running="current > 5"), history, ["m"], START, TEN_HOURS))

    assert found == {"unrated": round(304 / 60, 2), "unknown": round(296 / 60, 2)}
