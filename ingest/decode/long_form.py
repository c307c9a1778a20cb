"""Long rows (machine, time, signal, value) spread to one column for each signal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.machine import Machines, encoded
from ingest.decode.mapping import Mapping
from ingest.decode.number import numbers
from ingest.decode.reject import Rejects
from ingest.plant import MachineClass, Plant

_SHOWN = 8

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Part = tuple[str, tuple[str, ...], Integers, Integers, list[Floats]]


@dataclass(frozen=True, slots=True)
class WidePart:
    """Rows of one class: machine and time of each, shape (n_rows,), and cells, shape (n_signals, n_rows)."""

    signals: tuple[str, ...]
    machines: Integers
    stamps: Integers
    cells: Floats


@dataclass(frozen=True, slots=True)
class Spread:
    """Rows spread: (class, signals, machine codes, times, one column for each signal) of each class.

    Attributes
    ----------
    signals, named : names of signals, and the place in them of what each row names, -1 if it names none
    """

    parts: list[Part]
    used: int
    missing: int
    signals: list[str]
    named: Integers


def spread(
    table: pa.Table,
    machines: Machines,
    stamps: Integers,
    placed: NDArray[np.bool_],
    mapping: Mapping,
    plant: Plant,
    rejects: Rejects,
) -> Spread:
    """Spread long rows; of several values for one machine, time and signal the last one stays."""
    signal_column, value_column = mapping.source.signal_column or "", mapping.source.value_column or ""
    found, labels = encoded(table[signal_column])
    rejects.add(np.flatnonzero(placed & (found < 0)), signal_column, "", "no signal is named")
    values = numbers(table[value_column], value_column, rejects, mapping.source.decimal)
    usable = placed & (found >= 0)
    missing = int((usable & ~table[value_column].is_valid().to_numpy()).sum())
    parts: list[Part] = []
    used = 0
    class_of = np.array([[each.name for each in plant.classes].index(each.machine_class) for each in plant.machines])
    classes = np.where(usable, class_of[machines.codes], -1)
    for number in np.unique(classes[usable]).tolist():
        machine_class = plant.classes[number]
        rows = np.flatnonzero(classes == number)
        codes = _signal_codes(machine_class, labels, mapping)
        _reject_unknown(machine_class, rows, found[rows], codes, labels, mapping, rejects)
        rows = rows[(codes[found[rows]] >= 0)]
        values = _converted(machine_class, rows, codes[found], values, mapping)
        rows = _in_range(machine_class, rows, codes[found], values, table, value_column, rejects)
        rows = rows[~np.isnan(values[rows])]
        used += len(rows)
        if len(rows):
            signals = tuple(each.name for each in machine_class.signals)
            chosen = codes[found[rows]], machines.codes[rows], stamps[rows], values[rows]
            parts += [
                (machine_class.name, each.signals, each.machines, each.stamps, list(each.cells))
                for each in wide_parts(signals, *chosen)
            ]
    return Spread(parts, used, missing, [mapping.names.get(each, each) for each in labels], found)


def _signal_codes(machine_class: MachineClass, labels: list[str], mapping: Mapping) -> Integers:
    place = {each.name: code for code, each in enumerate(machine_class.signals)}
    return np.array([*(place.get(mapping.names.get(label, label), -1) for label in labels)], np.int64)


def _converted(
    machine_class: MachineClass, rows: Integers, codes: Integers, values: Floats, mapping: Mapping
) -> Floats:
    """Return the values with those of some rows in the unit of their signal."""
    for code, signal in enumerate(machine_class.signals):
        if convert := mapping.conversions.get((machine_class.name, signal.name)):
            own = rows[codes[rows] == code]
            values = values.copy()
            values[own] = convert(values[own])
    return values


def _reject_unknown(
    machine_class: MachineClass,
    rows: Integers,
    found: Integers,
    codes: Integers,
    labels: list[str],
    mapping: Mapping,
    rejects: Rejects,
) -> None:
    """Turn away the rows of each label that is no signal of the class."""
    own = [each.name for each in machine_class.signals]
    shown = ", ".join(own[:_SHOWN]) + (", …" if len(own) > _SHOWN else "")
    known = [*own, *mapping.names]
    unknown = np.flatnonzero(codes[found] < 0)
    named = found[unknown].tolist()
    reasons = {
        code: f"class {machine_class.name!r} has no signal {labels[code][:80]!r}, but: {shown}"
        f"{rejects.hint(labels[code], known)}"
        for code in dict.fromkeys(named)
    }
    values, whys = [labels[code] for code in named], [reasons[code] for code in named]
    rejects.add_each(rows[unknown], mapping.source.signal_column or "", values, whys)


def _in_range(
    machine_class: MachineClass,
    rows: Integers,
    codes: Integers,
    values: Floats,
    table: pa.Table,
    column: str,
    rejects: Rejects,
) -> Integers:
    lows = np.array([-np.inf if each.range is None else each.range[0] for each in machine_class.signals])
    highs = np.array([np.inf if each.range is None else each.range[1] for each in machine_class.signals])
    outside = (values[rows] < lows[codes[rows]]) | (values[rows] > highs[codes[rows]])
    for code in np.unique(codes[rows[outside]]).tolist():
        signal = machine_class.signals[code]
        reason = f"outside the range of {signal.name!r}: {lows[code]:g} to {highs[code]:g} {signal.unit}".rstrip()
        rejects.add(rows[outside & (codes[rows] == code)], column, table[column], reason, "out of range")
    return rows[~outside]


def wide_parts(
    signals: tuple[str, ...], codes: Integers, machines: Integers, stamps: Integers, values: Floats
) -> Iterator[WidePart]:
    """Give one wide table for readings, or several where it would hold too many cells.

    Of several values for one machine, time and signal the last one stays; rows come in the order of (machine, time).

    Parameters
    ----------
    signals : of a class
    codes, machines, stamps, values : place of the signal in ``signals``, machine, time and value, shape (n,)
    """
    present, place = np.unique(codes, return_inverse=True)
    names = tuple(signals[code] for code in present.tolist())
    several = max(1, 16_000_000 // len(names))
    for offset in range(0, len(codes), several):
        some = slice(offset, offset + several)
        who, when = machines[some], stamps[some]
        order = np.lexsort((when, who))
        begins = np.append(True, (np.diff(who[order]) != 0) | (np.diff(when[order]) != 0))
        row = np.empty(len(order), np.int64)
        row[order] = np.cumsum(begins) - 1
        first = order[begins]
        cells = np.full((len(names), len(first)), np.nan)
        cells[place[some], row] = values[some]
        yield WidePart(names, who[first], when[first], cells)
