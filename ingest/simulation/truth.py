"""The truth that no sensor tells: when each degradation and each sensor fault began and ended."""

from itertools import takewhile

import pandas as pd

from ingest.simulation.degradation import Degradation
from ingest.simulation.happening import moment
from ingest.simulation.life import degradations
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.sensor_fault import SensorFault, sensor_faults

TRUTH_COLUMNS = (
    "machine",
    "machine_class",
    "kind",
    "component",
    "mode",
    "sudden",
    "began",
    "ended",
    "fails",
    "outcome",
    "signals",
)


def truth_table(scenario: Scenario, machine: SimulatedMachine) -> pd.DataFrame:
    """Return all that began before the scenario's end on one machine.

    Returns
    -------
    DataFrame with ``TRUTH_COLUMNS``, sorted by ``began``, all times ``datetime64[us, UTC]``
        ``kind`` : "degradation" or "sensor fault"
        ``component``, ``mode`` : what degrades and how; for a sensor fault the signal and the kind of fault
        ``sudden`` : a failure without any sign; it begins when it fails
        ``ended`` : failure, planned repair, or end of the sensor fault; may lie after the scenario's end
        ``fails`` : when it failed, or would have failed without planned maintenance; NaT for sensor faults
        ``outcome`` : "failed" or "prevented"; empty for sensor faults
        ``signals`` : what it moves and where to, such as "vibration + flow -"
    """
    faults = takewhile(lambda fault: fault.begin < scenario.end, sensor_faults(scenario, machine))
    rows = [
        *(_degradation_row(machine, each) for each in degradations(scenario, machine)),
        *(_fault_row(machine, each) for each in faults),
    ]
    table = pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))
    for column in ("began", "ended", "fails"):
        table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[us, UTC]")
    return table.sort_values(["began", "kind", "component"], kind="stable", ignore_index=True)


def _degradation_row(machine: SimulatedMachine, each: Degradation) -> tuple[object, ...]:
    mode = each.fate.mode
    moved = " ".join(f"{effect.signal} {'+' if effect.shift > 0 else '-'}" for effect in mode.effects)
    ended = None if each.ended is None else moment(each.ended)
    times = (moment(each.began), ended, moment(each.fails))
    kind = machine.kind.name
    return (machine.name, kind, "degradation", each.component, mode.name, mode.sudden, *times, each.outcome, moved)


def _fault_row(machine: SimulatedMachine, fault: SensorFault) -> tuple[object, ...]:
    sign = {True: f"{fault.signal} {'+' if fault.size > 0 else '-'}"}.get(fault.kind in ("drift", "offset"), "")
    times = (moment(fault.begin), moment(fault.end), None)
    kind = machine.kind.name
    return (machine.name, kind, "sensor fault", fault.signal, fault.kind, False, *times, "", sign or fault.signal)
