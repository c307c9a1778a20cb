"""Machines judged by models that have seen the beginning of their own history and nothing else."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ingest.errors import NotEnoughDataError
from models.judging.backtest import backtest
from tests.features.table_history import TableHistory, readings_frame
from tests.models.pumps import HOURS, MACHINES, PLANT, pump_entry, pump_history

BASELINE = {"name": "by itself", "task": "anomaly", "split": "baseline", "baseline": "10 d"}


def test_each_machine_is_judged_after_its_own_beginning() -> None:
    report = backtest(PLANT, pump_history(failures=False), pump_entry(**BASELINE))

    assert report.split == "baseline"
    assert len(report.thresholds) == len(MACHINES)
    weeks = len(MACHINES) * (HOURS / 24 - 10) / 7
    assert report.verdict.machine_weeks == pytest.approx(weeks, rel=0.1)


def test_machines_of_a_class_may_differ_as_much_as_they_like() -> None:
    hours = np.arange(HOURS)
    frames = [
        readings_frame(machine, hours * 60.0, vibration=10.0**place * (1 + 0.1 * noise(place)))
        for place, machine in enumerate(MACHINES)
    ]
    report = backtest(PLANT, TableHistory(pd.concat(frames)), pump_entry(**BASELINE))

    assert report.verdict.false <= 3


def noise(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(HOURS)


def test_a_beginning_that_is_too_short_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="windows of healthy time"):
        backtest(PLANT, pump_history(failures=False), pump_entry(**{**BASELINE, "baseline": "12 h"}))
