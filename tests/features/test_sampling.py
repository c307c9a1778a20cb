"""How often readings come, and that each signal is measured by its own readings."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from features.extract import extract
from features.recipe_for import recipe_for
from features.sampling import sampling_interval, signal_intervals
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import MachineClass, ModelEntry, Signal
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PUMP = MachineClass(name="pump", signals=[Signal(name="pressure"), Signal(name="wear")])
ENTRY = ModelEntry.model_validate(
    {"name": "strange", "task": "anomaly", "class": "pump", "horizon": "24 h", "windows": ["1 h", "12 h"]}
)


def _mixed(days: int = 20, machine: str = "m") -> pd.DataFrame:
    """Return a pressure every minute and, on the hour, how worn the machine is."""
    minutes = np.arange(days * 1440)
    return readings_frame(
        machine,
        minutes,
        pressure=np.sin(minutes / 30),
        wear=np.where(minutes % 60 == 0, minutes / 60, np.nan),
    )


def _known(table: FeatureTable, name: str) -> float:
    return float(np.isfinite(table.values[:, table.names.index(name)]).mean())


def _learnt(history: TableHistory) -> FeatureTable:
    """Return the last days, by a recipe that was chosen when only the first ones were known."""
    sampling = signal_intervals(history, PUMP, until=after(days=10))
    return extract(recipe_for(ENTRY, PUMP, sampling=sampling), history, ["m"], after(days=15), after(days=20))


def test_the_sampling_interval_is_the_declared_one_or_the_median_step() -> None:
    history = TableHistory(pd.concat([_minutes("a", 600, 5), _minutes("b", 4000, 7)]))
    declared = MachineClass(name="pump", signals=[Signal(name="pressure", every=HOUR), Signal(name="flow")])
    silent = MachineClass(name="pump", signals=[Signal(name="pressure")])

    assert sampling_interval(history, declared) == HOUR
    assert sampling_interval(history, silent) == 7 * MINUTE


def _minutes(machine: str, end: int, every: int) -> pd.DataFrame:
    minutes = np.arange(0, end + 1, every)
    return readings_frame(machine, minutes, pressure=minutes.astype(float))


def test_each_signal_has_its_own_interval() -> None:
    sampling = signal_intervals(TableHistory(pd.concat([_mixed(), _mixed(machine="n")])), PUMP)

    assert sampling == {"pressure": MINUTE, "wear": HOUR}


def test_a_declared_interval_goes_before_a_measured_one() -> None:
    machine_class = MachineClass(name="pump", signals=[Signal(name="pressure"), Signal(name="wear", every=2 * HOUR)])

    assert signal_intervals(TableHistory(_mixed()), machine_class) == {"pressure": MINUTE, "wear": 2 * HOUR}


def test_readings_after_a_moment_do_not_change_what_was_measured_until_then() -> None:
    early, late = _minutes("a", 600, 5), readings_frame("a", 700 + np.arange(4000) / 60, pressure=np.ones(4000))
    machine_class = MachineClass(name="pump", signals=[Signal(name="pressure")])
    early_alone, both = TableHistory(early), TableHistory(pd.concat([early, late]))

    assert signal_intervals(both, machine_class, until=after(minutes=600)) == {"pressure": 5 * MINUTE}
    assert signal_intervals(early_alone, machine_class) == {"pressure": 5 * MINUTE}


def test_no_interval_changes_when_readings_come_later() -> None:
    machine_class = MachineClass(name="pump", signals=[Signal(name="pressure")])
    early = readings_frame("m1", np.arange(210) * 2.0, pressure=np.ones(210))
    late = readings_frame("m1", 430 + np.arange(4000) / 60, pressure=np.ones(4000))

    for history in (TableHistory(early), TableHistory(pd.concat([early, late]))):
        assert sampling_interval(history, machine_class) == 2 * MINUTE
        assert signal_intervals(history, machine_class) == {"pressure": 2 * MINUTE}


def test_a_signal_that_was_not_read_twice_comes_more_seldom_than_was_looked_at() -> None:
    readings = _mixed().assign(wear=np.nan)

    assert signal_intervals(TableHistory(readings), PUMP)["wear"] == timedelta(days=20) - MINUTE


def test_a_machine_with_many_rows_is_not_read_to_its_end_for_a_signal_that_never_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("features.sampling.ROWS_LOOKED_AT", 2000)
    readings = _mixed(days=300).assign(wear=np.nan)

    assert signal_intervals(TableHistory(readings), PUMP)["wear"] < timedelta(days=10)


def test_an_unknown_interval_is_told() -> None:
    history = TableHistory(_minutes("a", 0, 5))
    machine_class = MachineClass(name="pump", signals=[Signal(name="pressure")])

    for measure in (sampling_interval, signal_intervals):
        with pytest.raises(NotEnoughDataError, match="class 'pump': no machine has two readings"):
            measure(history, machine_class)


def test_a_slow_signal_beside_a_fast_one_has_features_though_nobody_declared_how_often_it_comes() -> None:
    table = _learnt(TableHistory(_mixed()))

    assert _known(table, "pressure__mean__1h") == 1
    assert _known(table, "wear__mean__12h") == 1
    assert _known(table, "wear__slope__12h") == 1


@pytest.mark.parametrize("signal", ["pressure", "wear"])
def test_a_signal_that_goes_mostly_missing_is_told_as_missing(signal: str) -> None:
    readings = _mixed()
    hours = (readings["time"] - START) / HOUR
    readings.loc[(hours > 12 * 24) & (hours % 12 >= (1 if signal == "pressure" else 3)), signal] = np.nan

    table = _learnt(TableHistory(readings))

    other = "wear" if signal == "pressure" else "pressure"
    assert _known(table, f"{signal}__mean__12h") == 0
    assert _known(table, f"{other}__mean__12h") == 1
