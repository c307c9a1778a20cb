"""What the columns of one file mean."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.errors import SourceError
from ingest.event import EventKind
from ingest.proposal.column import FlagColumn, SignalColumn, flag_column, numbers, signal_column, texts
from ingest.proposal.guess import plain
from ingest.proposal.kinds import kind_of, names_begin, names_end
from ingest.proposal.machines import MachineColumns, candidates, labels, machine_columns, rank, signal_name_column
from ingest.proposal.sample import Sample
from ingest.proposal.times import TimeColumn, best_time, is_clock, time_columns, written_times
from ingest.reading import TAKEN_NAMES

_CYCLE = re.compile(r"cycle|zyklus|flight|shot|stroke|^step$|^takt", re.IGNORECASE)
_SECONDS = re.compile(r"time|zeit|second|elapsed", re.IGNORECASE)
_NO_MACHINE = 3
NO_TIME = int(np.iinfo(np.int64).min)
"""What ``Table.ticks`` holds where a time cannot be read."""
_VALUE = re.compile(r"value|^val$|wert|reading", re.IGNORECASE)
_COMPONENT = re.compile(r"comp|part|module|bauteil", re.IGNORECASE)


@dataclass(frozen=True)
class Cycle:
    """A counter in place of a time."""

    column: str
    length: str
    confidence: float
    why: str


@dataclass(frozen=True)
class CodeColumn:
    """A column of words that says what an event was about."""

    column: str
    kind: EventKind
    component: bool
    confidence: float
    why: str


@dataclass(frozen=True)
class Table:
    """What one file holds.

    Attributes
    ----------
    time, cycle : one of the two
    ticks : time of each row of the sample in microseconds (cycles: as if one lasted its length)
    machine : columns that name it
    signal_column, value_column : of the long form
    signals, flags, codes : what the other columns hold
    left_out : columns that are not used, and why
    every, steady : usual time between two rows of a machine, and the share of steps that are about that long
    end : of events that last
    run_to_failure : how sure it is that each machine's last row is its failure; 0 for not at all
    """

    sample: Sample
    time: TimeColumn | None
    cycle: Cycle | None
    ticks: NDArray[np.int64]
    machine: MachineColumns
    signal_column: str | None = None
    value_column: str | None = None
    signals: list[SignalColumn] = field(default_factory=list)
    flags: list[FlagColumn] = field(default_factory=list)
    codes: list[CodeColumn] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    every: timedelta | None = None
    steady: float = 0.0
    run_to_failure: float = 0.0
    end: TimeColumn | None = None


def understand(sample: Sample) -> Table:
    """Say what the columns of a file mean.

    Raises
    ------
    SourceError
        When no column tells the time, or nothing but the time is left.
    """
    times = time_columns(sample)
    time = best_time(times)
    cycle = _cycle(sample) if time is None else None
    if time is None and cycle is None:
        raise SourceError(
            f"{sample.path}: no column tells the time or counts cycles (columns: {_listed(sample)}); "
            "add one, or leave the file out"
        )
    ticks = _ticks(sample, time, cycle)
    used = {*(time.columns if time else ()), cycle.column if cycle else ""}
    apart = {name: "times, but not those of the rows" for name in written_times(times) if name not in used}
    apart |= {
        name: "a time of day without its date"
        for name in map(str, sample.frame)
        if name not in used and name not in apart and is_clock(sample, name)
    }
    known = [*used, *apart]
    flags = [flag for name in map(str, sample.frame) if name not in known and (flag := flag_column(sample, name))]
    known += [flag.column for flag in flags]
    signal = signal_name_column(sample, known)
    machine = machine_columns(sample, ticks, [*known, signal or ""], signal=signal)
    known += [*machine.columns, signal or ""]
    found = {name: signal_column(sample, name) for name in map(str, sample.frame) if name not in known}
    signals = [each for each in found.values() if isinstance(each, SignalColumn)]
    left_out = apart | {name: why for name, why in found.items() if isinstance(why, str)}
    if not signals and not flags:
        return _events(sample, times, time, cycle, ticks)
    if signal and signals:
        value = next((each.column for each in signals if _VALUE.search(each.column)), signals[0].column)
        left_out |= {each.column: "not the value column" for each in signals if each.column != value}
        signals = _long_signals(sample, signal, value)
        every, steady = _every(sample, ticks, [*machine.columns, signal])
        return Table(
            sample, time, cycle, ticks, machine, signal, value, signals, flags, [], left_out, every, steady, 0.0
        )
    every, steady = _every(sample, ticks, machine.columns)
    ends = _run_to_failure(sample, cycle, ticks, machine) if cycle else 0.0
    return Table(
        sample, time, cycle, ticks, machine, None, None, _named(signals), flags, [], left_out, every, steady, ends
    )


def _cycle(sample: Sample) -> Cycle | None:
    whole = {}
    for name in map(str, sample.frame):
        values = numbers(sample, name)
        if values is not None and name and not np.isnan(values).any():
            whole[name] = np.diff(values)[np.diff(sample.stretch) == 0]
    for name, steps in whole.items():
        if _CYCLE.search(name) and len(steps) and np.mean(steps == 1) > 0.5:
            return Cycle(name, "1 h", 0.8, "it counts up by one, and the name; an hour for a cycle is only a stand-in")
    for name, steps in whole.items():
        if _SECONDS.search(name) and len(steps) and np.mean(steps >= 0) > 0.9:
            return Cycle(name, "1 s", 0.4, "numbers that rise from a start, so probably seconds since then")
    for name, steps in whole.items():
        if rank(name) == _NO_MACHINE and len(steps) > 20 and np.mean(steps == 1) > 0.9:
            return Cycle(name, "1 h", 0.4, "it counts up by one; an hour for a cycle is only a stand-in")
    return None


def _ticks(sample: Sample, time: TimeColumn | None, cycle: Cycle | None) -> NDArray[np.int64]:
    if time is not None:
        return time.values.astype("datetime64[us]").astype(np.int64)
    assert cycle is not None  # noqa: S101 - one of the two is always given
    values = numbers(sample, cycle.column)
    seconds = 3600 if cycle.length == "1 h" else 1
    return np.rint(np.nan_to_num(values if values is not None else np.zeros(0)) * seconds * 1e6).astype(np.int64)


def _every(
    sample: Sample, ticks: NDArray[np.int64], columns: tuple[str, ...] | list[str]
) -> tuple[timedelta | None, float]:
    keys = labels(sample.frame, columns)
    steps = pd.Series(ticks).groupby([keys, sample.stretch]).diff()
    steps = steps[steps > 0]
    if steps.empty:
        return None, 0.0
    usual = float(steps.median())
    steady = float(((steps - usual).abs() <= 0.1 * usual).mean())
    digits = -6 if usual >= 1e7 else -3
    return timedelta(microseconds=round(usual, digits) or 1000), steady


def _run_to_failure(sample: Sample, cycle: Cycle, ticks: NDArray[np.int64], machine: MachineColumns) -> float:
    if not machine.columns or not _CYCLE.search(cycle.column):
        return 0.0
    groups = pd.Series(numbers(sample, cycle.column)).groupby(labels(sample.frame, machine.columns))
    starts, ends = groups.min(), groups.max()
    if len(starts) < 5 or not sample.whole or not starts.isin([0, 1]).all() or ends.nunique() < len(ends) / 4:
        return 0.0
    name = sample.path.stem.lower()
    return 0.2 if "test" in name else 0.8 if "train" in name or "fail" in name else 0.6


def _named(signals: list[SignalColumn]) -> list[SignalColumn]:
    """Give signals names that are allowed and differ."""
    seen: set[str] = set()
    found = []
    for each in signals:
        name = each.name if each.name not in seen and each.name not in TAKEN_NAMES else each.column
        name = f"{name} signal" if name in TAKEN_NAMES else name
        if len(name) <= 200 and name not in seen:
            seen.add(name)
            found.append(SignalColumn(name, each.column, each.unit, each.low, each.high, each.confidence, each.why))
    return found


def _long_signals(sample: Sample, signal: str, value: str) -> list[SignalColumn]:
    values = pd.Series(numbers(sample, value)).groupby(texts(sample, signal))
    found = []
    for name, group in values:
        low, high = float(group.min()), float(group.max())
        found.append(SignalColumn(str(name), "", "", low, high, 0.9, f"{len(group)} rows from {low:g} to {high:g}"))
    return _named(found)


def _begin_and_end(times: list[TimeColumn], time: TimeColumn) -> tuple[TimeColumn, TimeColumn | None]:
    """Return the times when something began and ended, if two columns are named so and the end is never first."""
    begins = [each for each in times if names_begin(each.columns[0])]
    begin = time if time in begins or not begins else begins[0]
    for end in times:
        known = ~(np.isnat(begin.values) | np.isnat(end.values))
        named = end is not begin and names_end(end.columns[0]) and end.format == begin.format
        if named and known.any() and (end.values[known] >= begin.values[known]).all():
            return begin, end
    return begin, None


def _events(
    sample: Sample, times: list[TimeColumn], time: TimeColumn | None, cycle: Cycle | None, ticks: NDArray[np.int64]
) -> Table:
    """Read a file without numbers that vary as a list of events."""
    end = None
    if time is not None:
        time, end = _begin_and_end(times, time)
        ticks = _ticks(sample, time, cycle)
    known = [column for each in times for column in each.columns] + [cycle.column if cycle else ""]
    when = " ".join(time.columns) if time else ""
    named = sorted((name for name in map(str, sample.frame) if name not in known), key=rank)
    usual = [name for name in named if rank(name) < 3 and name in candidates(sample, known)]
    chosen = usual[:1] or [name for name in named if rank(name) < 2][:1]
    machine = MachineColumns(tuple(chosen), 0.9 if chosen else 0.4, "the name" if chosen else "no column names one")
    codes, left_out = [], {}
    for name in named:
        words = texts(sample, name).dropna()
        if name in chosen:
            continue
        if words.empty or words.nunique() > max(20, len(words) / 3):
            left_out[name] = f"{words.nunique()} different values are too many for a code" if len(words) else "empty"
            continue
        kind, sure = kind_of(sample.path.stem, when, name, " ".join(words.unique()[:5]))
        component = bool(_COMPONENT.search(name)) or bool(
            words.str.contains(_COMPONENT.pattern, case=False).mean() > 0.8
        )
        what = "component" if component else "code"
        why = f"{words.nunique()} different values such as {words.iloc[0]!r}, taken as the {what}"
        codes.append(CodeColumn(name, kind, component, sure, why))
    if not codes:
        kind, sure = kind_of(sample.path.stem, when)
        if sure < 0.5:
            raise SourceError(f"{sample.path}: neither numbers nor codes beside the time; leave the file out")
        codes.append(CodeColumn("", kind, False, sure, "the names of the file and of the time"))
    return Table(sample, time, cycle, ticks, machine, end=end, codes=codes[:2], left_out=left_out)


def _listed(sample: Sample) -> str:
    names = [str(name) for name in sample.frame][:6]
    return plain(", ".join(names)) + (", …" if len(sample.frame.columns) > 6 else "")
