"""Failures that the readings contradict: none before them, or a machine that ran on as if nothing had been."""

from datetime import timedelta

import numpy as np

from features.excluded import ran_throughout
from features.microsecond import moment
from features.running import Running
from features.sampling import signal_intervals
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass
from models.labels.problem import Failures, LabelKind, LabelProblem

MOST_LOOKED_AT = 100
"""Newest failures whose readings are looked at."""
BEFORE = timedelta(hours=24)
RUNS_ON = timedelta(hours=4)


def without_readings(failures: Failures, machine_class: MachineClass, history: History) -> list[LabelProblem]:
    """Find failures that nothing was read before."""
    rows = [row for row in _newest(failures) if not _read_before(failures, row, machine_class, history)]
    return failures.problem(
        LabelKind.NO_READINGS,
        rows,
        "have no reading of their machine in the 24 h before",
        "nothing can be learnt from them; see whether machine and time are right, or ingest those readings",
    )


def ran_on(failures: Failures, machine_class: MachineClass, history: History) -> list[LabelProblem]:
    """Find failures right through which the machine ran on; needs to be told when machines run."""
    try:
        running = Running.of(machine_class, signal_intervals(history, machine_class))
    except NotEnoughDataError:
        return []
    if running is None:
        return []
    rows = [row for row in _newest(failures) if _runs_through(failures, row, running, history)]
    return failures.problem(
        LabelKind.RAN_ON,
        rows,
        f'are such that the machine ran on for 4 h without a stop, by running = "{running.expression}"',
        "see whether they stopped the machine; if not, give them the kind 'error' or 'inspection'",
    )


def _newest(failures: Failures) -> list[int]:
    order = np.argsort(failures.table["time"].to_numpy("datetime64[us]"), kind="stable")
    return sorted(order[-MOST_LOOKED_AT:].tolist())


def _read_before(failures: Failures, row: int, machine_class: MachineClass, history: History) -> bool:
    machine, time = failures.table["machine"].iloc[row], failures.table["time"].iloc[row].to_pydatetime()
    found = history.read(machine_class.name, machines=[machine], signals=(), start=time - BEFORE, end=time)
    return found.table.num_rows > 0


def _runs_through(failures: Failures, row: int, running: Running, history: History) -> bool:
    """Whether the machine was known to run all the time from a failure on."""
    machine, time = str(failures.table["machine"].iloc[row]), failures.table["time"].iloc[row].to_pydatetime()
    start, end = moment(time), moment(time + RUNS_ON)
    return ran_throughout(running, history, failures.machine_class, machine, start, end)
