"""What a plant has, laid out for the columns that a body has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.decode.batch import LONG
from ingest.decode.number import NOTHING
from ingest.plant import MachineClass, Plant

LAYOUTS_KEPT = 64
_PLACE = {"machine", "time"}


@dataclass(frozen=True, slots=True)
class ClassLayout:
    """Where the signals of one class stand in a body, and what their values may be.

    Attributes
    ----------
    name, signals : of the class; only the signals that the body has, in the order of the plant file
    places : place of each signal among the body's columns of values, shape (n_signals,)
    others : places of the columns that this class has no signal for
    low, high : lowest and highest value of each signal, shape (n_signals, 1)
    """

    name: str
    signals: tuple[str, ...]
    places: NDArray[np.int64]
    others: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Layouts:
    """The layouts of a plant for the few sets of columns that its bodies have.

    Attributes
    ----------
    machines : code of each machine by its name, its place in the plant; only those that are read as they are written
    names : of all machines
    class_of : place of each machine's class in the plant
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.names = [each.name for each in plant.machines]
        place = {each.name: number for number, each in enumerate(plant.classes)}
        self.class_of = np.array([place[each.machine_class] for each in plant.machines], np.int64)
        self.machines = {name: code for code, name in enumerate(self.names) if _read_as_written(name)}
        signals = {signal.name for each in plant.classes for signal in each.signals}
        self._most = len(signals)
        self._odd = bool(signals & _PLACE)
        self._laid = lru_cache(LAYOUTS_KEPT)(self._lay)
        self._whole = [_class_layout(each, [signal.name for signal in each.signals]) for each in plant.classes]

    def of(self, names: Sequence[str]) -> Mapping[int, ClassLayout] | None:
        """Return the layout of each class by its place in the plant; ``None`` for columns that are not all signals.

        Parameters
        ----------
        names : columns of values, without ``machine`` and ``time``
        """
        if self._odd or not names or len(names) > self._most:
            return None
        return self._laid(tuple(names))

    def long(self, names: Sequence[str]) -> bool:
        """Say whether a body with these columns has one reading a row, and no other column."""
        return not self._odd and len(names) == len(LONG) and set(names) == LONG

    def whole(self, number: int) -> ClassLayout:
        """Return the layout of a class, by its place in the plant, with all its signals."""
        return self._whole[number]

    def _lay(self, names: tuple[str, ...]) -> Mapping[int, ClassLayout] | None:
        if len(set(names)) < len(names) or {"signal", "value"}.issubset(names):
            return None
        laid = {number: _class_layout(each, names) for number, each in enumerate(self.plant.classes)}
        signals = {signal for each in laid.values() for signal in each.signals}
        return laid if signals.issuperset(names) else None


def _class_layout(machine_class: MachineClass, names: Sequence[str]) -> ClassLayout:
    signals = [each for each in machine_class.signals if each.name in names]
    own = {each.name for each in signals}
    ranges = np.array([(-np.inf, np.inf) if each.range is None else each.range for each in signals], np.float64)
    low, high = ranges.reshape(-1, 2, 1).swapaxes(0, 1)
    return ClassLayout(
        machine_class.name,
        tuple(each.name for each in signals),
        np.array([names.index(each.name) for each in signals], np.int64),
        np.array([place for place, name in enumerate(names) if name not in own], np.int64),
        low,
        high,
    )


def _read_as_written(name: str) -> bool:
    return name == name.strip() and name not in NOTHING
