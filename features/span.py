"""Readings of a group of machines as arrays, read in portions that fit into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.recipe import MICROSECOND, Recipe
from features.window import EPOCH, Times
from ingest.store import History


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


def read_samples(recipe: Recipe, history: History, machines: Sequence[str], start: int, end: int) -> Samples:
    """Read the recipe's signals of some machines in (start, end], given in microseconds since 1970."""
    table = history.read(
        recipe.machine_class,
        machines=machines,
        signals=recipe.signals,
        start=EPOCH + start * MICROSECOND,
        end=EPOCH + end * MICROSECOND,
    ).table
    names = table["machine"].cast(pa.string())
    machine = pc.index_in(names, value_set=pa.array(machines, pa.string())).to_numpy().astype(np.int64)
    time = table["time"].cast(pa.int64()).to_numpy()
    values = np.full((len(recipe.signals), table.num_rows), np.nan)
    for place, signal in enumerate(recipe.signals):
        if signal in table.column_names:
            # Adding 0.0 makes -0.0 and 0.0 one value, so that no extreme depends on the order of equal samples.
            np.add(table[signal].to_numpy(), 0.0, out=values[place])
    return _ordered(Samples(machine, time, values))


def portions(start: int, end: int, step: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut (start, end] into spans of at most ``most`` that begin at multiples of ``step`` after the start."""
    length = max(most // step, 1) * step
    for begin in range(start, end, length):
        yield begin, min(begin + length, end)


def expected_every(recipe: Recipe) -> timedelta:
    """Return the shortest expected time between two rows; a guess when the recipe does not know it."""
    return min(recipe.every, default=recipe.windows[0] / 3)


def _ordered(samples: Samples) -> Samples:
    earlier = np.diff(samples.machine) * 2 + np.sign(np.diff(samples.time)) < 0
    if not earlier.any():
        return samples
    order = np.lexsort((samples.time, samples.machine))
    return Samples(samples.machine[order], samples.time[order], samples.values[:, order])
