"""Readings of a group of machines as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.microsecond import EPOCH, MICROSECOND, Times
from ingest.history import History


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of some machines.

    Attributes
    ----------
    machine : place of each row's machine among those asked for, ascending, shape (n_rows,)
    time : microseconds since 1970, ascending within a machine, shape (n_rows,)
    values : shape (n_signals, n_rows), NaN where a signal was not read
    """

    machine: NDArray[np.int64]
    time: Times
    values: NDArray[np.float64]

    def of_machine(self, place: int) -> "Samples":
        """Return the rows of one machine."""
        return self.where(slice(*np.searchsorted(self.machine, [place, place + 1])))

    def where(self, rows: slice | NDArray[Any]) -> "Samples":
        """Return some of the rows."""
        return Samples(self.machine[rows], self.time[rows], self.values[:, rows])


@runtime_checkable
class Held(Protocol):
    """The newest readings and events of some machines, held in memory as arrays."""

    def samples(self, signals: Sequence[str], machines: Sequence[str], start: int, end: int) -> Samples:
        """Return readings in (start, end], rows that hold none of the signals among them."""

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the machines' own states, as ``History.states`` does, or earlier ones as well."""


Past = History | Held
"""Where readings and events come from: all that ever was, or the newest of it."""


def no_rows(signals: int) -> Samples:
    """Return what nothing was read of."""
    return Samples(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((signals, 0)))


def samples_of(
    history: Past, machine_class: str, signals: Sequence[str], machines: Sequence[str], start: int, end: int
) -> Samples:
    """Read signals of some machines in (start, end], given in microseconds since 1970.

    Rows that hold none of the signals are left out, wherever they come from: sums are added up in pairs, and a
    row more would pair others.
    """
    if isinstance(history, Held):
        return _spoken(history.samples(signals, machines, start, end))
    table = history.read(
        machine_class,
        machines=machines,
        signals=signals,
        start=EPOCH + start * MICROSECOND,
        end=EPOCH + end * MICROSECOND,
    ).table
    names = table["machine"].cast(pa.string())
    machine = pc.index_in(names, value_set=pa.array(machines, pa.string())).to_numpy().astype(np.int64)
    time = table["time"].cast(pa.int64()).to_numpy()
    values = np.full((len(signals), table.num_rows), np.nan)
    for place, signal in enumerate(signals):
        if signal in table.column_names:
            # Adding 0.0 makes -0.0 and 0.0 one value, so that no extreme depends on the order of equal samples.
            np.add(table[signal].to_numpy(), 0.0, out=values[place])
    return _spoken(_ordered(Samples(machine, time, values)))


def _ordered(samples: Samples) -> Samples:
    earlier = np.diff(samples.machine) * 2 + np.sign(np.diff(samples.time)) < 0
    if not earlier.any():
        return samples
    order = np.lexsort((samples.time, samples.machine))
    return samples.where(order)


def _spoken(samples: Samples) -> Samples:
    """Return the rows in which one of the signals was read; all of them where no signal is asked for."""
    silent = np.ones(len(samples.time), np.bool_)
    for values in samples.values:
        silent &= np.isnan(values)
        if not silent.any():
            return samples
    return samples.where(~silent) if len(samples.values) else samples
