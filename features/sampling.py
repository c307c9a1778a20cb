"""How often readings come: those of a class taken together, and those of each of its signals."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from features.microsecond import EPOCH, MICROSECOND, Times, microseconds, moment
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass

MACHINES_LOOKED_AT = 5
READINGS_LOOKED_AT = 200
ROWS_LOOKED_AT = 1_000_000
"""Rows of one machine after which no more are read, however few readings of a signal were among them."""
_FIRST_PORTION = microseconds(timedelta(minutes=1))
_LONGEST_PORTION = microseconds(timedelta(days=8))


def sampling_interval(history: History, machine_class: MachineClass) -> timedelta:
    """Return the time between two readings of a class, whichever signals they are of.

    It is the shortest one that its signals declare; otherwise the median step of the first readings
    of some machines, so that readings which come later do not change it.

    Raises
    ------
    NotEnoughDataError
        When no signal declares one and no machine of the class has two readings.
    """
    signals = machine_class.slow_signals or machine_class.signals
    declared = [signal.every for signal in signals if signal.every]
    if declared:
        return min(declared)
    names = [signal.name for signal in signals] if machine_class.waveforms else None
    steps: list[int] = []
    for machine, first, last in _spans(history, machine_class, None):
        times = np.empty(0, np.int64)
        for table, _ in _portions(history, machine_class, machine, names, first, last):
            times = np.append(times, _times(table))
            if len(times) > READINGS_LOOKED_AT:
                break
        steps.extend(np.diff(times[: READINGS_LOOKED_AT + 1]).tolist())
    if not steps:
        raise NotEnoughDataError(_unknown(machine_class))
    return int(np.median(steps)) * MICROSECOND


def signal_intervals(
    history: History, machine_class: MachineClass, *, until: datetime | None = None
) -> dict[str, timedelta]:
    """Return the time between two readings of each signal of a class.

    It is the one that the signal declares; otherwise the median step of its own first readings on some
    machines, so that neither other signals nor later readings change it. Where it was not read twice
    on any of them, it is the longest span that was looked at: it comes more seldom than that.

    Parameters
    ----------
    until : newest time that may be looked at

    Raises
    ------
    NotEnoughDataError
        When no signal declares one and none was read twice on any machine.
    """
    known = {signal.name: signal.every for signal in machine_class.signals if signal.every}
    steps: dict[str, list[int]] = {signal.name: [] for signal in machine_class.signals if not signal.every}
    longest = timedelta(0)
    for machine, first, last in _spans(history, machine_class, until) if steps else ():
        times, looked_at = _first_times(history, machine_class, machine, list(steps), first, last)
        longest = max(longest, looked_at)
        for signal, own in times.items():
            steps[signal].extend(np.diff(own).tolist())
    known |= {signal: int(np.median(own)) * MICROSECOND for signal, own in steps.items() if own}
    if not known:
        raise NotEnoughDataError(_unknown(machine_class))
    seldom = max(longest, *known.values())
    return {signal.name: known.get(signal.name, seldom) for signal in machine_class.signals}


def _spans(history: History, machine_class: MachineClass, until: datetime | None) -> Iterator[tuple[str, int, int]]:
    """Yield some machines that had readings by then, with the times of the first and the newest one."""
    for machine, (first, newest) in sorted(history.spans(machine_class.name).items())[:MACHINES_LOOKED_AT]:
        last = newest if until is None else min(newest, until)
        if first <= last:
            yield machine, moment(first), moment(last)


def _first_times(
    history: History, machine_class: MachineClass, machine: str, signals: Sequence[str], first: int, last: int
) -> tuple[dict[str, Times], timedelta]:
    """Return the times of the first readings of each signal, and how long a span was looked at."""
    found = {signal: np.empty(0, np.int64) for signal in signals}
    looked = first
    for table, end in _portions(history, machine_class, machine, signals, first, last):
        looked, times = end, _times(table)
        for signal, own in found.items():
            if len(own) <= READINGS_LOOKED_AT:
                known = ~np.isnan(table[signal].to_numpy())
                found[signal] = np.append(own, times[known])[: READINGS_LOOKED_AT + 1]
        if all(len(own) > READINGS_LOOKED_AT for own in found.values()):
            break
    return found, (looked - first) * MICROSECOND


def _portions(
    history: History, machine_class: MachineClass, machine: str, signals: Sequence[str] | None, first: int, last: int
) -> Iterator[tuple[pa.Table, int]]:
    """Read a machine from its first reading on in portions that grow, each with its end; who needs few reads few."""
    begin, length, rows = first - 1, _FIRST_PORTION, 0
    while begin < last and rows < ROWS_LOOKED_AT:
        end = min(begin + length, last)
        table = history.read(
            machine_class.name,
            machines=[machine],
            signals=signals,
            start=EPOCH + begin * MICROSECOND,
            end=EPOCH + end * MICROSECOND,
        ).table
        yield table, end
        begin, length, rows = end, min(8 * length, _LONGEST_PORTION), rows + table.num_rows


def _times(table: pa.Table) -> Times:
    times: Times = table["time"].cast(pa.int64()).to_numpy()
    return times


def _unknown(machine_class: MachineClass) -> str:
    return (
        f"class '{machine_class.name}': no machine has two readings, so their interval is not known;"
        " ingest readings or declare 'every' for a signal"
    )
