"""A source of the plant file laid onto the columns that a file really has."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ingest.errors import SourceError
from ingest.plant import MachineClass, Plant, Signal, Source
from ingest.unit import Conversion, conversion

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column holds what.

    Attributes
    ----------
    columns : all columns that are needed, in the order of the file
    signals : wide form: (signal, column) of each class by its name
    names : long form: signal by the name that stands in the data
    conversions : of signals that come in another unit than their own, by class and signal
    """

    source: Source
    columns: tuple[str, ...]
    signals: dict[str, tuple[tuple[Signal, str], ...]]
    names: dict[str, str]
    conversions: dict[tuple[str, str], Conversion]

    @property
    def long(self) -> bool:
        """Whether each row holds one signal."""
        return self.source.signal_column is not None


def resolve(source: Source, plant: Plant, present: Sequence[str], where: str) -> Mapping:
    """Find the columns of a source in a file.

    Parameters
    ----------
    present : names of the file's columns
    where : the file, for messages

    Raises
    ------
    SourceError
        When a column is not there, is there twice, or when nothing in the file is wanted.
    UnitError
        When a signal comes in a unit that does not convert to its own.
    """
    wanted = {column: key for key, column in _wanted(source)}
    for column, key in wanted.items():
        if column not in present:
            raise SourceError(f"{where}: no column {column!r} (source {source.name!r}, {key}){_there(column, present)}")
    _check_rows_are_placed(source, where)
    signals: dict[str, tuple[tuple[Signal, str], ...]] = {}
    if source.signal_column is None:
        signals = {each.name: _signals(source, each, present) for each in plant.classes}
        if not any(signals.values()) and not source.events and not source.run_to_failure:
            raise SourceError(
                f"{where}: no column is named as a signal of the plant; write signals = {{signal = 'column'}} for "
                f"source {source.name!r}{_there('', present)}"
            )
    needed = set(wanted) | {column for pairs in signals.values() for _, column in pairs}
    names = {name: signal for signal, name in (source.signals or {}).items()}
    columns = tuple(name for name in present if name in needed)
    for name in columns:
        if columns.count(name) > 1:
            raise SourceError(f"{where}: {columns.count(name)} columns are named {name!r}; name each once")
    return Mapping(source, columns, signals, names, _conversions(source, plant))


def _conversions(source: Source, plant: Plant) -> dict[tuple[str, str], Conversion]:
    return {
        (each.name, signal.name): conversion(source.units[signal.name], signal.unit)
        for each in plant.classes
        for signal in each.signals
        if signal.name in source.units
    }


def _wanted(source: Source) -> list[tuple[str, str]]:
    """Return (key in the plant file, column) of everything that the source names."""
    named = [
        *(("machine", column) for column in source.machine),
        *(("time", column) for column in source.time or []),
        ("cycle", source.cycle),
        ("step", source.step),
        ("signal_column", source.signal_column),
        ("value_column", source.value_column),
    ]
    if source.signal_column is None:
        named += [(f"signals.{signal}", column) for signal, column in (source.signals or {}).items()]
    for number, event in enumerate(source.events):
        named += [(f"events[{number}].time", column) for column in event.time or []]
        named += [(f"events[{number}].end", column) for column in event.end or []]
        keys = ("flag", "component", "product", "code", "value")
        named += [(f"events[{number}].{key}", getattr(event, key)) for key in keys]
        named += [(f"events[{number}].where", column) for column in event.where]
    return [(key, column) for key, column in named if column is not None]


def _check_rows_are_placed(source: Source, where: str) -> None:
    if not source.machine and not source.machine_is:
        raise SourceError(f"{where}: source {source.name!r} names no machine; write machine = 'column' or machine_is")
    timed_events = bool(source.events) and all(each.time for each in source.events)
    if source.time is None and source.cycle is None and not source.cycle_is_row and not timed_events:
        raise SourceError(f"{where}: source {source.name!r} names no time; write time = 'column' or cycle = 'column'")
    if (source.signal_column is None) != (source.value_column is None):
        raise SourceError(
            f"{where}: source {source.name!r} needs both signal_column and value_column for the long form"
        )


def _signals(source: Source, machine_class: MachineClass, present: Sequence[str]) -> tuple[tuple[Signal, str], ...]:
    if source.signals is not None:
        columns = source.signals
        return tuple((each, columns[each.name]) for each in machine_class.signals if each.name in columns)
    if source.events:
        return ()
    there = set(present)
    return tuple((each, each.name) for each in machine_class.signals if each.name in there)


def _there(column: str, present: Sequence[str]) -> str:
    near = get_close_matches(column, present, 1)
    more = f" and {len(present) - _SHOWN} more" if len(present) > _SHOWN else ""
    text = f"; the columns are: {', '.join(present[:_SHOWN])}{more}"
    if len(present) == 1 and any(mark in present[0] for mark in ";\t|"):
        text += "; the file may need another delimiter"
    return text + (f"; did you mean {near[0]!r}?" if near else "")
