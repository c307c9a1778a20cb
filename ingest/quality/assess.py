"""Grade all signals of machines together: what most of them show at once is the machine's doing, not a sensor's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.catalogue import to_microseconds
from ingest.history import History
from ingest.plant import MachineClass, Plant, Signal
from ingest.quality.carriage import invalid, out_of_domain
from ingest.quality.counts import Counted, Counts
from ingest.quality.fault import Fault
from ingest.quality.grade import Grade, find_faults
from ingest.quality.series import Series, robust_deviation

SPAN = timedelta(days=30)
"""Newest part of the history that is graded."""

_NOTHING = Counts()
_STILL = 10
_JUMP = 8.0
_OFF = 0.03
_BESIDE = 3
_TOGETHER = frozenset({"drift", "erratic", "spike", "flat"})
"""Kinds that are no sensor's when half of a machine's signals show them, or a third of its class shows one."""


@dataclass(frozen=True, slots=True)
class SignalGrade:
    """The grade of one signal of one machine."""

    machine: str
    signal: str
    grade: Grade


def assess(
    history: History,
    plant: Plant,
    machine_class: MachineClass,
    *,
    machines: Sequence[str] | None = None,
    until: datetime | None = None,
    counts: Callable[[Mapping[str, tuple[datetime, datetime]]], Counted] = lambda _: {},
) -> Iterator[SignalGrade]:
    """Yield the grade of each signal of the machines of a class, over the newest ``SPAN`` of each machine.

    One machine is in memory at a time. A signal without any reading has grade 0. Waveforms have none: each
    snapshot is judged by what is measured of it.

    Parameters
    ----------
    machines : only these; all of the class when left out
    until : what is newer is not looked at
    counts : gives what was counted of machines in a span of each; see ``ingest.quality.counts``
    """
    wanted = plant.machines_of(machine_class.name) if machines is None else machines
    spans = graded_spans(history.spans(machine_class.name), wanted, until)
    counted = counts(spans)
    found = {
        machine: faults_of_machine(history, machine_class, machine, *span, counted) for machine, span in spans.items()
    }
    for machine, signals in found.items():
        for signal, faults in signals.items():
            kept = [each for each in faults if not _shared(each, signals) and not _of_class(each, signal, found)]
            yield SignalGrade(machine, signal, Grade.of(kept))


def graded_spans(
    spans: Mapping[str, tuple[datetime, datetime]], machines: Sequence[str], until: datetime | None = None
) -> dict[str, tuple[datetime, datetime]]:
    """Return the newest ``SPAN`` of each machine that has readings, as far as it lies before ``until``."""
    found = {}
    for machine in machines:
        if machine in spans:
            first, newest = spans[machine]
            last = newest if until is None else min(newest, until)
            if first <= last:
                found[machine] = max(first, last - SPAN), last
    return found


def faults_of_machine(
    history: History,
    machine_class: MachineClass,
    machine: str,
    start: datetime,
    end: datetime,
    counted: Counted = MappingProxyType({}),
) -> dict[str, list[Fault]]:
    """Return the faults of each signal of a machine in [start, end], each signal looked at by itself."""
    table = history.read(
        machine_class.name,
        machines=[machine],
        signals=[each.name for each in machine_class.slow_signals],
        start=start - timedelta(microseconds=1),
        end=end,
    ).table
    span = to_microseconds(start), to_microseconds(end)
    found = {}
    for signal, plain in series_of_machine(table, machine_class.slow_signals, span):
        count = counted.get((machine, signal.name), _NOTHING)
        series = replace(plain, rejected=count.no_number, outside=count.out_of_range, replaced=count.replaced)
        found[signal.name] = find_faults(series) if len(series) else _nothing_came(series)
    return found


def _nothing_came(series: Series) -> list[Fault]:
    """Return why a signal has no reading: all was turned away, or nothing came."""
    away = [fault for find in (invalid, out_of_domain) if (fault := find(series)) is not None]
    return away or [Fault("missing", 1.0, series.first, series.last, "no reading at all")]


def series_of_machine(
    table: pa.Table, signals: Sequence[Signal], span: tuple[int, int]
) -> Iterator[tuple[Signal, Series]]:
    """Yield the series of each signal from one machine's readings, which say when the machine as a whole rests."""
    times, arrived = (table[name].cast(pa.int64()).to_numpy() for name in ("time", "arrived"))
    columns = {each.name: table[each.name].to_numpy() for each in signals}
    resting, eventful = _states(list(columns.values()))
    for each in signals:
        values = columns[each.name]
        present = ~np.isnan(values)
        low, high = each.range or (-np.inf, np.inf)
        yield (
            each,
            Series(
                times[present],
                values[present],
                *span,
                every=None if each.every is None else round(each.every.total_seconds() * 1e6),
                low=low,
                high=high,
                resting=resting[present],
                eventful=eventful[present],
                arrived=arrived[present],
            ),
        )


def _states(columns: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return when half of the signals stand still or are about zero, and when half jump; two of them at least."""
    still, jumps = (np.zeros(len(columns[0]) if columns else 0) for _ in range(2))
    for values in columns:
        present = np.flatnonzero(~np.isnan(values))
        read = values[present]
        if len(read) < _STILL:
            continue
        changes = np.diff(read)
        begins = np.flatnonzero(np.concatenate(([True], changes != 0)))
        lengths = np.diff(np.append(begins, len(read)))
        still[present] += np.repeat(lengths >= _STILL, lengths) | _near_zero(read)
        leaps = np.abs(changes) > max(_JUMP * robust_deviation(changes), 0.0)
        jumps[present[1:]] += leaps & (changes != 0)
    half = max(2.0, len(columns) / 2)
    shaken = np.flatnonzero(jumps >= half)
    eventful = np.zeros(len(jumps), np.bool_)
    for offset in range(-_BESIDE, _BESIDE + 1):
        eventful[np.clip(shaken + offset, 0, len(jumps) - 1)] = True
    return still >= half, eventful


def _near_zero(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which values are next to nothing beside the usual ones, as those of a machine that is off."""
    sizes = np.abs(values)
    return np.asarray(sizes <= _OFF * np.quantile(sizes, 0.95))


def _shared(fault: Fault, signals: Mapping[str, Sequence[Fault]]) -> bool:
    """Say whether half of a machine's signals, two at least, show such a fault at this time."""
    if fault.code not in _TOGETHER or len(signals) < 3:
        return False
    several = sum(any(_like(each, fault) for each in faults) for faults in signals.values())
    return several >= max(2, len(signals) / 2)


def _of_class(fault: Fault, signal: str, machines: Mapping[str, Mapping[str, Sequence[Fault]]]) -> bool:
    """Say whether a third of the machines, three at least, drift so with this signal: weather, or a shared supply."""
    if fault.code != "drift":
        return False
    several = sum(
        any(_like(each, fault) and each.detail[:1] == fault.detail[:1] for each in signals.get(signal, ()))
        for signals in machines.values()
    )
    return several >= max(3, len(machines) / 3)


def _like(one: Fault, other: Fault) -> bool:
    return one.code == other.code and one.begin <= other.end and other.begin <= one.end


def summary(grades: Sequence[SignalGrade]) -> dict[str, list[SignalGrade]]:
    """Return the grades of each signal over its machines, the worst machine first."""
    found: dict[str, list[SignalGrade]] = {}
    for each in grades:
        found.setdefault(each.signal, []).append(each)
    return {signal: sorted(those, key=lambda each: each.grade.number) for signal, those in found.items()}
